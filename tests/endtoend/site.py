"""A workspace between HR files and a target, used as administrators use it: by typing commands."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import unittest.mock
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from provisor.__main__ import open_lazily
from provisor.cli.main import run
from tests.endtoend.company import Company
from tests.endtoend.targets import Asked, Resource, Target, by_source_id

JOB = "people"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CONFIGURATION = """\
tenant: {{id: 2f0f7a3e-4c55-4d6f-9a55-0d8f2f1f6a10}}
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
    target:
      connector: scim
      settings: {{baseAddress: "{url}", token: "env:APP_TOKEN"{target}}}
    syncAll: true
    schedule: PT5M
{job}"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def told(self) -> str:
        """Everything that was said, for messages."""
        return f"exit {self.code}\n{self.out}{self.err}"


@dataclass(frozen=True, slots=True)
class Picture:
    """What a target held at one time."""

    users: Mapping[str, Mapping[str, object]]
    groups: Mapping[str, tuple[str, str]]
    members: Mapping[str, set[str]]


class Site:
    """The company's files, the workspace and the target."""

    def __init__(
        self,
        folder: Path,
        target: Target,
        company: Company,
        *,
        target_settings: str = "",
        job_settings: Sequence[str] = (),
    ) -> None:
        self.folder, self.target, self.company = folder, target, company
        self.extra = target_settings
        self.job_settings = job_settings
        self.configure()

    def configure(self, *job_settings: str) -> None:
        """Write provisor.yaml, with these lines besides in the job, and apply it."""
        lines = "".join(f"    {line}\n" for line in (*self.job_settings, *job_settings))
        more = f", {self.extra}" if self.extra else ""
        text = CONFIGURATION.format(url=self.target.url, target=more, job=lines)
        (self.folder / "provisor.yaml").write_text(text, encoding="utf-8")
        applied = self.provisor("apply", "provisor.yaml")
        assert applied.code == 0, applied.told

    # commands

    def provisor(self, *arguments: str) -> Ended:
        """Type a command and wait until it has ended; in this very process, to be quick."""
        out, err = io.StringIO(), io.StringIO()
        with (
            unittest.mock.patch.dict(os.environ, self._environment(), clear=True),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run(arguments, open_lazily)
        return Ended(code, out.getvalue(), err.getvalue())

    def process(self, *arguments: str) -> subprocess.Popen[str]:
        """Type a command in a process of its own, and go on while it runs. Use it as a context."""
        return subprocess.Popen(
            [sys.executable, "-m", "provisor", *arguments],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def _environment(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("PROVISOR_", "COV"))}
        return {**kept, "APP_TOKEN": self.target.token}

    def run(self, code: int = 0) -> Ended:
        """Run a cycle that is to end with this exit code."""
        return self.ends(code, "run", JOB)

    def ends(self, code: int, *arguments: str) -> Ended:
        """Type a command that is to end with this exit code."""
        ended = self.provisor(*arguments)
        assert ended.code == code, self._complaint(arguments, ended)
        return ended

    def _complaint(self, arguments: tuple[str, ...], ended: Ended) -> str:
        escrows = self.provisor("escrows", JOB).out if ended.code == 3 else ""
        return f"provisor {' '.join(arguments)}: {ended.told}\n{escrows}"

    def status(self) -> dict[str, Any]:
        told = self.ends(0, "status", JOB, "--json").json
        return cast(dict[str, Any], told["status"])

    def logs(self, *filters: str) -> list[dict[str, Any]]:
        told = self.ends(0, "logs", JOB, "--json", "--limit", "1000000", *filters).json
        return cast(list[dict[str, Any]], told["value"])

    def approve(self) -> str:
        """Approve what waits for it; return the hash that the status named."""
        told = self.ends(0, "status", JOB).out
        (line,) = [line for line in told.splitlines() if "provisor approve" in line]
        hash = line.split()[-1]
        self.ends(0, "approve", JOB, hash)
        return hash

    def plan(self, file: str = "plan.json") -> list[dict[str, Any]]:
        """Save a plan; return its steps."""
        told = self.ends(0, "plan", JOB, "--json", "--out", file).json
        return cast(list[dict[str, Any]], told["steps"])

    # the target's own word

    def users(self) -> dict[str, Resource]:
        return by_source_id(self.target.says("User"))

    def groups(self) -> dict[str, Resource]:
        return by_source_id(self.target.says("Group"))

    def active(self) -> set[str]:
        return {id for id, user in self.users().items() if is_active(user)}

    def members(self) -> dict[str, set[str]]:
        """Return the members of each group, all by their ids in the files."""
        ids = {str(user["id"]): id for id, user in self.users().items()}
        return {id: {ids[m] for m in members_of(group)} for id, group in self.groups().items()}

    def picture(self) -> Picture:
        """Return all that a test may find unchanged later."""
        users = {id: {**shown(user), "id": user["id"]} for id, user in self.users().items()}
        groups = {id: (one["id"], one["displayName"]) for id, one in self.groups().items()}
        return Picture(users, groups, self.members())

    def since(self, mark: int) -> list[Asked]:
        """Return what was asked since a `mark`."""
        return list(self.target.log()[mark:])

    @property
    def mark(self) -> int:
        return len(self.target.log())

    def sent(self, mark: int) -> list[Asked]:
        """Return the changes that were asked for since a `mark`."""
        return [asked for asked in self.since(mark) if asked.is_write]

    # what must be so

    def is_as_the_files_say(self) -> None:
        """Hold every person and every group of the target against the files."""
        users = self.users()
        ids = {id: str(user["id"]) for id, user in users.items()}
        for id, person in self.company.people.items():
            if id not in users:
                assert not person.is_enabled, f"{id} is not there"
                continue
            said = users[id]
            if not person.is_enabled:
                assert not is_active(said), f"{id} was not disabled"
                continue
            wanted = {
                "userName": person.user_name,
                "displayName": person.display_name or None,
                "title": person.job_title or None,
                "givenName": person.given_name or None,
                "familyName": person.family_name or None,
                "formatted": " ".join(filter(None, (person.given_name, person.family_name))),
                "mail": person.mail or None,
                "department": person.department or None,
                "manager": ids.get(person.manager),
                "active": True,
            }
            assert shown(said) == wanted, id
        for id in users.keys() - self.company.people.keys():
            assert not is_active(users[id]), f"{id}, who has left, is enabled"
        members = self.members()
        groups = self.groups()
        for id, group in self.company.groups.items():
            assert groups[id]["displayName"] == group.display_name
            assert members[id] == {m for m in group.members if m in users}, id
        self.nobody_is_there_twice()

    def nobody_is_there_twice(self) -> None:
        users = Counter(str(one["userName"]).lower() for one in self.target.says("User"))
        groups = Counter(str(one["displayName"]) for one in self.target.says("Group"))
        assert [name for name, number in (users + groups).items() if number > 1] == []

    def is_quiet(self) -> None:
        """A further cycle sends nothing and asks for no object."""
        mark = self.mark
        ended = self.run()
        assert self.sent(mark) == [], ended.told
        assert [asked for asked in self.since(mark) if asked.is_about_one] == []
        assert self.status()["lastExecution"]["countExported"] == 0


def shown(user: Resource) -> dict[str, object]:
    """Return the attributes of a user that the files have a say in."""
    name: Mapping[str, Any] = user.get("name") or {}
    emails = cast(Sequence[Mapping[str, Any]], user.get("emails") or ())
    work = [email["value"] for email in emails if email.get("type") == "work"]
    enterprise: Mapping[str, Any] = user.get(ENTERPRISE) or {}
    manager: Mapping[str, Any] = enterprise.get("manager") or {}
    return {
        "userName": user["userName"],
        "displayName": user.get("displayName"),
        "title": user.get("title"),
        "givenName": name.get("givenName"),
        "familyName": name.get("familyName"),
        "formatted": name.get("formatted"),
        "mail": work[0] if work else None,
        "department": enterprise.get("department"),
        "manager": manager.get("value"),
        "active": is_active(user),
    }


def is_active(user: Resource) -> bool:
    return user.get("active") in (True, "True", "true")


def members_of(group: Resource) -> list[str]:
    listed = cast(Sequence[Mapping[str, Any]], group.get("members") or ())
    values = [str(member["value"]) for member in listed]
    assert len(set(values)) == len(values), "a member is listed twice"
    return values
