"""Deaths and broken disks, one after the other, at moments that chance decides; and what must be so
after each.

After every one nobody exists twice, and nobody was made twice. Then a cycle is let run to its end:
the target says what the files say, and one cycle more writes nothing and asks for no object.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from tests.crash.firm import PATIENCE_S, Site, send
from tests.worlds.processes import ROOT

STORE_FAILED, SUCCEEDED = 5, 0
KILLS_BETWEEN_CHECKS = 4
WRITES_FIRST, WRITES_LATER = 70, 30
"""Of a first cycle and of a later one, about."""
SPARE_BYTES_MAX, SPARE_PAGES_MAX = 100_000, 3
LONG_SHARE, LANE_S = 0.1, 4.0
"""How many kills are of long cycles, and how long after somebody left they come at most."""
DAMAGED_BYTES_MAX = 20_000
SCOPES = ("Escrows", "Watermark", "QuarantineState", "ConnectorDataStore", "Full", "ForceDeletes")
NO_LEAVE = ("--bounding-set", "-dac_override,-dac_read_search")
"""What root may do against permissions is taken away with these, or a folder is never read-only."""


class Campaign:
    """What is done to one site; `tried` counts it."""

    def __init__(self, place: Site, seed: int) -> None:
        self.place, self.chance = place, random.Random(seed)
        self.tried = Counter[str]()
        self._whole_s = 3.0
        self._cycles = 0

    # killed

    def kill(self, times: int) -> None:
        """Kill so many cycles, each at a moment of its own, and check now and then."""
        for number in range(times):
            if self._cycles and self.chance.random() < LONG_SHARE:
                self.kill_while_some_leave()
            else:
                self._kill_one()
            self.check_nobody_twice()
            if (number + 1) % KILLS_BETWEEN_CHECKS == 0:
                self.recover()
            self.place.firm.change()
        self.recover()

    def _kill_one(self) -> None:
        named, *command = self._prepare()
        mark = self.place.mark
        with self.place.running(*command) as process:
            if self.chance.random() < 0.5:
                writes = WRITES_LATER if self._cycles else WRITES_FIRST
                self.place.wait_for_writes(process, self.chance.randrange(writes), mark)
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(self.chance.random() * 0.9 * self._whole_s)
            is_over = process.poll() is not None
            send(process, signal.SIGKILL)
        self.tried[f"{named} cycles {'that had ended' if is_over else 'killed'}"] += 1

    def kill_while_some_leave(self) -> None:
        """Kill a long cycle after some have left while it ran: before they are disabled, between
        two of them, or after."""
        self.place.firm.promote_everybody()
        mark = self.place.mark
        with self.place.slowed(), self.place.running("run") as process:
            self.place.wait_for_writes(process, self.chance.randrange(1, 12), mark)
            self.place.firm.dismiss()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.chance.random() * LANE_S)
            is_over = process.poll() is not None
            send(process, signal.SIGKILL)
        self.tried[f"cycles {'that had ended' if is_over else 'killed'} while some left"] += 1

    def _prepare(self) -> list[str]:
        """Decide upon a cycle, and do what goes before it; return its name and its command."""
        if not self._cycles:
            return ["initial", "run"]
        before = self.chance.choices(
            ("", "reconcile", "restart", "plan", "schema"), (8, 5, 4, 3, 2)
        )[0]
        match before:
            case "reconcile":
                return ["reconcile", "reconcile"]
            case "restart":
                scope = self.chance.choice(SCOPES)
                self._done("restart", "people", "--scope", scope, "--yes")
                return [f"incremental after restart of {scope}", "run"]
            case "plan":
                self._done("plan", "people", "--out", str(self.place.folder / "plan.json"))
                return ["planned", "run", "--plan", str(self.place.folder / "plan.json")]
            case "schema":
                self.place.edit_schema()
                return ["incremental after an edited schema", "run"]
            case _:
                return ["incremental", "run"]

    def _done(self, *arguments: str) -> None:
        done = self.place.provisor(*arguments)
        assert done.returncode == SUCCEEDED, f"{arguments}: {done.stdout}\n{done.stderr}"

    # where nothing can be stored

    def break_disk(self) -> None:
        """Run a cycle over each way in which a store cannot be written."""
        for name, broken in (
            ("file size limited", self._limited),
            ("pages limited", self._full),
            ("folder read-only", self._read_only),
            ("store locked by another process", self._locked),
        ):
            self.place.firm.change()
            code = broken()
            if code is None:
                self.tried[f"{name}: cannot be tried here"] += 1
                continue
            assert code in (STORE_FAILED, SUCCEEDED), f"{name}: exit code {code}"
            self.tried[f"{name}: exit code {code}"] += 1
            self.check_nobody_twice()
            self.recover()

    def damage(self) -> None:
        """Kill a cycle, and spoil the end of what it wrote last, as a torn write does."""
        mark = self.place.mark
        with self.place.running() as process:
            self.place.wait_for_writes(process, self.chance.randrange(2, 40), mark)
            send(process, signal.SIGKILL)
        for log in self.place.folder.glob("*-wal"):
            size = log.stat().st_size
            spoilt = min(self.chance.randrange(1, DAMAGED_BYTES_MAX), size)
            with log.open("r+b") as file:
                if self.chance.random() < 0.5:
                    file.truncate(size - spoilt)
                else:
                    file.seek(size - spoilt)
                    file.write(self.chance.randbytes(spoilt))
        self.tried["end of the write-ahead log damaged"] += 1
        self.check_nobody_twice()
        self.recover()

    def _limited(self) -> int:
        sizes = [file.stat().st_size for file in self._store_files()]
        most = max(sizes) + self.chance.randrange(SPARE_BYTES_MAX)

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        return self._run(self.place.command("run", "people"), limit)

    def _full(self) -> int:
        spare = self.chance.randrange(SPARE_PAGES_MAX)
        command = self.place.command("run", "people")
        command[command.index("provisor")] = "tests.crash.full_store"
        return self._run(command, None, PROVISOR_SPARE_PAGES=str(spare))

    def _read_only(self) -> int | None:
        command = self.place.command("run", "people")
        if os.geteuid() == 0:
            setpriv = shutil.which("setpriv")
            if setpriv is None:
                return None
            command = [setpriv, *NO_LEAVE, *command]
        with _without_write_permission(self.place.folder):
            return self._run(command)

    def _locked(self) -> int:
        (store,) = self.place.folder.glob("*.db")
        with closing(sqlite3.connect(store, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            return self._run(self.place.command("run", "people"))

    def _store_files(self) -> list[Path]:
        return [*self.place.folder.glob("*.db"), *self.place.folder.glob("*.db-wal")]

    @staticmethod
    def _run(
        command: Sequence[str], before: Callable[[], None] | None = None, **environment: str
    ) -> int:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            preexec_fn=before,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode

    # what must be so

    def check_nobody_twice(self) -> None:
        users = self.place.says("Users")
        for name in ("userName", "externalId"):
            twice = [v for v, n in Counter(u[name] for u in users).items() if n > 1]
            assert not twice, f"there twice: {twice}"
        made = [e for e in self.place.effects() if (e.endpoint, e.what) == ("Users", "created")]
        assert len(made) == len(users), "somebody was made twice"

    def recover(self) -> None:
        """Let a cycle run to its end; everything is as it should be."""
        began = time.monotonic()
        self.place.run_on()
        self._whole_s = time.monotonic() - began
        self._cycles += 1
        self.place.check()
        self.place.check_quiet()
        self.tried["checks of all that must be so"] += 1


@contextmanager
def _without_write_permission(folder: Path) -> Generator[None]:
    paths = [folder, *folder.rglob("*")]
    modes = [(path, path.stat().st_mode) for path in paths]
    for path, mode in reversed(modes):
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes:
            path.chmod(mode)


def told(tried: Counter[str]) -> str:
    return "\n".join(f"{number:>6}  {name}" for name, number in sorted(tried.items()))
