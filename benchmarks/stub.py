"""A SCIM server that does next to nothing, in memory, on loopback: what a client is timed against.

`python -m benchmarks.stub --port 0 --latency-ms 20 --rate 25` prints the port it listens on.
`GET /__stats` tells what was asked of it, `POST /__reset` begins anew. Whatever stands before
`/Users` and `/Groups` in a path is ignored, so that clients with addresses of their own fit.

With `--record FILE` each request is also kept as it lay on the wire, to be sent again by others.
Above `--rate` requests a second it answers 429 with Retry-After, and tells nobody what its rate is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs

HOST = "127.0.0.1"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
CONFIG: dict[str, Any] = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
    "filter": {"supported": True, "maxResults": 1000},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": False},
    "authenticationSchemes": [],
}
KEYS = ("userName", "externalId", "displayName")
NAMING = {"Users": "userName", "Groups": "displayName"}
FILTER = re.compile(r'^\s*([\w.:]+)\s+eq\s+"((?:[^"\\]|\\.)*)"\s*$', re.IGNORECASE)
MEMBER = re.compile(r'^members\[value eq "([^"]+)"\]$', re.IGNORECASE)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
NOT_FOUND: tuple[int, Any] = (404, {"status": "404"})

Resource: TypeAlias = dict[str, Any]
Answered: TypeAlias = tuple[int, Any]


@dataclass
class Store:
    """What was created, and what finds it."""

    resources: dict[str, dict[str, Resource]] = field(
        default_factory=lambda: {kind: {} for kind in NAMING}
    )
    index: dict[tuple[str, str, str], str] = field(default_factory=dict[tuple[str, str, str], str])
    made: int = 0
    order: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Ids by kind, as listed; forgotten whenever one comes or goes."""

    def create(self, kind: str, resource: Resource) -> Answered:
        name = NAMING[kind]
        if (kind, name.lower(), str(resource.get(name, "")).lower()) in self.index:
            return 409, {"scimType": "uniqueness", "status": "409"}
        self.made += 1
        id = f"{kind[0].lower()}{self.made:09d}"
        self.order.pop(kind, None)
        return 201, self.put(kind, id, resource)

    def put(self, kind: str, id: str, resource: Resource) -> Resource:
        resource["id"] = id
        resource["meta"] = {"resourceType": kind[:-1]}
        self.resources[kind][id] = resource
        for key in _keys(kind, resource):
            self.index[key] = id
        return resource

    def remove(self, kind: str, id: str) -> Resource:
        resource = self.resources[kind].pop(id)
        for key in _keys(kind, resource):
            self.index.pop(key, None)
        return resource

    def page(self, kind: str, query: str) -> Answered:
        asked = parse_qs(query)
        start = max(1, int(asked.get("startIndex", ["1"])[0]))
        count = int(asked.get("count", ["100"])[0])
        held = self.resources[kind]
        if "filter" in asked:
            found = FILTER.match(asked["filter"][0])
            if not found:
                return 400, {"scimType": "invalidFilter", "status": "400"}
            id = self.index.get((kind, found[1].lower(), found[2].lower()))
            ids = [id] if id else []
        else:
            if kind not in self.order:
                self.order[kind] = list(held)
            ids = self.order[kind]
        shown = [held[id] for id in ids[start - 1 : start - 1 + count]]
        return 200, {
            "schemas": [LIST],
            "totalResults": len(ids),
            "startIndex": start,
            "itemsPerPage": len(shown),
            "Resources": shown,
        }


def _keys(kind: str, resource: Resource) -> Iterator[tuple[str, str, str]]:
    for name in KEYS:
        value = resource.get(name)
        if isinstance(value, str):
            yield kind, name.lower(), value.lower()
    emails: list[dict[str, Any]] = resource.get("emails", [])
    for email in emails:
        yield kind, "emails.value", str(email["value"]).lower()


def patch(resource: Resource, operations: list[dict[str, Any]]) -> None:
    for operation in operations:
        verb, path = str(operation["op"]).lower(), str(operation.get("path", ""))
        value: Any = operation.get("value")
        member = MEMBER.match(path)
        if not path:
            resource.update(value)
        elif path == "members" or member:
            _patch_members(resource, verb, [{"value": member[1]}] if member else value or [])
        elif verb == "remove":
            resource.pop(path, None)
        elif "." in path and "[" not in path and ":" not in path:
            whole, part = path.split(".", 1)
            resource.setdefault(whole, {})[part] = value
        else:
            resource[path] = value


def _patch_members(resource: Resource, verb: str, values: list[dict[str, Any]]) -> None:
    held: list[dict[str, Any]] = resource.get("members", [])
    members = {m["value"]: m for m in held}
    if verb == "replace" or (verb == "remove" and not values):
        members = {}
    for one in values:
        if verb == "remove":
            members.pop(one["value"], None)
        else:
            members[one["value"]] = one
    resource["members"] = list(members.values())


class Stub:
    """The server, apart from its socket."""

    def __init__(self, rate: float, recording: Path | None = None) -> None:
        self.recording: RawIOBase | None = recording.open("wb", buffering=0) if recording else None
        self.store = Store()
        self.asked = Counter[str]()
        self.rate = rate
        self.tokens, self.filled = rate, time.monotonic()

    def answer(self, method: str, target: str, body: bytes) -> Answered:
        path, _, query = target.partition("?")
        if path == "/__stats":
            held = {kind.lower(): len(found) for kind, found in self.store.resources.items()}
            return 200, {"requests": self.asked, "total": self.asked.total(), **held}
        if path == "/__reset":
            self.store = Store()
            self.asked.clear()
            return 200, {}
        if self.rate and not self._admits():
            self.asked["429"] += 1
            return 429, {"status": "429"}
        if path.endswith("/ServiceProviderConfig"):
            self.asked["GET ServiceProviderConfig"] += 1
            return 200, CONFIG
        kind = "Users" if "/Users" in path else "Groups" if "/Groups" in path else None
        if kind is None:
            return NOT_FOUND
        self.asked[f"{method} {kind}"] += 1
        id = path.rsplit(f"/{kind}", 1)[1].strip("/")
        return self._of_kind(method, kind, id, query, json.loads(body) if body else None)

    def _of_kind(self, method: str, kind: str, id: str, query: str, content: Any) -> Answered:
        store = self.store
        if method == "POST":
            return store.create(kind, content)
        if method == "GET" and not id:
            return store.page(kind, query)
        if id not in store.resources[kind]:
            return NOT_FOUND
        if method == "GET":
            return 200, store.resources[kind][id]
        resource = store.remove(kind, id)
        if method == "DELETE":
            store.order.pop(kind, None)
            return 204, None
        if method == "PATCH":
            patch(resource, content["Operations"])
        return 200, store.put(kind, id, resource if method == "PATCH" else content)

    def _admits(self) -> bool:
        now = time.monotonic()
        self.tokens = min(self.rate, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Connection(asyncio.Protocol):
    """One connection: a request is answered before the next one is read."""

    def __init__(self, stub: Stub, latency_s: float) -> None:
        self._stub, self._latency_s = stub, latency_s
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(buffer) < whole:
                break
            method, target, _ = buffer[: buffer.index(b"\r\n")].decode("latin-1").split(" ", 2)
            if self._stub.recording and not target.startswith("/__"):
                self._stub.recording.write(buffer[:whole])
            self._answer(method, target, buffer[end + 4 : whole])
            buffer = buffer[whole:]
        self._buffer = buffer

    def _answer(self, method: str, target: str, body: bytes) -> None:
        if self._latency_s and not target.startswith("/__"):
            loop = asyncio.get_running_loop()
            loop.call_later(self._latency_s, self._answer_now, method, target, body)
        else:
            self._answer_now(method, target, body)

    def _answer_now(self, method: str, target: str, body: bytes) -> None:
        status, content = self._stub.answer(method, target, body)
        sent = b"" if content is None else json.dumps(content, separators=(",", ":")).encode()
        more = "Retry-After: 1\r\n" if status == 429 else ""
        head = (
            f"HTTP/1.1 {status} X\r\nContent-Type: application/scim+json\r\n{more}"
            f"Content-Length: {len(sent)}\r\n\r\n"
        )
        self._transport.write(head.encode() + sent)


async def serve(port: int, latency_s: float, rate: float, recording: Path | None) -> None:
    stub = Stub(rate, recording)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(stub, latency_s), HOST, port, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--record", type=Path)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.port, chosen.latency_ms / 1000, chosen.rate, chosen.record))
