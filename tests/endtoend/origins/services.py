"""An organisation in a SCIM service, ours or a foreign one, and in a tenant of Microsoft Graph."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any
from urllib.request import Request, urlopen

from provisor.connectors.scim.paths import ENTERPRISE_USER
from provisor.demo.organisation import Group, Person
from tests.contracts.sources.scim import listening
from tests.endtoend.origins.differing import between
from tests.endtoend.staff import Staff
from tests.fakes.msgraph.server import BASE, GraphFake
from tests.fakes.scim.server import Fake
from tests.fakes.scim.server import Server as FakeServer
from tests.fakes.scim.store import Store
from tests.fakes.scim.switches import Fault, Switches
from tests.worlds.faults import Fault as ServerFault
from tests.worlds.scim2 import Scim2
from tests.worlds.tcp import Wire

CHUNK_BYTES = 1500
CORE = "urn:ietf:params:scim:schemas:core:2.0"
SCIM = """\
      connector: scim
      settings:
        baseAddress: "{url}"
        token: "{token}"
{chosen}"""
GRAPH = """\
      connector: msgraph
      settings: {{baseAddress: "{url}", tenant: contoso, token: any}}
"""


class Served:
    """One of our own servers, behind a wire. Ids are those of the organisation."""

    deletes_softly = True
    tells_deletions = True
    steps = (12,)
    away_code = 5

    def __init__(self, server: FakeServer, wire: Wire) -> None:
        self.server, self.wire, self.fake = server, wire, server.fake

    # hands

    def put_person(self, staff: Staff, person: Person) -> None:
        raise NotImplementedError

    def put_group(self, group: Group) -> None:
        raise NotImplementedError

    def remove(self, kind: str, id: str) -> None:
        raise NotImplementedError

    def found(self, staff: Staff) -> None:
        for person in staff.people.values():
            self.put_person(staff, person)
        for group in staff.groups.values():
            self.put_group(group)

    def become(self, before: Staff, after: Staff) -> None:
        said = between(before, after)
        for group in said.gone_groups:
            self.remove("Groups", group.id)
        for person in said.gone_people:
            self.remove("Users", person.id)
        for person in (*said.new_people, *(new for _, new in said.changed), *said.moved):
            self.put_person(after, person)
        for id, group in after.groups.items():
            if group != before.groups.get(id):
                self.put_group(group)

    def anchors(self, staff: Staff) -> Mapping[str, str]:
        return {id: id for id in (*staff.people, *staff.groups)}

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        self.fake.switches.is_off = True

    def start(self) -> None:
        self.fake.switches.is_off = False

    @contextmanager
    def cut_after(self, step: int) -> Generator[None]:
        self.wire.cut_after(step * CHUNK_BYTES)
        try:
            yield
        finally:
            self.wire.heal()

    @contextmanager
    def switched(self, **switches: object) -> Generator[None]:
        usual = {name: getattr(self.fake.switches, name) for name in switches}
        self.fake.switches.set(switches)
        try:
            yield
        finally:
            self.fake.switches.set(usual)

    @contextmanager
    def failing(self, *faults: Fault) -> Generator[None]:
        self.fake.misbehave(*faults)
        try:
            yield
        finally:
            self.fake.misbehave()


class Service(Served):
    """Implements `Origin`: SCIM."""

    def __init__(self, server: FakeServer, wire: Wire, way: str) -> None:
        super().__init__(server, wire)
        url = server.url.replace(f":{server.port}", f":{wire.port}")
        chosen = "        changes: timestamps\n" if way == "timestamps" else ""
        self.source = SCIM.format(url=url, token="any", chosen=chosen)
        self.tells_deletions = way != "timestamps"

    @classmethod
    @contextmanager
    def run(cls, way: str) -> Generator[Service]:
        switches = Switches(has_cursors=way == "cursors")
        with listening(switches, Fake) as server, Wire.to(server.port) as wire:
            yield cls(server, wire, way)

    def put_person(self, staff: Staff, person: Person) -> None:
        self.fake.store.put("Users", person.id, user_body(person))

    def put_group(self, group: Group) -> None:
        self.fake.store.put("Groups", group.id, group_body(group))

    def remove(self, kind: str, id: str) -> None:
        self.fake.store.delete(kind, id)

    def back_up(self) -> Callable[[], None] | None:
        kept = copy.deepcopy(self.fake.store)

        def restore() -> None:
            self.fake.store = kept

        return restore

    @contextmanager
    def _emptied(self) -> Generator[None]:
        kept, self.fake.store = self.fake.store, Store()
        try:
            yield
        finally:
            self.fake.store = kept

    def lies(self) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
        switches: dict[str, dict[str, object]] = {
            "totals are wrong": {"miscounts": 3},
            "there are no totals": {"no_total": True},
            "the last page is cut short": {"page_max": 7, "repeats_last": True},
            "pages begin anew": {"ignores_start": True},
        }
        faults = {
            "a page fails": Fault(what="refuse", status=500, path="startIndex=201"),
            "a gateway answers": Fault(what="refuse", status=404, is_html=True),
        }
        return {
            "nobody is there": self._emptied,
            **{name: partial(self.switched, **said) for name, said in switches.items()},
            **{name: partial(self.failing, fault) for name, fault in faults.items()},
        }


class Tenant(Served):
    """Implements `Origin`: Microsoft Graph."""

    deletes_softly = False

    def __init__(self, server: FakeServer, wire: Wire) -> None:
        super().__init__(server, wire)
        assert isinstance(server.fake, GraphFake)
        self.graph = server.fake
        self.graph.origin = f"http://127.0.0.1:{wire.port}"
        self.graph.manners.members_per_page = 100
        self.source = GRAPH.format(url=f"{self.graph.origin}{BASE}")

    @classmethod
    @contextmanager
    def run(cls) -> Generator[Tenant]:
        with listening(Switches(), GraphFake) as server, Wire.to(server.port) as wire:
            yield cls(server, wire)

    def put_person(self, staff: Staff, person: Person) -> None:
        said = {
            "userPrincipalName": person.user_name,
            "displayName": person.display_name,
            "givenName": person.given_name or None,
            "surname": person.family_name,
            "mail": person.mail or None,
            "jobTitle": person.job_title or None,
            "department": person.department,
            "accountEnabled": person.is_enabled,
            "manager": person.manager or None,
            "city": "away" if person.id in staff.away else "here",
        }
        self.graph.put("users", person.id, said)

    def put_group(self, group: Group) -> None:
        held = self.graph.put("groups", group.id, {"displayName": group.display_name})
        wanted = dict.fromkeys(group.members)
        for gone in [m for m in held["members"] if m not in wanted]:
            self.graph.join(group.id, gone, leaves=True)
        for member in wanted:
            self.graph.join(group.id, member)

    def remove(self, kind: str, id: str) -> None:
        self.graph.remove(kind.lower(), id)

    def back_up(self) -> Callable[[], None] | None:
        return None

    @contextmanager
    def mannered(self, **manners: object) -> Generator[None]:
        usual = {name: getattr(self.graph.manners, name) for name in manners}
        for name, value in manners.items():
            setattr(self.graph.manners, name, value)
        try:
            yield
        finally:
            for name, value in usual.items():
                setattr(self.graph.manners, name, value)

    def lies(self) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
        manners: dict[str, dict[str, object]] = {
            "rounds are repeated": {"repeats": 500},
            "they come in another order": {"is_reversed": True},
            "the delta token is too old": {"expired": True},
            "links lead elsewhere": {"leads_to": "http://127.0.0.1:1/v1.0/users/delta"},
            "a round has no end": {"has_no_end": True},
            "old removals come again": {"stale_removals": ["e000001", "e000002"]},
        }
        throttled = Fault(what="throttle", retry_after="0", times=3)
        return {
            **{name: partial(self.mannered, **said) for name, said in manners.items()},
            "it is busy": partial(self.failing, throttled),
        }


class Foreign:
    """Implements `Origin`: a SCIM service that nobody here wrote, and that gives ids of its own,
    behind a wire."""

    deletes_softly = True
    tells_deletions = True
    steps = (12, 400)
    away_code = 5

    def __init__(self, world: Scim2, wire: Wire) -> None:
        self.world, self.wire = world, wire
        url = world.url.replace(f":{world.port}/", f":{wire.port}/")
        self.source = SCIM.format(url=url, token=world.token, chosen="")
        self._ids: dict[str, str] = {}

    def found(self, staff: Staff) -> None:
        self.become(Staff({}, {}), staff)

    def become(self, before: Staff, after: Staff) -> None:
        said = between(before, after)
        for id in (*(g.id for g in said.gone_groups), *(p.id for p in said.gone_people)):
            kind = "Groups" if id in before.groups else "Users"
            self._send("DELETE", f"/{kind}/{self._ids.pop(id)}")
        for person in said.new_people:
            self._ids[person.id] = self._send("POST", "/Users", self._user(person))["id"]
        for _, person in said.changed:
            self._send("PUT", f"/Users/{self._ids[person.id]}", self._user(person))
        for id, group in after.groups.items():
            if id not in self._ids:
                self._ids[id] = self._send("POST", "/Groups", self._group(group))["id"]
            elif group != before.groups.get(id):
                self._send("PUT", f"/Groups/{self._ids[id]}", self._group(group))

    def _user(self, person: Person) -> dict[str, Any]:
        return user_body(person, self._ids)

    def _group(self, group: Group) -> dict[str, Any]:
        return group_body(group, self._ids)

    def anchors(self, staff: Staff) -> Mapping[str, str]:
        return {id: self._ids[id] for id in (*staff.people, *staff.groups)}

    def restart(self) -> None:
        with self.world.switched_off():
            pass

    def stop(self) -> None:
        self._off = self.world.switched_off()
        self._off.__enter__()

    def start(self) -> None:
        self._off.__exit__(None, None, None)

    @contextmanager
    def cut_after(self, step: int) -> Generator[None]:
        self.wire.cut_after(step * CHUNK_BYTES)
        try:
            yield
        finally:
            self.wire.heal()

    def lies(self) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
        faults = {
            "people cannot be listed": ServerFault(what="refuse", path="/Users", status=500),
            "there are no people here": ServerFault(what="refuse", path="/Users", status=404),
            "there are no groups here": ServerFault(what="refuse", path="/Groups", status=404),
            "it knows us no longer": ServerFault(what="refuse", status=401),
            "there are no totals": ServerFault(what="hide_total"),
            "it breaks off once done": ServerFault(what="lose", times=3),
            "it fails once done": ServerFault(what="fail_after", path="/Groups", status=503),
        }
        return {name: partial(self._misbehaving, fault) for name, fault in faults.items()}

    @contextmanager
    def _misbehaving(self, fault: ServerFault) -> Generator[None]:
        self.world.misbehave(fault)
        try:
            yield
        finally:
            self.world.misbehave()

    def back_up(self) -> Callable[[], None] | None:
        return None

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {self.world.token}",
            "Content-Type": "application/scim+json",
        }
        with urlopen(Request(self.world.url + path, content, headers, method=method)) as answer:
            said = answer.read()
        return json.loads(said) if said else None


def user_body(person: Person, ids: Mapping[str, str] | None = None) -> dict[str, Any]:
    enterprise: dict[str, Any] = {"department": person.department}
    if person.manager:
        manager = person.manager if ids is None else ids[person.manager]
        enterprise["manager"] = {"value": manager}
    said: dict[str, Any] = {
        "schemas": [f"{CORE}:User", ENTERPRISE_USER],
        "userName": person.user_name,
        "displayName": person.display_name,
        "title": person.job_title,
        "active": person.is_enabled,
        "name": {
            n: v
            for n, v in (("givenName", person.given_name), ("familyName", person.family_name))
            if v
        },
        "emails": [{"value": person.mail, "type": "work", "primary": True}] if person.mail else [],
        ENTERPRISE_USER: enterprise,
    }
    return {name: value for name, value in said.items() if value not in ("", [])}


def group_body(group: Group, ids: Mapping[str, str] | None = None) -> dict[str, Any]:
    members = [m if ids is None else ids[m] for m in group.members]
    said: dict[str, Any] = {"schemas": [f"{CORE}:Group"], "displayName": group.display_name}
    return said | {"members": [{"value": m, "type": "User"} for m in members]} if members else said
