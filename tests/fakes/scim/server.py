"""The server: `python -m tests.fakes.scim.server --port 8000 --switch rate=25`.

It prints a line of JSON with its port when it listens. `POST /__control` with one of the commands
of `Fake.obey` changes it while it runs; with `--obey` it takes them from standard input too, and
ends with it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import sys
import time
import zlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from tests.fakes.scim import appearance
from tests.fakes.scim.http import Connection, Incoming, Outgoing
from tests.fakes.scim.patching import BadPatch, member_ids, patched
from tests.fakes.scim.store import InvalidFilter, Resource, Store, Taken
from tests.fakes.scim.switches import Fault, Switches

HOST = "127.0.0.1"
BASE = "/scim/v2"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Logged:
    """One request, and what came of it."""

    method: str
    path: str
    """Below the base, as it came."""
    query: str
    body: str
    status: int
    effect: str
    """What it did: `created 7`, `changed 7`, `deleted 7`; empty for nothing."""
    is_lost: bool = False
    """Its answer was never sent."""
    headers: Mapping[str, str] | None = None

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return " ".join(part for part in (self.method, self.path + query, self.body) if part)


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, detail: str = "", scim_type: str = "") -> None:
        super().__init__(detail)
        self.status, self.scim_type = status, scim_type


class Fake:
    """What the server is, apart from its socket."""

    def __init__(self, switches: Switches | None = None, log_file: Path | None = None) -> None:
        self.switches = switches or Switches()
        self.store = Store()
        self.log: list[Logged] = []
        self.keeps_log = True
        self._log_file = log_file.open("ab") if log_file else None
        self._faults: list[Fault] = []
        self._used: dict[int, int] = {}
        self._tokens: dict[str, int] = {}
        self._allowance, self._allowed_at = 0.0, 0.0
        self._invisible: dict[str, int] = {}

    # commands

    def obey(self, command: Mapping[str, Any]) -> Mapping[str, object]:
        """Carry out `reset`, `switch`, `misbehave`, `resources`, `log`, `put`."""
        match command["do"]:
            case "reset":
                self.reset()
            case "switch":
                self.switches.set(command["switches"])
            case "misbehave":
                self.misbehave(*(Fault(**fault) for fault in command["faults"]))
            case "resources":
                held = self.store.resources
                return {name: list(resources.values()) for name, resources in held.items()}
            case "log":
                return {"requests": [asdict(logged) for logged in self.log]}
            case "put":
                id = self.store.new_id()
                self.store.put(command["endpoint"], id, command["resource"])
                return {"id": id}
            case unknown:
                raise ValueError(unknown)
        return {}

    def reset(self) -> None:
        """Be as on the first day."""
        self.switches.set(asdict(Switches()))
        self.store = Store()
        self.log.clear()
        self._tokens.clear()
        self._invisible.clear()
        self.misbehave()

    def misbehave(self, *faults: Fault) -> None:
        """Fail like this from now on; not at all, if nothing is given."""
        self._faults, self._used = list(faults), {}

    @property
    def tokens_issued(self) -> int:
        return len(self._tokens)

    def take_tokens_of(self, issuer: Fake) -> None:
        """Believe the tokens of another server, and only those."""
        if issuer is self:
            self._tokens = {}
            return
        issuer.switches.token_life = self.switches.token_life
        self._tokens = issuer._tokens

    def says(self, endpoint: str) -> list[Resource]:
        """Return all resources of an endpoint, in the order of their creation."""
        return list(self.store.resources[endpoint].values())

    def requests(self, *methods: str) -> list[str]:
        """Return what was asked, as `METHOD path?query body`; nothing about discovery."""
        asked = [r for r in self.log if r.path.strip("/") not in DISCOVERY]
        return [str(logged) for logged in asked if not methods or logged.method in methods]

    # requests

    def answer(self, incoming: Incoming) -> Outgoing:
        """Answer one request, in whatever way the switches want it."""
        if incoming.target == "/__control":
            return Outgoing(200, _encode(self.obey(json.loads(incoming.body))))
        path, _, query = incoming.target.partition("?")
        if path == "/token":
            return self._token(incoming)
        faults = list(self._fitting(incoming))
        effect = ""
        outgoing = self._before(incoming, faults)
        if outgoing is None:
            outgoing, effect = self._handled(incoming, path.removeprefix(BASE), query)
            outgoing = _after(outgoing, faults)
        self._dress(outgoing)
        self._note(incoming, path.removeprefix(BASE), query, outgoing, effect)
        return outgoing

    def _fitting(self, incoming: Incoming) -> Iterable[Fault]:
        for number, fault in enumerate(self._faults):
            fits = (
                fault.method in ("", incoming.method)
                and fault.path in unquote(incoming.target)
                and fault.body in incoming.body.decode("utf-8", "replace")
            )
            if fits and (fault.times is None or self._used.get(number, 0) < fault.times):
                self._used[number] = self._used.get(number, 0) + 1
                yield fault

    def _before(self, incoming: Incoming, faults: Iterable[Fault]) -> Outgoing | None:
        """Return what is answered without doing anything; None, if nothing stands in the way."""
        if self.switches.is_off:
            return Outgoing(0, is_dropped=True)
        if address := self.switches.redirects_to:
            self.switches.redirects_max -= 1
            if self.switches.redirects_max == 0:
                self.switches.redirects_to = ""
            return Outgoing(307, headers={"Location": address})
        if not self.switches.echoes and not self._may_enter(incoming):
            return self._error(Refusal(401, "the token is not valid"))
        if self._is_too_fast():
            refusal = self._error(Refusal(429, "too many requests"))
            return _with_retry_after(refusal, self.switches.retry_after)
        if self.switches.echoes:
            headers = " ".join(incoming.headers.values())
            body = incoming.body.decode("utf-8", "replace")
            return self._error(Refusal(400, f"{incoming.target} {headers} {body}"))
        for fault in faults:
            if fault.what == "reset":
                return Outgoing(0, is_dropped=True)
            if fault.what in ("refuse", "throttle"):
                is_throttle = fault.what == "throttle" and fault.status == 500
                status = 429 if is_throttle else fault.status
                refusal = self._error(Refusal(status, "not now", fault.scim_type), fault.is_html)
                return _with_retry_after(refusal, fault.retry_after)
        return None

    def _may_enter(self, incoming: Incoming) -> bool:
        given = incoming.headers.get("authorization", "")
        scheme, _, proof = given.partition(" ")
        if self._tokens.get(proof, 0) > 0:
            self._tokens[proof] -= 1
            return True
        wanted = self.switches.token
        if not wanted:
            return not self.switches.token_life
        encoded = base64.b64encode(wanted.encode()).decode()
        return (scheme, proof) in (("Bearer", wanted), ("Basic", encoded))

    def _token(self, incoming: Incoming) -> Outgoing:
        if self.switches.token_status != 200:
            outgoing = Outgoing(self.switches.token_status, b'{"error":"invalid_client"}')
        else:
            token = f"issued-{len(self._tokens) + 1}"
            self._tokens[token] = self.switches.token_life or 10**9
            said = {"access_token": token, "token_type": "bearer", "expires_in": 3_600}
            outgoing = Outgoing(200, _encode(said))
        self._note(incoming, "/token", "", outgoing, "")
        return outgoing

    def _is_too_fast(self) -> bool:
        rate = self.switches.rate
        if not rate:
            return False
        now = time.monotonic()
        most = rate * self.switches.burst
        if not self._allowed_at:
            self._allowance, self._allowed_at = most, now
        self._allowance = min(self._allowance + (now - self._allowed_at) * rate, most)
        self._allowed_at = now
        if self._allowance < 1:
            return True
        self._allowance -= 1
        return False

    def _handled(self, incoming: Incoming, path: str, query: str) -> tuple[Outgoing, str]:
        try:
            return self._route(incoming, path, query)
        except Refusal as refusal:
            return self._error(refusal), ""
        except BadPatch as error:
            return self._error(Refusal(400, str(error), error.scim_type)), ""
        except InvalidFilter as error:
            return self._error(Refusal(400, f"filter {error}", "invalidFilter")), ""
        except Taken as error:
            return self._error(Refusal(409, str(error), "uniqueness")), ""

    def _route(self, incoming: Incoming, path: str, query: str) -> tuple[Outgoing, str]:
        is_scim = incoming.headers.get("content-type", "").startswith("application/scim+json")
        if is_scim and self.switches.wants_plain_json:
            raise Refusal(415, "application/json is wanted")
        if incoming.method == self.switches.forbidden:
            raise Refusal(403, "not allowed")
        endpoint, _, id = path.strip("/").partition("/")
        if endpoint in DISCOVERY and self.switches.has_discovery:
            return Outgoing(200, _encode(appearance.discovery(self.switches)[f"/{endpoint}"])), ""
        if endpoint not in self.store.resources:
            raise Refusal(404, f"no endpoint {endpoint!r}")
        if len(incoming.body) > (self.switches.body_max or len(incoming.body)):
            raise Refusal(413, "too large")
        asked = {name: values[0] for name, values in parse_qs(query, True).items()}
        if not id and incoming.method == "GET":
            return self._list(endpoint, asked), ""
        if not id and incoming.method == "POST":
            return self._create(endpoint, json.loads(incoming.body))
        if not id:
            raise Refusal(405, "not here")
        return self._one(incoming, endpoint, unquote(id), asked)

    def _one(
        self, incoming: Incoming, endpoint: str, id: str, asked: Mapping[str, str]
    ) -> tuple[Outgoing, str]:
        resource = self.store.resources[endpoint].get(id)
        if resource is None or self._is_invisible(id, resource):
            raise Refusal(404, f"no resource {id}")
        self._check_version(incoming, resource)
        match incoming.method:
            case "GET" if self.switches.answers_with_all:
                return self._list(endpoint, asked), ""
            case "GET":
                return self._show(200, resource, asked), ""
            case "DELETE":
                self.store.delete(endpoint, id)
                return Outgoing(204), f"deleted {id}"
            case "PUT":
                body = json.loads(incoming.body)
                if self.switches.keeps_members and "members" in resource:
                    body = {**body, "members": resource["members"]}
                elif self.switches.keeps_members:
                    body.pop("members", None)
                return self._change(endpoint, id, body, 200)
            case "PATCH":
                return self._patch(endpoint, id, resource, json.loads(incoming.body))
            case method:
                raise Refusal(405, f"no {method}")

    def _is_invisible(self, id: str, resource: Resource) -> bool:
        left = self._invisible.get(id, 0)
        self._invisible[id] = left - 1
        is_inactive = self.switches.inactive_is_gone and resource.get("active") is False
        return left > 0 or is_inactive

    def _check_version(self, incoming: Incoming, resource: Resource) -> None:
        if incoming.method not in ("PATCH", "PUT"):
            return
        given = incoming.headers.get("if-match")
        if self.switches.precondition_fails:
            self.switches.precondition_fails -= 1
            raise Refusal(412, "it was changed")
        if self.switches.needs_version and given is None:
            raise Refusal(428, "If-Match is wanted")
        if given is not None and given != resource["meta"]["version"]:
            raise Refusal(412, "it was changed")

    def _create(self, endpoint: str, body: Resource) -> tuple[Outgoing, str]:
        if self.switches.conflict_on_post:
            raise Refusal(409, "somebody nobody sees has it", "uniqueness")
        id = self.store.new_id()
        held = self.store.put(endpoint, id, self._kept(body))
        if self.switches.invisible_reads:
            self._invisible[id] = self.switches.invisible_reads
        outgoing = self._show(201, held, {})
        if self.switches.post_without_id:
            outgoing.body = b"{}"
        if self.switches.post_without_body:
            outgoing.body = b""
        if not self.switches.post_without_location:
            outgoing.headers["Location"] = f"{BASE}/{endpoint}/{id}"
        return outgoing, f"created {id}"

    def _patch(
        self, endpoint: str, id: str, resource: Resource, body: Resource
    ) -> tuple[Outgoing, str]:
        if not self.switches.has_patch:
            raise Refusal(self.switches.no_patch_status, "no PATCH here")
        operations = body["Operations"]
        if self.switches.checks_members:
            known = {*self.store.resources["Users"], *self.store.resources["Groups"]}
            for member in member_ids(operations, adds=True):
                if member not in known:
                    raise Refusal(400, f"member {member} does not exist", "invalidValue")
        after = patched(resource, operations, self.switches)
        status = self.switches.patch_status
        outgoing, effect = self._change(endpoint, id, after, status)
        if self.switches.answers_in_part and outgoing.body:
            outgoing.body = _encode({"id": id, "schemas": after["schemas"]})
        return outgoing, effect

    def _change(self, endpoint: str, id: str, body: Resource, status: int) -> tuple[Outgoing, str]:
        held = self.store.put(endpoint, id, self._kept(body))
        return self._show(status, held, {"excludedAttributes": "members"}), f"changed {id}"

    def _kept(self, body: Resource) -> Resource:
        kept = {name: value for name, value in body.items() if name not in self.switches.drops}
        if self.switches.lowers_names and "userName" in kept:
            kept["userName"] = kept["userName"].lower()
        return kept

    def _show(self, status: int, resource: Resource, asked: Mapping[str, str]) -> Outgoing:
        headers: dict[str, str] = {}
        if self.switches.has_versions:
            headers["ETag"] = resource["meta"]["version"]
        if status in (202, 204):
            return Outgoing(status, headers=headers)
        is_group = resource["meta"]["resourceType"] == "Group"
        without = is_group and "members" in asked.get("excludedAttributes", "")
        said = appearance.shown(resource, self.switches, without_members=without)
        said.pop("password", None)
        return Outgoing(status, _encode(said), headers)

    # lists

    def _list(self, endpoint: str, asked: Mapping[str, str]) -> Outgoing:
        without = "members" in asked.get("excludedAttributes", "")
        without = without or not self.switches.members_in_lists
        found = list(self._found(endpoint, asked.get("filter", "")))
        count = int(asked.get("count", "100"))
        if cursor := asked.get("cursor"):
            self._check_cursor(cursor)
        start = int(asked.get("cursor") or asked.get("startIndex") or "1")
        listed, frame = appearance.page(found, start, count, self.switches)
        said = [appearance.shown(r, self.switches, without_members=without) for r in listed]
        if self.switches.has_cursors and start - 1 + len(listed) < len(found):
            frame["nextCursor"] = str(start + len(listed))
            if self.switches.repeats_cursor and start > 1:
                frame["nextCursor"] = str(start)
        if self.switches.bare_resource and len(said) == 1:
            return Outgoing(200, _encode(said[0]))
        if not said and self.switches.empty_is_404:
            raise Refusal(404, "nothing found")
        if said or not self.switches.no_resources:
            frame["Resources"] = said or ([None] if self.switches.null_element else [])
        return Outgoing(200, _encode(frame))

    def _check_cursor(self, cursor: str) -> None:
        if self.switches.cursors_expire:
            self.switches.cursors_expire -= 1
            raise Refusal(400, f"the cursor {cursor} is too old", "expiredCursor")

    def _found(self, endpoint: str, text: str) -> Iterable[Resource]:
        held = self.store.resources[endpoint]
        is_hidden = self.switches.hides_inactive
        if text and not self.switches.has_filter:
            raise Refusal(501, "no filters here")
        if text and self.switches.filters_rfc_only and "]." in text:
            raise InvalidFilter(text)
        searched = text and not self.switches.ignores_filter
        found = self.store.search(endpoint, text) if searched else held.values()
        return (r for r in found if not (is_hidden and r.get("active") is False))

    # how it is said

    def _error(self, refusal: Refusal, is_html: bool = False) -> Outgoing:
        if is_html or self.switches.html_errors:
            body = f"<html><h1>Error {refusal.status}</h1><p>{refusal}</p></html>".encode()
            return Outgoing(refusal.status, body, {"Content-Type": "text/html"})
        said: Resource = {"schemas": [ERROR], "status": str(refusal.status), "detail": str(refusal)}
        if refusal.scim_type:
            said["scimType"] = refusal.scim_type
        return Outgoing(refusal.status, _encode(said))

    def _dress(self, outgoing: Outgoing) -> None:
        outgoing.headers.setdefault("Content-Type", self.switches.content_type)
        if self.switches.has_date:
            outgoing.headers.setdefault("Date", format_datetime(datetime.now(UTC), usegmt=True))
        if self.switches.hashes_answers:
            outgoing.headers["ETag"] = f'W/"{zlib.crc32(outgoing.body):x}"'
        outgoing.delay_s = outgoing.delay_s or self.switches.latency_s
        if self.switches.has_bom and outgoing.body:
            outgoing.body = b"\xef\xbb\xbf" + outgoing.body

    def _note(
        self, incoming: Incoming, path: str, query: str, outgoing: Outgoing, effect: str
    ) -> None:
        logged = Logged(
            incoming.method,
            path,
            query,
            incoming.body.decode("utf-8", "replace"),
            outgoing.status,
            effect,
            outgoing.is_dropped or outgoing.is_stalled,
            incoming.headers,
        )
        if self.keeps_log:
            self.log.append(logged)
        if self._log_file is not None:
            said = {name: getattr(logged, name) for name in LOGGED}
            self._log_file.write(_encode(said) + b"\n")
            self._log_file.flush()


DISCOVERY = ("ServiceProviderConfig", "ResourceTypes", "Schemas")
LOGGED = ("method", "path", "query", "body", "status", "effect", "is_lost")


def _after(outgoing: Outgoing, faults: Iterable[Fault]) -> Outgoing:
    """Spoil the answer to what was done already."""
    for fault in faults:
        if fault.what == "fail_after":
            return Outgoing(fault.status, b"", {"Content-Type": "text/plain"})
        outgoing.is_dropped = outgoing.is_dropped or fault.what == "lose"
        outgoing.is_stalled = outgoing.is_stalled or fault.what == "stall"
    return outgoing


def _with_retry_after(outgoing: Outgoing, retry_after: str) -> Outgoing:
    if retry_after == "date":
        outgoing.headers["Retry-After"] = format_datetime(
            datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2), usegmt=True
        )
    elif retry_after:
        outgoing.headers["Retry-After"] = retry_after
    return outgoing


class Server:
    """A fake that listens."""

    def __init__(self, fake: Fake, port: int) -> None:
        self.fake, self.port = fake, port
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}{BASE}"

    @property
    def token_url(self) -> str:
        return f"http://{HOST}:{self.port}/token"

    async def switch_on(self) -> None:
        """Listen; on the same port as before."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.fake.answer, self._connections),
            HOST,
            self.port,
            backlog=512,
            reuse_address=True,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def switch_off(self) -> None:
        """Drop every connection and refuse new ones; what is stored stays."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.drop()
            await self._server.wait_closed()
            self._server = None


@asynccontextmanager
async def running(switches: Switches | None = None) -> AsyncGenerator[Server]:
    """Run a server in this event loop, on a free port."""
    server = Server(Fake(switches), 0)
    await server.switch_on()
    try:
        yield server
    finally:
        await server.switch_off()


async def serve(chosen: argparse.Namespace) -> None:
    """Serve until standard input closes, or for ever."""
    switches = Switches()
    switches.set(dict(pair.partition("=")[::2] for pair in chosen.switch))
    fake = Fake(switches, chosen.access_log)
    fake.keeps_log = not chosen.forget
    server = Server(fake, chosen.port)
    await server.switch_on()
    _say({"port": server.port, "url": server.url})
    if not chosen.obey:
        await asyncio.Event().wait()
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        match command["do"]:
            case "switch_off":
                await server.switch_off()
                answer: object = {}
            case "switch_on":
                await server.switch_on()
                answer = {}
            case _:
                answer = fake.obey(command)
        _say(answer)


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what, default=str) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--access-log", type=Path, help="a line of JSON for each request")
    parser.add_argument("--forget", action="store_true", help="keep no log in memory")
    parser.add_argument("--obey", action="store_true", help="take commands from standard input")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
