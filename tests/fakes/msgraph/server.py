"""The server: users, groups and their delta queries, over real HTTP.

What it tells of changes is what the documentation promises and no more: a patch holds what changed,
a group may come on several pages, and with the right switch rounds repeat what earlier ones told.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs, unquote

from tests.fakes.scim.http import Incoming, Outgoing
from tests.fakes.scim.server import Fake, Refusal
from tests.fakes.scim.switches import Switches

BASE = "/v1.0"
TYPES = {"users": "#microsoft.graph.user", "groups": "#microsoft.graph.group"}
UNIQUE = {"users": "userPrincipalName", "groups": ""}
Object = dict[str, Any]


@dataclass
class Change:
    """One thing that happened."""

    endpoint: str
    id: str
    names: tuple[str, ...] = ()
    """Properties that changed."""
    member: str = ""
    is_added: bool = False
    removed: str = ""
    """The reason of a removal."""


@dataclass(kw_only=True)
class Manners:
    """What the real one is known for, beyond the faults of any server."""

    members_per_page: int = 0  # a group is split over pages
    repeats: int = 0  # so many of the last changes are told again in the next round
    is_reversed: bool = False  # objects come in another order
    expired: bool = False  # 410 for delta tokens
    lost_rounds: int = 0  # so often it answers 410 within a round
    resync_at: str = ""  # the Location of that 410
    leads_to: str = ""  # the next link leads elsewhere
    repeats_link: bool = False
    has_no_end: bool = False  # the last page has neither link
    stale_removals: list[str] = field(default_factory=list[str])
    """Users of whom an old removal is told again."""


class GraphFake(Fake):
    """A tenant."""

    def __init__(self, switches: Switches | None = None) -> None:
        super().__init__(switches)
        self.held: dict[str, dict[str, Object]] = {"users": {}, "groups": {}}
        self.deleted: dict[str, Object] = {}
        self.manners = Manners()
        self.changes: list[Change] = []
        self.origin = ""
        self._rounds: dict[str, tuple[list[Object], int, int]] = {}
        self._numbers = itertools.count(1)

    # hands

    def put(self, endpoint: str, id: str, said: Mapping[str, Any]) -> Object:
        """Let an object say this, beside what it says already."""
        held = self.held[endpoint].get(id)
        names = tuple(n for n, v in said.items() if held is None or held.get(n) != v)
        if held is None:
            held = self.held[endpoint][id] = {"id": id, "members": {}, "manager": None}
            names = (*names, "id")
        held.update(said)
        if names:
            self.changes.append(Change(endpoint, id, names))
        return held

    def join(self, group: str, member: str, *, leaves: bool = False) -> None:
        members = self.held["groups"][group]["members"]
        if leaves == (member in members):
            if leaves:
                del members[member]
            else:
                members[member] = "groups" if member in self.held["groups"] else "users"
            self.changes.append(Change("groups", group, (), member, not leaves))

    def remove(self, endpoint: str, id: str, reason: str = "deleted") -> None:
        """Remove an object: `changed` keeps it for a while, and its memberships."""
        self.deleted[id] = {**self.held[endpoint].pop(id), "endpoint": endpoint}
        self.changes.append(Change(endpoint, id, removed=reason))
        for group in self.held["groups"].values() if reason == "deleted" else ():
            group["members"].pop(id, None)  # and no delta of the group tells it

    def restore(self, id: str) -> None:
        held = self.deleted.pop(id)
        self.held[held.pop("endpoint")][id] = held
        endpoint = "users" if id in self.held["users"] else "groups"
        self.changes.append(Change(endpoint, id, tuple(held)))

    # requests

    def _route(self, incoming: Incoming, path: str, query: str) -> tuple[Outgoing, str]:
        asked = {name: values[0] for name, values in parse_qs(query, True).items()}
        parts = [unquote(part) for part in path.removeprefix(BASE).strip("/").split("/")]
        body = cast(Object, json.loads(incoming.body)) if incoming.body else {}
        method = incoming.method
        if method == self.switches.forbidden:
            raise Refusal(403, "Insufficient privileges to complete the operation.")
        match method, *parts:
            case "GET", ("users" | "groups") as endpoint, "delta":
                return self._delta(endpoint, asked, incoming), ""
            case "GET", ("users" | "groups") as endpoint:
                return self._found_all(endpoint, asked, incoming), ""
            case "GET", "groups", id, "members":
                return self._members(id, asked), ""
            case "GET", "users", id, "manager":
                manager = self._found_one("users", id)["manager"]
                if not manager:
                    raise Refusal(404, "Resource 'manager' does not exist.")
                return _json({"@odata.type": TYPES["users"], "id": manager}), ""
            case "GET", ("users" | "groups") as endpoint, id:
                return _json(self._shown(self._found_one(endpoint, id), asked)), ""
            case "POST", ("users" | "groups") as endpoint:
                return self._create_one(endpoint, body)
            case "PATCH", ("users" | "groups") as endpoint, id:
                return self._patch_one(endpoint, id, body)
            case "DELETE", ("users" | "groups") as endpoint, id:
                self._found_one(endpoint, id)
                self.remove(endpoint, id, "changed")
                return Outgoing(204), f"deleted {id}"
            case "PUT", "users", id, "manager", "$ref":
                manager = str(body["@odata.id"]).rpartition("/")[2]
                self._found_one("users", id)
                self._found_one("users", manager)
                self.put("users", id, {"manager": manager})
                return Outgoing(204), f"changed {id}"
            case "DELETE", "users", id, "manager", "$ref":
                if not self._found_one("users", id)["manager"]:
                    raise Refusal(404, "Resource 'manager' does not exist.")
                self.put("users", id, {"manager": None})
                return Outgoing(204), f"changed {id}"
            case "DELETE", "groups", id, "members", member, "$ref":
                if member not in self._found_one("groups", id)["members"]:
                    raise Refusal(404, f"Resource '{member}' does not exist.")
                self.join(id, member, leaves=True)
                return Outgoing(204), f"changed {id}"
            case _:
                raise Refusal(400, f"Resource not found for the segment '{parts[-1]}'.")

    def _found_one(self, endpoint: str, id: str) -> Object:
        held = self.held[endpoint].get(id)
        if held is None:
            raise Refusal(404, f"Resource '{id}' does not exist.")
        return held

    def _shown(self, held: Object, asked: Mapping[str, str]) -> Object:
        hidden = ("members", "manager", "passwordProfile")
        names = ("id", *asked["$select"].split(",")) if asked.get("$select") else held
        said: Object = {name: held.get(name) for name in names if name not in hidden}
        if asked.get("$expand") == "manager($select=id)" and held["manager"]:
            said["manager"] = _pointed(held["manager"], "users")
        return said

    def _found_all(self, endpoint: str, asked: Mapping[str, str], incoming: Incoming) -> Outgoing:
        found = list(self.held[endpoint].values())
        if text := asked.get("$filter", ""):
            if self.switches.ignores_filter:
                text = ""
            name, _, literal = text.partition(" eq ")
            wanted: Any = literal[1:-1].replace("''", "'") if literal[:1] == "'" else literal
            found = [h for h in found if not text or _is(h.get(name), wanted)]
        size = int(asked.get("$top", "100"))
        first = int(asked.get("$skiptoken", "0"))
        said: Object = {"value": [self._shown(h, asked) for h in found[first : first + size]]}
        if asked.get("$count") == "true":
            if incoming.headers.get("consistencylevel") != "eventual":
                raise Refusal(400, "$count needs ConsistencyLevel: eventual")
            said["@odata.count"] = len(found)
        if first + size < len(found):
            kept = "&".join(f"{n}={v}" for n, v in asked.items() if n != "$skiptoken")
            said["@odata.nextLink"] = self._link(f"{endpoint}?{kept}&$skiptoken={first + size}")
        return _json(said)

    def _members(self, id: str, asked: Mapping[str, str]) -> Outgoing:
        members = list(self._found_one("groups", id)["members"].items())
        size, first = int(asked.get("$top", "100")), int(asked.get("$skiptoken", "0"))
        page = members[first : first + size]
        said: Object = {"value": [{"@odata.type": TYPES[kind], "id": m} for m, kind in page]}
        if first + size < len(members):
            query = f"$top={size}&$skiptoken={first + size}"
            said["@odata.nextLink"] = self._link(f"groups/{id}/members?{query}")
        return _json(said)

    def _link(self, rest: str) -> str:
        return f"{self.origin}{BASE}/{rest}"

    # writing

    def _create_one(self, endpoint: str, body: Object) -> tuple[Outgoing, str]:
        id = str(uuid.UUID(int=next(self._numbers)))
        self._check(endpoint, id, body)
        manager = str(body.pop("manager@odata.bind", "")).rpartition("/")[2] or None
        held = self.put(endpoint, id, {**body, "manager": manager})
        return _json(self._shown(held, {}), 201), f"created {id}"

    def _patch_one(self, endpoint: str, id: str, body: Object) -> tuple[Outgoing, str]:
        self._found_one(endpoint, id)
        self._check(endpoint, id, body)
        bound = cast(Sequence[str], body.pop("members@odata.bind", ()))
        if len(bound) > 20:
            raise Refusal(400, "The number of members is larger than 20.")
        new = [address.rpartition("/")[2] for address in bound]
        for member in new:
            if member not in self.held["users"] and member not in self.held["groups"]:
                raise Refusal(404, f"Resource '{member}' does not exist.")
            if member in self.held["groups"][id]["members"]:
                raise Refusal(400, "One or more added object references already exist.")
        for member in new:
            self.join(id, member)
        self.put(endpoint, id, body)
        return Outgoing(204), f"changed {id}"

    def _check(self, endpoint: str, id: str, body: Object) -> None:
        name = UNIQUE[endpoint]
        for other in self.held[endpoint].values() if name and name in body else ():
            if other["id"] != id and _is(other.get(name), body[name]):
                raise Refusal(
                    400, f"Another object with the same value for property {name} already exists."
                )

    # delta

    def _delta(self, endpoint: str, asked: Mapping[str, str], incoming: Incoming) -> Outgoing:
        if token := asked.get("$skiptoken"):
            if self.manners.lost_rounds:
                self.manners.lost_rounds -= 1
                return self._gone(endpoint)
            name, _, page = token.partition(".")
            patches, end, size = self._rounds[name]
            return self._page(endpoint, name, patches, end, size, int(page))
        preferred = incoming.headers.get("prefer", "").partition("maxpagesize=")[2]
        since = asked.get("$deltatoken")
        if since and self.manners.expired:
            return self._gone(endpoint)
        patches = self._all(endpoint) if not since else self._told(endpoint, since)
        if self.manners.is_reversed:
            patches.reverse()
        name = f"r{next(self._numbers)}"
        self._rounds[name] = (patches, len(self.changes), int(preferred or "100"))
        return self._page(endpoint, name, *self._rounds[name], 0)

    def _gone(self, endpoint: str) -> Outgoing:
        outgoing = _json(
            {"error": {"code": "syncStateNotFound", "message": "Resync required."}}, 410
        )
        again = self._link(f"{endpoint}/delta?$deltatoken=")
        outgoing.headers["Location"] = self.manners.resync_at or again
        return outgoing

    def _told(self, endpoint: str, since: str) -> list[Object]:
        return [] if since == "latest" else self._since(endpoint, int(since))

    def _page(
        self, endpoint: str, name: str, patches: list[Object], end: int, size: int, page: int
    ) -> Outgoing:
        said: Object = {"value": patches[page * size : (page + 1) * size]}
        if (page + 1) * size < len(patches):
            following = page if self.manners.repeats_link and page else page + 1
            token = f"{endpoint}/delta?$skiptoken={name}.{following}"
            said["@odata.nextLink"] = self.manners.leads_to or self._link(token)
        elif not self.manners.has_no_end:
            token = max(end - self.manners.repeats, 0)
            said["@odata.deltaLink"] = self._link(f"{endpoint}/delta?$deltatoken={token or '00'}")
        return _json(said)

    def _all(self, endpoint: str) -> list[Object]:
        found: list[Object] = []
        for held in self.held[endpoint].values():
            patch = {n: v for n, v in held.items() if n not in ("members", "manager")}
            if held["manager"]:
                patch["manager@delta"] = [_pointed(held["manager"], "users")]
            members = [_pointed(id, kind) for id, kind in held["members"].items()]
            size = self.manners.members_per_page or len(members) or 1
            if members:
                patch["members@delta"] = members[:size]
            found.append(patch)
            for first in range(size, len(members), size):
                found.append({"id": held["id"], "members@delta": members[first : first + size]})
        return found

    def _since(self, endpoint: str, since: int) -> list[Object]:
        """Return what changed, object by object, as patches; and old removals, if told to."""
        stale = self._stale(endpoint)
        found: list[Object] = [{"id": id, "@removed": {"reason": "changed"}} for id in stale]
        ours = [c for c in self.changes[since:] if c.endpoint == endpoint]
        for id in dict.fromkeys(change.id for change in ours):
            mine = [change for change in ours if change.id == id]
            held = self.held[endpoint].get(id)
            if held is None:
                reason = [c.removed for c in mine if c.removed][-1]
                found.append({"id": id, "@removed": {"reason": reason}})
                continue
            names = {name for change in mine for name in change.names}
            patch = {n: held.get(n) for n in ("id", *names) if n not in ("members", "manager")}
            if "manager" in names:
                patch["manager@delta"] = (
                    [_pointed(held["manager"], "users")]
                    if held["manager"]
                    else [{**_pointed("nobody", "users"), "@removed": {"reason": "deleted"}}]
                )
            members = {c.member: c.is_added for c in mine if c.member}
            if members:
                patch["members@delta"] = [
                    _pointed(m, "groups" if m in self.held["groups"] else "users")
                    | ({} if is_added else {"@removed": {"reason": "deleted"}})
                    for m, is_added in members.items()
                ]
            found.append(patch)
        return found

    def _stale(self, endpoint: str) -> list[str]:
        return self.manners.stale_removals if endpoint == "users" else []

    # how it is said

    def _error(self, refusal: Refusal, is_html: bool = False) -> Outgoing:
        if is_html:
            return super()._error(refusal, is_html)
        codes = {401: "InvalidAuthenticationToken", 404: "Request_ResourceNotFound"}
        codes |= {403: "Authorization_RequestDenied", 429: "TooManyRequests"}
        code = codes.get(refusal.status, "Request_BadRequest")
        return _json({"error": {"code": code, "message": str(refusal)}}, refusal.status)


def _json(said: object, status: int = 200) -> Outgoing:
    return Outgoing(status, json.dumps(said).encode(), {"Content-Type": "application/json"})


def _pointed(id: str, kind: str) -> Object:
    return {"@odata.type": TYPES[kind], "id": id}


def _is(said: Any, wanted: Any) -> bool:
    return said is not None and str(said).lower() == str(wanted).lower()
