"""A workspace in a folder, used as administrators use it: by typing commands."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import time
import unittest.mock
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from provisor.__main__ import open_lazily
from provisor.cli.main import run
from tests.worlds.scim2 import Scim2

PATIENCE_S = 60.0
NAMES = ("id", "userName", "givenName", "familyName", "displayName", "mail")
COLUMNS: tuple[str, ...] = (*NAMES, "department", "jobTitle", "manager", "accountEnabled")
CONFIGURATION = """\
tenant: {{id: 6f1c2f7e-5a53-4d5c-9d4a-0e8a1f6f9f10}}
jobs:
  people:
    source:
      connector: csv
      settings: {{users: people.csv, groups: groups.csv, members: members.csv, settleFor: 0}}
    target:
      connector: scim
      settings: {{baseAddress: "{url}", token: "env:APP_TOKEN"}}
    schedule: PT5M
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Workspace:
    """A folder with `provisor.yaml` and HR files."""

    folder: Path
    server: Scim2
    environment: dict[str, str] = field(default_factory=dict[str, str])
    people: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def __post_init__(self) -> None:
        self.environment = {"APP_TOKEN": self.server.token, **self.environment}
        self.configure(CONFIGURATION.format(url=self.server.url))
        self.write("groups.csv", "id,displayName\ng1,Staff\n")
        self.write("members.csv", "group,member\n")

    def configure(self, text: str) -> None:
        self.write("provisor.yaml", text)

    def write(self, name: str, text: str) -> None:
        """Write a file at once: nobody reads half of it."""
        unfinished = self.folder / f".{name}.unfinished"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(self.folder / name)

    def hire(self, *ids: str) -> None:
        for id in ids:
            self.people[id] = {
                "id": id,
                "userName": f"{id}@example.com",
                "givenName": id.title(),
                "familyName": "Example",
                "displayName": f"{id.title()} Example",
                "mail": f"{id}@example.com",
                "department": "Sales",
                "jobTitle": "Analyst",
                "manager": "",
                "accountEnabled": "true",
            }
        self.export()

    def dismiss(self, *ids: str) -> None:
        for id in ids:
            del self.people[id]
        self.export()

    def edit(self, id: str, **values: str) -> None:
        self.people[id] |= values
        self.export()

    def export(self) -> None:
        """Write people.csv as it is to be."""
        unfinished = self.folder / ".people.csv.unfinished"
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.people.values())
        unfinished.replace(self.folder / "people.csv")

    # commands

    def provisor(self, *arguments: str, text: str = "", **environment: str) -> Ended:
        """Type a command and wait until it has ended; in this very process, to be quick."""
        out, err = io.StringIO(), io.StringIO()
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self._environment(environment))
        try:
            with (
                contextlib.chdir(self.folder),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
                unittest.mock.patch("sys.stdin", io.StringIO(text)),
            ):
                code = run(arguments, open_lazily)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Ended(code, out.getvalue(), err.getvalue())

    def process(self, *arguments: str) -> Ended:
        """As `provisor`, in a process of its own."""
        with self.begin(*arguments) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return Ended(process.returncode, out, err)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Type a command, and go on while it runs. Use it as a context."""
        return subprocess.Popen(
            [sys.executable, "-m", "provisor", *arguments],
            cwd=self.folder,
            env=self._environment({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("PROVISOR_", "COV"))}
        return {**kept, **self.environment, **more}

    def apply(self) -> None:
        ended = self.provisor("apply", "provisor.yaml")
        assert ended.code == 0, ended.err

    def run(self) -> Ended:
        return self.provisor("run", "people")

    def status(self) -> dict[str, Any]:
        return cast(dict[str, Any], self.provisor("status", "people", "--json").json)

    # the target

    def users(self) -> dict[str, dict[str, Any]]:
        """Return what the target says, by the id in the files; fails if somebody is there twice."""
        users = self.server.says("User")
        found = {str(user["externalId"]): user for user in users}
        assert len(found) == len(users), "somebody is there twice"
        return found

    def active(self) -> set[str]:
        return {id for id, user in self.users().items() if user["active"]}


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere; fail if it never does."""
    give_up = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < give_up, "this never happened"
        time.sleep(0.02)
