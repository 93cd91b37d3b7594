"""The schedule in a process of its own, so that who answers questions waits for no cycle.

One interpreter does one thing at a time: beside a busy cycle an answer would take as long as the
cycle's next pause. The two share the store, and a pipe by which the one hurries the other. When
the pipe ends, so does the schedule: nothing stays behind, however the first one died.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from provisor.errors import StoreTooNew
from provisor.ports import Clock
from provisor.runtime.interruption import GRACE_S, Interruption
from provisor.runtime.scheduler import Scheduler
from provisor.telemetry.measures import Gathered, Samples, to_line

HURRY, RECONCILE = "hurry ", "reconcile "
LINE_BYTES_MAX = 16 << 20
REPORT_EVERY_S = 2.0
BACK_AFTER_S = 2.0
"""So long after a schedule that died the next one begins."""

OUTGROWN = 78
"""How the other process ends where the store has become a newer version's, as EX_CONFIG says it."""
IS_OUTGROWN = (
    "the schedule has ended, since the store is not one that this Provisor works on any more;"
    " upgrade it, and start it again"
)


class Schedule(Protocol):
    """The schedule, wherever it runs, as a server sees it."""

    @property
    def interruption(self) -> Interruption: ...

    def wake(self) -> None:
        """Let the schedule look at once."""
        ...

    def hurry(self, job: str, asked_at: datetime) -> None:
        """Run a job that was started or restarted without waiting for its next time."""
        ...

    def reconcile(self, job: str) -> None:
        """Run a cycle of a job that reads the target in full, whatever the job's state."""
        ...

    async def run(self) -> None:
        """Keep it going until an interruption."""
        ...


@dataclass(slots=True)
class Worker:
    """The other process, seen from here."""

    command: Sequence[str]
    interruption: Interruption
    gathered: Gathered = field(default_factory=Gathered)
    """What it has measured, and those that were there before it."""
    _process: Process | None = None

    def wake(self) -> None:
        """Let the schedule look at once."""
        self._say("wake")

    def hurry(self, job: str, asked_at: datetime) -> None:
        self._say(f"{HURRY}{asked_at.isoformat()} {job}")

    def reconcile(self, job: str) -> None:
        self._say(f"{RECONCILE}{job}")

    def _say(self, line: str) -> None:
        """Say something; who is just being started looks by itself."""
        pipe = self._process.stdin if self._process is not None else None
        if pipe is not None and not pipe.is_closing():
            pipe.write(f"{line}\n".encode())

    async def run(self) -> None:
        """Keep a schedule running until an interruption; then let it settle, and end it."""
        while not self.interruption.is_asked:
            self._process = await asyncio.create_subprocess_exec(
                *self.command, stdin=PIPE, stdout=PIPE, limit=LINE_BYTES_MAX
            )
            self.gathered.begin()
            hearing = asyncio.create_task(self._hear(self._process))
            await self._watch(self._process)
            await hearing
            if self._process.returncode == OUTGROWN:
                self.interruption.give_up(StoreTooNew(IS_OUTGROWN))
            if not self.interruption.is_asked:
                await self.interruption.sleep(BACK_AFTER_S)

    async def _watch(self, process: Process) -> None:
        ended = asyncio.create_task(process.wait())
        asked = asyncio.create_task(self._asked())
        await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(2 * GRACE_S):
                await ended
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _hear(self, process: Process) -> None:
        """Take note of what the other process measures, until it has nothing more to say."""
        assert process.stdout is not None
        try:
            while line := await process.stdout.readline():
                self.gathered.hear(line)
        except ValueError:  # too long, or not of this version: measures are not worth a stop
            while await process.stdout.read(LINE_BYTES_MAX):
                pass

    async def _asked(self) -> None:
        while not self.interruption.is_asked:
            await self.interruption.sleep(3600)


async def obey(scheduler: Scheduler, interruption: Interruption) -> None:
    """Run the schedule, and do what the other process says on standard input until it ends."""
    listening = asyncio.create_task(_listen(scheduler, interruption))
    try:
        await scheduler.run()
    finally:
        listening.cancel()


async def _listen(scheduler: Scheduler, interruption: Interruption) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while line := (await reader.readline()).decode().strip():
        if line.startswith(HURRY):
            asked_at, _, job = line.removeprefix(HURRY).partition(" ")
            scheduler.hurry(job, datetime.fromisoformat(asked_at))
        elif line.startswith(RECONCILE):
            scheduler.reconcile_soon(line.removeprefix(RECONCILE))
        else:
            scheduler.wake()
    interruption.ask(signal.SIGTERM)
    scheduler.wake()


async def report(measured: Callable[[], Samples], clock: Clock) -> None:
    """Say on standard output what was measured, whenever that has changed, until cancelled.

    Who does not listen is not waited for.
    """
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_write_pipe(asyncio.Protocol, sys.stdout)
    told = b""
    while True:
        line = to_line(measured())
        if line != told and not pipe.get_write_buffer_size():
            pipe.write(line)
            told = line
        await clock.sleep(REPORT_EVERY_S)
