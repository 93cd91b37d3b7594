"""Files that say what they said are not read again, nor rows; and still all is as they say."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from provisor.connectors.catalog import required
from provisor.connectors.csvfile import settings as csv_settings
from provisor.connectors.csvfile.memory import Memory
from provisor.connectors.csvfile.source import CsvSource
from provisor.connectors.memory import MemoryTarget
from provisor.engine.cycle import run_cycle
from provisor.engine.on_demand import provision_one
from provisor.engine.work import Mandate, Ports
from provisor.graph.schema.rules import to_rules
from provisor.graph.templates import template
from provisor.model.cycles import Cycle, CycleKind
from provisor.model.entries import Anchor, EntryKey
from provisor.model.jobs import Job, ResetScope
from provisor.model.rules import Policy
from provisor.store.sqlite.store import SqliteStore

HEADER = "id,userName,displayName,jobTitle\n"
CLERK, BOSS = f"{HEADER}1,ada,Ada,Clerk\n", f"{HEADER}1,ada,Ada,Boss\n"
SCHEMA = template("scim")
assert SCHEMA is not None
RULES, _ = to_rules(SCHEMA.schema)


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Chance:
    def __init__(self) -> None:
        self._random = random.Random(1)

    def uuid(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)


class Firm:
    """One person in a file, and a target."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.target = folder, MemoryTarget()
        self.cycles = 0

    def write(self, text: str) -> None:
        (self.folder / "people.csv").write_text(text, encoding="utf-8")

    def source(self, store: SqliteStore) -> CsvSource:
        chosen = csv_settings.parse({"users": "people.csv", "settleFor": 0}, self.folder)
        assert isinstance(chosen, csv_settings.CsvSettings)
        needed = {"User": required(RULES)["User"] & {"userName", "displayName", "jobTitle"}}
        memory = Memory(store, "app", chosen.format.encoding)
        return CsvSource(chosen, Clock(), needed, memory=memory)

    async def _with_ports(self, do: Callable[[Ports], Awaitable[object]]) -> None:
        with closing(SqliteStore(self.folder / "store.db")) as store:
            if await store.job("people") is None:
                job = Job(id="people", name="people", template_id="scim", application_id="app")
                await store.put_job(job)
            journal = await store.open_journal("people", "a test")
            ports = Ports(
                source=self.source(store),
                target=self.target,
                journal=journal,
                clock=Clock(),
                entropy=Chance(),
            )
            await do(ports)

    def run(self) -> Cycle:
        found: list[Cycle] = []
        self.cycles += 1

        async def do(ports: Ports) -> None:
            found.append(await run_cycle(MANDATE, ports, f"cycle {self.cycles}"))

        asyncio.run(self._with_ports(do))
        assert found[0].error is None
        return found[0]

    def provision(self) -> None:
        key = EntryKey("User", Anchor("1"))
        asyncio.run(
            self._with_ports(lambda ports: provision_one(MANDATE, ports, key, "now", "eve"))
        )

    def forget(self) -> None:
        asyncio.run(self._with_ports(lambda ports: ports.journal.reset(ResetScope.WATERMARK)))

    def titles(self) -> dict[object, object]:
        return self._by_name("title")

    def enabled(self) -> dict[object, object]:
        return self._by_name("active")

    def _by_name(self, attribute: str) -> dict[object, object]:
        told = (entry.attributes for entry in self.target.entries.values())
        return {one["displayName"]: one[attribute] for one in told}

    @property
    def title(self) -> object:
        (entry,) = self.target.entries.values()
        return entry.attributes["title"]


MANDATE = Mandate(rules=RULES, policy=Policy())


def test_a_cycle_over_unchanged_files_shows_nothing_and_succeeds(tmp_path: Path) -> None:
    firm = Firm(tmp_path)
    firm.write(CLERK)
    assert firm.run().kind is CycleKind.INITIAL
    firm.write(CLERK)  # anew, and the same

    quiet = firm.run()

    assert (quiet.kind, quiet.counts.imported, quiet.counts.exported) == ("incremental", 0, 0)
    firm.write(BOSS)
    assert firm.run().counts.imported == 1
    assert firm.title == "Boss"


def test_files_are_read_after_a_restart_whatever_they_say(tmp_path: Path) -> None:
    firm = Firm(tmp_path)
    firm.write(CLERK)
    firm.run()
    firm.forget()

    assert firm.run().counts.imported == 1


def test_who_was_provisioned_on_demand_is_as_the_files_say_when_they_are_what_they_were(
    tmp_path: Path,
) -> None:
    firm = Firm(tmp_path)
    firm.write(CLERK)
    firm.run()
    firm.write(BOSS)
    firm.provision()
    assert firm.title == "Boss"
    firm.write(CLERK)

    firm.run()

    assert firm.title == "Clerk"


def test_of_files_that_say_little_new_only_that_is_read_and_carried_out(tmp_path: Path) -> None:
    firm = Firm(tmp_path)
    firm.write(f"{CLERK}2,bob,Bob,Clerk\n")
    firm.run()
    firm.write(f"{CLERK}2,bob,Bob,Boss\n3,eve,Eve,Clerk\n")

    cycle = firm.run()

    assert (cycle.counts.imported, cycle.counts.exported) == (2, 2)
    assert firm.titles() == {"Ada": "Clerk", "Bob": "Boss", "Eve": "Clerk"}


def test_who_is_gone_is_found_out_by_reading_the_whole_and_leaves(tmp_path: Path) -> None:
    firm = Firm(tmp_path)
    firm.write(f"{CLERK}2,bob,Bob,Clerk\n")
    firm.run()
    firm.write(f"{CLERK}2,bob,Bob,Boss\n")
    firm.run()
    firm.write(BOSS)

    firm.run()

    assert firm.enabled() == {"Ada": True, "Bob": False}
    firm.write(f"{BOSS}2,bob,Bob,Boss\n")
    firm.run()
    assert firm.enabled() == {"Ada": True, "Bob": True}
