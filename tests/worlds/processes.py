"""A server in a process of its own, that obeys line by line and dies with whoever started it."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, cast

ROOT = Path(__file__).parents[2]
READY_S = 60.0  # a busy machine takes its time to import; what is not ready by then never will be
STOP_S = 10.0


class ServerFailed(Exception):
    """The server did not start, or did not answer a command; the text holds its last words."""


class Server:
    """A child process that answers each line of JSON on its standard input with one on its output.

    Its first line says that it is ready. It ends by itself when its standard input closes, so that
    nothing stays behind when the tests are killed.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._words: list[str] = []
        self._readers = [
            threading.Thread(target=self._listen, daemon=True),
            threading.Thread(target=self._overhear, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        try:
            self.greeting = self._answer(READY_S)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The id of the process, for tests that freeze or kill it."""
        return self._process.pid

    def ask(self, command: str, **details: object) -> dict[str, object]:
        """Have the server do something; return what it says when it is done."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **details}) + "\n")
        self._process.stdin.flush()
        return self._answer(READY_S)

    def stop(self) -> None:
        """End the process, by force if it does not end when asked, and wait for it."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it may be gone already
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(STOP_S)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def _answer(self, within_s: float) -> dict[str, object]:
        try:
            line = self._answers.get(timeout=within_s)
        except queue.Empty:
            line = ""
        if not line:
            raise ServerFailed("".join(self._words[-30:]) or "no answer")
        return cast(dict[str, object], json.loads(line))

    def _listen(self) -> None:
        for line in cast(IO[str], self._process.stdout):
            self._answers.put(line)
        self._answers.put("")

    def _overhear(self) -> None:
        for line in cast(IO[str], self._process.stderr):
            self._words.append(line)
