"""`provisor serve` in a process of its own, before a target and a source, asked over HTTP."""

from __future__ import annotations

import csv
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from tests.worlds.processes import Server

PATIENCE_S = 90.0
TENANT = "3f7565a3-fde6-4e4d-bda8-1bb70aba3612"
TARGET_TOKEN = "a-token-that-nobody-may-see"
COLUMNS: tuple[str, ...] = ("id", "userName", "displayName", "givenName", "familyName", "mail",
           "department", "jobTitle", "manager", "accountEnabled")  # fmt: skip
CONFIGURATION = """\
tenant:
  id: {tenant}
  defaultDomain: example.com
applications:
  people:
    source: {{connector: csv, settings: {{users: people.csv, settleFor: 0}}}}
    target: {{connector: scim, settings: {{baseAddress: "{url}", token: "{token}"}}}}
jobs:
  people: {{application: people}}
"""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """With names in small letters."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return cast(dict[str, Any], self.json["error"])


@dataclass(slots=True)
class Client:
    """Sends requests as they are told, byte for byte, and knows no manners of its own."""

    port: int
    token: str

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        sent = {"Host": f"127.0.0.1:{self.port}"}
        chosen = self.token if token is None else token
        if chosen:
            sent["Authorization"] = f"Bearer {chosen}"
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {**sent, **(headers or {})}.items():
                connection.putheader(name, value)
            if method not in ("GET", "HEAD") or content:
                connection.putheader("Content-Length", str(len(content)))
            connection.endheaders(content or None)
            answer = connection.getresponse()
            said = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, said, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: object = None) -> Reply:
        return self.send("POST", path, body)

    def put(self, path: str, body: object) -> Reply:
        return self.send("PUT", path, body)

    def patch(self, path: str, body: object) -> Reply:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> Reply:
        return self.send("DELETE", path)


@dataclass
class Served(Client):
    """A server, the workspace behind it, and the target before it."""

    folder: Path
    target: Server
    process: subprocess.Popen[str]
    words: list[str] = field(default_factory=list[str])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def target_url(self) -> str:
        return str(self.target.greeting["url"])

    def users(self) -> dict[str, Any]:
        """Return what the target says, by user name."""
        held = cast(dict[str, list[dict[str, Any]]], self.target.ask("resources"))
        return {str(user["userName"]): user for user in held.get("Users", [])}

    def hire(self, *ids: str, **values: str) -> None:
        write_people(self.folder, ids, values)

    def principal(self, name: str = "Example") -> str:
        """Make an application of its own; return the id of its service principal."""
        gallery = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
        made = self.post(f"/v1.0/applicationTemplates/{gallery}/instantiate", {"displayName": name})
        assert made.status == 201, made.body
        return str(made.json["servicePrincipal"]["id"])

    def token_of(self, *scopes: str) -> str:
        """Make an API key that may do only this."""
        name = "-".join(scopes).lower() or "nothing"
        arguments = [part for scope in scopes for part in ("--scope", scope)]
        made = json.loads(command(self.folder, "token", "create", name, *arguments, "--json"))
        return str(made["token"])


def write_people(folder: Path, ids: tuple[str, ...], values: Mapping[str, str]) -> None:
    """Write the file of people at once: nobody reads half of it."""
    unfinished = folder / ".people.csv.unfinished"
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for id in ids:
            name = id.title()
            row = {
                "id": id,
                "userName": f"{id}@example.com",
                "displayName": f"{name} Example",
                "givenName": name,
                "familyName": "Example",
                "mail": f"{id}@example.com",
                "department": "Sales",
                "jobTitle": "Analyst",
                "manager": "",
                "accountEnabled": "true",
            }
            writer.writerow({**row, **values})
    unfinished.replace(folder / "people.csv")


def command(folder: Path, *arguments: str) -> str:
    """Run a command of the product; return what it says."""
    ended = subprocess.run(
        [sys.executable, "-m", "provisor", "--workspace", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@contextmanager
def target() -> Generator[Server]:
    """Run a SCIM server of ours, which obeys."""
    server = Server(
        "tests.fakes.scim.server", "--obey", "--forget", "--switch", f"token={TARGET_TOKEN}"
    )
    try:
        yield server
    finally:
        server.stop()


def workspace(folder: Path, scim: Server) -> str:
    """Make a workspace in a folder; return a token that may do everything."""
    command(folder, "init")
    write_people(folder, ("ada", "bob"), {})
    text = CONFIGURATION.format(tenant=TENANT, url=scim.greeting["url"], token=TARGET_TOKEN)
    (folder / "provisor.yaml").write_text(text, encoding="utf-8")
    command(folder, "apply", str(folder / "provisor.yaml"))
    return token_for(folder)


def token_for(folder: Path, *before: str) -> str:
    """Make an API key that may do everything; what is said `before` chooses the tenant."""
    scope = ("--scope", "Directory.ReadWrite.All")
    made = command(folder, *before, "token", "create", "all", *scope, "--json")
    return str(json.loads(made)["token"])


@contextmanager
def serving(folder: Path, scim: Server, token: str, *arguments: str) -> Generator[Served]:
    """Serve a workspace on a free port; it answers when this begins."""
    process = subprocess.Popen(
        [sys.executable, "-m", "provisor", "--workspace", str(folder), "serve", "--port", "0",
         *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    words: list[str] = []
    reader = threading.Thread(target=_overhear, args=(process.stderr, words), daemon=True)
    reader.start()
    try:
        port = _port(process, words)
        yield Served(port, token, folder, scim, process, words)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(PATIENCE_S)
        assert process.stderr is not None
        process.stderr.close()


def _overhear(stream: IO[str] | None, words: list[str]) -> None:
    words.extend(stream or ())


def _port(process: subprocess.Popen[str], words: list[str]) -> int:
    found: list[int] = []

    def is_told() -> bool:
        assert process.poll() is None, "".join(words)
        found[:] = [
            int(match[1]) for line in list(words) if (match := re.search(r"://.*:(\d+)$", line))
        ]
        return bool(found)

    wait_until(is_told)
    return found[0]


def wait_until(is_so: Callable[[], object], *, every_s: float = 0.02) -> None:
    """Wait for something that happens elsewhere; fail if it never does."""
    give_up = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < give_up, "this never happened"
        time.sleep(every_s)
