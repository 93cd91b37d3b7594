"""An organisation that HR pushes through the API, as its clients do: fifty at a time, in any order,
and once more where no answer came."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

from provisor.demo.organisation import Person
from tests.endtoend.origins.differing import between
from tests.endtoend.origins.services import user_body
from tests.endtoend.site import JOB
from tests.endtoend.staff import Staff

AT_ONCE = 50
KILLED_AT = (2, 90)
"""With so many portions pushed the server is killed while it takes in another."""
PATIENCE_S = 60.0
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
JOBS = "/v1.0/servicePrincipals/{}/synchronization/jobs"

Portion = Sequence[Mapping[str, Any]]


class Pushed:
    """Implements `Origin`. The job is paused, so that the server takes in pushes, and only tests
    run cycles."""

    source = "      connector: inbound\n"
    deletes_softly = True
    tells_deletions = True
    steps = (1,)
    away_code = 0
    """What was pushed is kept here: it can be read while nobody can push."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.chance = folder, Random(9)
        self._process: subprocess.Popen[str] | None = None
        self._port, self._token, self._job = 0, "", ""
        self._ids: dict[str, str] = {}
        self._today: list[Portion] = []

    @classmethod
    @contextmanager
    def run(cls, folder: Path) -> Generator[Pushed]:
        pushed = cls(folder)
        try:
            yield pushed
        finally:
            pushed.stop()

    # the server

    def start(self) -> None:
        if not self._token:
            scope = ("--scope", "Directory.ReadWrite.All")
            made = self._provisor("token", "create", "hr", *scope, "--json")
            self._token = str(json.loads(made.communicate(timeout=PATIENCE_S)[0])["token"])
            self._provisor("pause", JOB).communicate(timeout=PATIENCE_S)
        self._process = self._provisor("serve", "--port", "0")
        assert self._process.stderr is not None
        told = iter(self._process.stderr.readline, "")
        self._port = next(int(m[1]) for line in told if (m := re.search(r"://.*:(\d+)$", line)))
        threading.Thread(target=self._process.stderr.read, daemon=True).start()
        if not self._job:
            (principal,) = self._get("/v1.0/servicePrincipals")
            jobs = JOBS.format(principal["id"])
            self._job = f"{jobs}/{self._get(jobs)[0]['id']}"

    def _provisor(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "provisor", *arguments],
            cwd=self.folder,
            env={**os.environ, "APP_TOKEN": "unused", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def stop(self) -> None:
        """Kill it: whatever it was at is not finished."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdout, self._process.stderr):
                assert stream is not None
                with contextlib.suppress(ValueError):
                    stream.close()
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    # hands

    def found(self, staff: Staff) -> None:
        self.start()
        self._ids = {id: id for id in staff.people}
        self._push_all(staff.people.values())

    def become(self, before: Staff, after: Staff) -> None:
        """Who is hired again under his old name is to HR the one he was; who left is inactive."""
        said = between(before, after)
        called = {person.user_name: person for person in said.gone_people}
        for person in said.new_people:
            again = called.pop(person.user_name, None)
            self._ids[person.id] = self._ids[again.id] if again else person.id
        left = [replace(person, is_enabled=False) for person in called.values()]
        self._push_all([*said.new_people, *(new for _, new in said.changed), *left])

    def anchors(self, staff: Staff) -> Mapping[str, str]:
        return {id: self._ids[id] for id in staff.people}

    def _push_all(self, people: Iterable[Person]) -> None:
        listed = [self._body(person) for person in people]
        self.chance.shuffle(listed)
        cut = range(0, len(listed), AT_ONCE)
        self._today = [listed[first : first + AT_ONCE] for first in cut]
        for number, portion in enumerate(self._today, 1):
            if number in KILLED_AT:
                self._begin(portion)
                self.restart()
            for _ in range(2 if number % 3 == 0 else 1):
                self._push(portion)

    def _body(self, person: Person) -> dict[str, Any]:
        """Say of what somebody has not that he has not: what is left out stays."""
        said = user_body(person, self._ids) | {"externalId": self._ids[person.id]}
        return {"title": None, **said}

    def _push(self, portion: Portion) -> None:
        while True:
            connection = self._begin(portion)
            with contextlib.closing(connection):
                answer = connection.getresponse()
                answer.read()
            if answer.status != 429:
                assert answer.status == 202
                return
            time.sleep(int(answer.headers["Retry-After"]))

    def _begin(self, portion: Portion) -> http.client.HTTPConnection:
        """Send a portion, and do not wait for the answer."""
        operations = [
            {"method": "POST", "bulkId": str(number), "path": "/Users", "data": one}
            for number, one in enumerate(portion)
        ]
        return self._ask({"schemas": [BULK], "Operations": operations, "failOnErrors": None})

    def _ask(self, body: object, *, length: int | None = None) -> http.client.HTTPConnection:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/scim+json",
            "Content-Length": str(length or len(content)),
        }
        connection.request("POST", f"{self._job}/bulkUpload", content, headers)
        return connection

    def _get(self, path: str) -> list[dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {self._token}"})
            said = json.loads(connection.getresponse().read())
        return cast("list[dict[str, Any]]", said["value"])

    # what may happen

    @contextmanager
    def cut_after(self, step: int) -> Generator[None]:
        """Push all of the day once more while a cycle reads, and be killed amidst it."""

        def push() -> None:
            for portion in self._today[: 2 * step]:
                self._push(portion)
            self._begin(self._today[-1])
            self.restart()

        pushing = threading.Thread(target=push)
        pushing.start()
        yield
        pushing.join(PATIENCE_S)

    def back_up(self) -> Callable[[], None] | None:
        return None

    def lies(self) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
        known = self._today[-1][0]
        gone = {**known, "active": False}
        whole = {"method": "POST", "bulkId": "1", "path": "/Users", "data": gone}
        nobody = {**whole, "bulkId": "2", "data": {"active": False}}
        many = [{**whole, "bulkId": str(number)} for number in range(AT_ONCE + 1)]
        bodies: dict[str, object] = {
            "too many at once": {"schemas": [BULK], "Operations": many},
            "one of two says of nobody": {"schemas": [BULK], "Operations": [whole, nobody]},
            "another kind of message": {"schemas": [], "Operations": [whole]},
            "no JSON": json.dumps({"schemas": [BULK], "Operations": [whole]}).encode()[:-1],
        }
        refused = {name: partial(self._refused, body) for name, body in bodies.items()}
        return {**refused, "a push that breaks off": self._broken_off}

    @contextmanager
    def _refused(self, body: object) -> Generator[None]:
        with contextlib.closing(self._ask(body)) as connection:
            assert connection.getresponse().status == 400
        yield

    @contextmanager
    def _broken_off(self) -> Generator[None]:
        gone = {**self._today[-1][0], "active": False}
        operation = {"method": "POST", "bulkId": "1", "path": "/Users", "data": gone}
        content = json.dumps({"schemas": [BULK], "Operations": [operation]}).encode()
        self._ask(content[:-20], length=len(content)).close()
        yield
