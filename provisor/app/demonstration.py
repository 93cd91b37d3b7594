"""The demo organisation: HR files and a SCIM server within the workspace, in the server's life.

Everything of it lies in one folder. What the SCIM server holds is kept there too, so that a restart
goes on where it was; the server listens where it did before, as jobs remember their systems.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, cast

import structlog

from provisor.demo.organisation import Organisation, files, next_day, organisation
from provisor.demo.target import TOKEN, Target, TargetMissing, missing, start
from provisor.graph.http.faults import bad_request
from provisor.settings.connections import SOURCE, TARGET

FOLDER: Final = "demo-organisation"
DAYS, PORT, HELD, TOKEN_FILE = "days.json", "port", "held.json", "app.token"
SEED: Final = 7
PEOPLE, GROUPS = 200, 10
CLOSING: Final = "closing"
USUAL: Final = "usual"
CLOSED_WITH: Final = 60
"""So many leave on the day on which a site closes: more than the guard lets pass."""
log = structlog.get_logger()


@dataclass(slots=True)
class Demonstration:
    workspace: Path
    _target: Target | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def folder(self) -> Path:
        return self.workspace / FOLDER

    @property
    def missing(self) -> str:
        """What has to be installed before there can be one; empty: nothing."""
        return missing()

    async def begin(self) -> Mapping[str, object]:
        """Write the files and start the server; return both connections. Raises Fault."""
        if self.missing:
            raise bad_request(self.missing)
        async with self._lock:
            await asyncio.to_thread(self._write, ())
            try:
                target = await self._started()
            except TargetMissing as failure:
                raise bad_request(str(failure)) from failure
        return _connections(self.folder, target.url)

    async def resume(self) -> None:
        """Start the server of one that is there already. What fails is told, and stops nothing."""
        if not self.folder.exists() or self.missing:
            return
        async with self._lock:
            try:
                await self._started()
            except TargetMissing as failure:
                log.warning("demonstration not resumed", reason=str(failure))

    async def another_day(self, *, closes: bool) -> None:
        """Let HR export one day later: some change, join and leave; or a site closes."""
        async with self._lock:
            await asyncio.to_thread(self._live_on, CLOSING if closes else USUAL)

    async def end(self) -> None:
        """Stop the server and remove everything."""
        async with self._lock:
            await self._stopped()
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def close(self) -> None:
        """Stop the server; it goes on another time."""
        async with self._lock:
            await self._stopped()

    async def _started(self) -> Target:
        if self._target is None:
            port = self.folder / PORT
            said = port.read_text("ascii") if port.exists() else "0"
            self._target = await asyncio.to_thread(start, said, str(self.folder / HELD))
            port.write_text(self._target.url.rpartition(":")[2].partition("/")[0], "ascii")
        return self._target

    async def _stopped(self) -> None:
        target, self._target = self._target, None
        if target is not None:
            await asyncio.to_thread(target.stop)

    def _write(self, days: tuple[str, ...]) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / TOKEN_FILE).write_text(TOKEN, "ascii")
        for name, text in files(_lived(days)).items():
            unfinished = self.folder / f".{name}.unfinished"
            unfinished.write_text(text, "utf-8")
            unfinished.replace(self.folder / name)
        (self.folder / DAYS).write_text(json.dumps(days), "ascii")

    def _live_on(self, kind: str) -> None:
        days = cast(list[str], json.loads((self.folder / DAYS).read_bytes()))
        self._write((*days, kind))


def _lived(days: tuple[str, ...]) -> Organisation:
    """Return the organisation after so many days: the same for the same days."""
    chance = Random(SEED)  # noqa: S311 - people are invented, nothing is kept secret by it
    lives = organisation(chance, PEOPLE, GROUPS)
    for kind in days:
        if kind == CLOSING:
            day = next_day(lives, chance, disabled=CLOSED_WITH)
        else:
            day = next_day(lives, chance, changed=4, disabled=2, left=1, joined=3)
        lives = day.organisation
    return lives


def _connections(folder: Path, url: str) -> Mapping[str, object]:
    source = {
        "users": str(folder / "people.csv"),
        "groups": str(folder / "groups.csv"),
        "members": str(folder / "members.csv"),
    }
    target = {"baseAddress": url, "token": f"file:{folder / TOKEN_FILE}"}
    return {
        SOURCE: {"connector": "csv", "settings": source},
        TARGET: {"connector": "scim", "settings": target},
    }
