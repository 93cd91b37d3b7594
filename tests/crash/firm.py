"""A firm whose HR files change, the workspace that watches them, and the server it feeds."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from provisor.planner.decide import ANSWER_AWAITED_MAX
from tests.worlds.processes import ROOT, Server

PEOPLE, GROUPS, LEAVERS = 60, 4, 8
SOME_FAILED = 3
"""How the command exits where objects are in escrow."""
PATIENCE_S = 120.0
"""No process takes so long, however busy the machine; one that does hangs."""
LATENCY_S = "0.02"
"""Of the server: a cycle lasts long enough to be hit in the middle."""
LATENCY_LONG_S = 0.5
"""Of the server, for cycles that last as long as it takes to see who left meanwhile."""
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CONFIGURATION = """
tenant: {{id: 6f1c2f9e-5d7c-4b52-9d0e-0d6c9a2f7b11}}
jobs:
  people:
    source:
      connector: csv
      settings:
        users: people.csv
        groups: groups.csv
        members: members.csv
        anchor: id
        settleFor: PT0S
    target: {{connector: scim, settings: {{baseAddress: "{url}", token: secret}}}}
    template: scim
    syncAll: true
    parallel: 32
    guards:
      departures: {{percent: 100, floor: 1000}}
      members: {{percent: 100, floor: 1000}}
      shrinks: {{percent: 100, rows: 1000}}
"""
HEADER = (
    "id,userName,givenName,familyName,displayName,mail,department,jobTitle,manager,accountEnabled"
)


@dataclass
class Person:
    id: str
    title: str = "Clerk"
    manager: str = ""
    is_enabled: bool = True

    @property
    def name(self) -> str:
        return f"person.{self.id}"

    @property
    def varying(self) -> tuple[str, str, str]:
        return self.title, self.manager, str(self.is_enabled).lower()


@dataclass
class Firm:
    """Who works there. Every change is written to the files at once, each file in one step."""

    folder: Path
    chance: random.Random
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    groups: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    hired: int = 0

    def found(self) -> None:
        for _ in range(PEOPLE):
            self._hire()
        for number in range(GROUPS):
            self.groups[f"g{number}"] = set(self.chance.sample(sorted(self.people), 20))
        self.write()

    def change(self) -> None:
        """Let a day pass: some come, some go, many are promoted."""
        for _ in range(self.chance.randrange(2, 6)):
            self._hire()
        staff = sorted(self.people)
        for who in self.chance.sample(staff, 15):
            self.people[who].title = f"Clerk {self.chance.randrange(1000)}"
        for who in self.chance.sample(self._restless(), 3):
            self.people[who].is_enabled = not self.people[who].is_enabled
        for who in self.chance.sample(staff, 5):
            self.people[who].manager = self.chance.choice(["", *staff])
        for members in self.groups.values():
            members ^= set(self.chance.sample(staff, 3))
        self.write()

    def promote_everybody(self) -> None:
        """Give everybody something to be told, so that a cycle is long."""
        for person in self.people.values():
            person.title = f"Clerk {self.chance.randrange(1000)}"
        self.write()

    def dismiss(self) -> None:
        """Let some go who were there, and others come back."""
        for who in self.chance.sample(self._restless(), LEAVERS):
            self.people[who].is_enabled = not self.people[who].is_enabled
        self.write()

    def _restless(self) -> list[str]:
        """Return who leaves and comes back: more than half within a day would be held, whatever
        the limits say."""
        staff = sorted(self.people)
        return staff[: len(staff) // 3]

    def _hire(self) -> None:
        self.hired += 1
        id = f"{self.hired:04}"
        manager = self.chance.choice(["", *sorted(self.people)])
        self.people[id] = Person(id, manager=manager)

    def write(self) -> None:
        users = [
            (p.id, p.name, p.name, "X", p.name, f"{p.name}@x.org", "Sales", *p.varying)
            for p in self.people.values()
        ]
        self._put("people.csv", HEADER, users)
        self._put("groups.csv", "id,displayName", [(g, f"Group {g}") for g in self.groups])
        members = [(g, m) for g, names in self.groups.items() for m in sorted(names)]
        self._put("members.csv", "group,member", members)

    def _put(self, name: str, header: str, rows: Sequence[Sequence[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([header.split(","), *rows])
        passing = self.folder / f"{name}.new"
        passing.write_text(text.getvalue(), "utf-8")
        passing.replace(self.folder / name)


@dataclass(frozen=True, slots=True)
class Effect:
    """A write that the server has carried out."""

    endpoint: str
    what: str
    id: str


class Site:
    """The firm, its workspace and the server, in processes of their own."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.log = folder / "access.jsonl"
        self.log.touch()
        arguments = ["--obey", "--access-log", str(self.log), "--switch", f"latency_s={LATENCY_S}"]
        self.server = Server("tests.fakes.scim.server", *arguments)
        self.firm = Firm(folder, random.Random(seed))
        self.titles = 0
        """How often the schema was edited."""

    def set_up(self) -> None:
        url = self.server.greeting["url"]
        (self.folder / "provisor.yaml").write_text(CONFIGURATION.format(url=url), "utf-8")
        self.firm.found()
        for command in (["init"], ["apply"]):
            done = self.provisor(*command)
            assert done.returncode == 0, done.stderr

    # the command

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "provisor", "--workspace", str(self.folder), *arguments]

    def provisor(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    @contextmanager
    def running(self, kind: str = "run", *options: str) -> Generator[subprocess.Popen[bytes]]:
        """Run a cycle in a process; whatever happens, it does not outlive the test."""
        process = subprocess.Popen(
            self.command(kind, "people", *options),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(PATIENCE_S)

    def run(self) -> None:
        done = self.provisor("run", "people")
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

    def run_on(self) -> None:
        """Run until nobody is waited for any more.

        Who leaves while his create is unanswered is asked for in two more cycles, as it may appear.
        """
        for _ in range(ANSWER_AWAITED_MAX):
            done = self.provisor("run", "people")
            if done.returncode == 0:
                return
            assert done.returncode == SOME_FAILED, f"{done.stdout}\n{done.stderr}"
            assert "Timeout" in done.stdout + done.stderr, f"{done.stdout}\n{done.stderr}"
        self.run()

    def edit_schema(self) -> None:
        """Let titles be written in another way from now on."""
        done = self.provisor("schema", "show", "people", "--json")
        assert done.returncode == 0, done.stderr
        schema = json.loads(done.stdout)
        self.titles += 1
        for rule in schema["synchronizationRules"]:
            for mapping in (m for o in rule["objectMappings"] for m in o["attributeMappings"]):
                if mapping["targetAttributeName"] == "title":
                    expression = f'Append([jobTitle], " {self.titles}")'
                    mapping["source"] = {"type": "Function", "expression": expression}
        (self.folder / "edited.json").write_text(json.dumps(schema), "utf-8")
        configuration = self.folder / "provisor.yaml"
        text = configuration.read_text("utf-8").replace("template: scim", "schema: edited.json")
        configuration.write_text(text, "utf-8")
        done = self.provisor("apply")
        assert done.returncode == 0, done.stderr

    def status(self) -> Mapping[str, Any]:
        done = self.provisor("status", "people", "--json")
        assert done.returncode == 0, done.stderr
        return cast(Mapping[str, Any], json.loads(done.stdout)["status"])

    # the server's own word

    def requests(self, since: int = 0) -> list[Mapping[str, Any]]:
        with self.log.open("rb") as log:
            log.seek(since)
            lines = log.read().split(b"\n")[:-1]  # the last one may be half written
        return [cast(Mapping[str, Any], json.loads(line)) for line in lines]

    def effects(self, since: int = 0) -> list[Effect]:
        found: list[Effect] = []
        for request in self.requests(since):
            if request["effect"]:
                what, _, id = str(request["effect"]).partition(" ")
                found.append(Effect(str(request["path"]).split("/")[1], what, id))
        return found

    @property
    def mark(self) -> int:
        """Where the log ends now."""
        return self.log.stat().st_size

    def wait_for_writes(self, process: subprocess.Popen[bytes], least: int, since: int = 0) -> bool:
        """Wait until the server has written so often, or the process has ended: return which."""
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None:
            if len(self.effects(since)) >= least:
                return True
            assert time.monotonic() < deadline, "the process hangs"
            time.sleep(0.002)
        return False

    def says(self, endpoint: str) -> list[dict[str, Any]]:
        held = cast(dict[str, list[dict[str, Any]]], self.server.ask("resources"))
        return held.get(endpoint, [])

    @contextmanager
    def slowed(self) -> Generator[None]:
        """Have the server take its time for each request that comes inside."""
        self.server.ask("switch", switches={"latency_s": LATENCY_LONG_S})
        try:
            yield
        finally:
            self.server.ask("switch", switches={"latency_s": float(LATENCY_S)})

    # what must be so

    def check(self) -> None:
        """Everybody is there once, as the files say."""
        users, firm = self.says("Users"), self.firm
        twice = [n for n, count in Counter(u["userName"] for u in users).items() if count > 1]
        assert not twice, f"there twice: {twice}"
        ids = {str(u["externalId"]): str(u["id"]) for u in users}
        said = {str(u["externalId"]): self._said(u) for u in users}
        for person in firm.people.values():
            if person.id not in said:
                assert not person.is_enabled, f"{person.name} was never made"
                continue
            title, is_active, manager = said[person.id]
            assert is_active == person.is_enabled, person
            if person.is_enabled:
                expected = ids.get(person.manager, "")
                assert (title, manager) == (self._title(person), expected), person
        groups = self.says("Groups")
        assert sorted(str(g["externalId"]) for g in groups) == sorted(firm.groups)
        for group in groups:
            members = {str(m["value"]) for m in group.get("members", [])}
            expected = {ids[m] for m in firm.groups[str(group["externalId"])] if m in ids}
            assert members == expected, group["displayName"]

    def _title(self, person: Person) -> str:
        return f"{person.title} {self.titles}" if self.titles else person.title

    @staticmethod
    def _said(user: Mapping[str, Any]) -> tuple[str, bool, str]:
        extension: dict[str, Any] = user.get(ENTERPRISE, {})
        manager: dict[str, Any] = extension.get("manager") or {}
        return str(user.get("title", "")), bool(user["active"]), str(manager.get("value", ""))

    def check_counts(self, since: int) -> None:
        """The latest cycle counts each object that the server has written since, once."""
        written = {(e.endpoint, e.id) for e in self.effects(since)}
        assert self.status()["lastExecution"]["countExported"] == len(written)

    def check_quiet(self) -> None:
        """A cycle more writes nothing, and asks for no object."""
        mark = self.mark
        self.run()
        assert self.effects(mark) == []
        assert self.status()["lastExecution"]["countExported"] == 0


@contextmanager
def site(folder: Path, seed: int) -> Generator[Site]:
    place = Site(folder, seed)
    try:
        place.set_up()
        yield place
    finally:
        place.server.stop()


def send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a process of ours, and to no other."""
    if process.poll() is None:
        os.kill(process.pid, number)
