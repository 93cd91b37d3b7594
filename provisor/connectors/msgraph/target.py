"""Users and groups of a tenant as a target."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, assert_never
from urllib.parse import quote

from provisor.connectors.around.pace import Line
from provisor.connectors.around.trace import Trace
from provisor.connectors.http.body import Json, JsonObject, get, items, number_of, text_of
from provisor.connectors.http.replies import Reply
from provisor.connectors.msgraph.asking import Tenant
from provisor.connectors.msgraph.failures import detail_of, is_absent
from provisor.connectors.msgraph.naming import EXPANDED, GROUP, MANAGER, MEMBERS, USER
from provisor.connectors.msgraph.settings import GraphSettings
from provisor.errors import (
    AdapterError,
    Denied,
    Rejected,
    Stale,
    Throttled,
    Unanswered,
    Unreachable,
)
from provisor.model.decisions import (
    AttributeChange,
    Create,
    Delete,
    Exported,
    Heard,
    ReferencesChange,
    Update,
    Write,
)
from provisor.model.entries import (
    Anchor,
    Attributes,
    Entry,
    MatchQuery,
    Reference,
    Scalar,
    System,
    Value,
)
from provisor.model.rules import AttributeDefinition, AttributeType
from provisor.ports import Capabilities, Clock, Entropy, Listing, Referred

MEMBERS_MAX: Final = 20
"""What one PATCH of `members@odata.bind` takes."""
ENDPOINTS: Final[Mapping[str, str]] = {USER: "users", GROUP: "groups"}
PASSWORD_AT: Final = "passwordProfile.password"  # noqa: S105 - where it stands
COUNTED: Final[Mapping[str, str]] = {"ConsistencyLevel": "eventual"}
"""Counts, and many filters, are answered from the index of advanced queries only."""

Kinds = Mapping[str, tuple[AttributeDefinition, ...]]
"""The mapped attributes of each kind of target object."""


class GraphReader:
    """Implements `ports.TargetReader` for a tenant."""

    def __init__(
        self,
        settings: GraphSettings,
        kinds: Kinds,
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
        trace: Trace | None = None,
        is_read_only: bool = True,
    ) -> None:
        self.settings, self._kinds = settings, kinds
        self.tenant = Tenant(
            settings, clock, entropy, pace=pace, trace=trace, is_read_only=is_read_only
        )

    @property
    def system(self) -> System:
        identity = f"{self.settings.base} {self.settings.tenant}".strip()
        return System(identity, self.settings.account)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            page_size=self.settings.page_size,
            parallel_max=self.settings.connections_max,
            members_max=MEMBERS_MAX,
            tells_references=True,
        )

    def definitions(self, kind: str) -> tuple[AttributeDefinition, ...]:
        return self._kinds.get(kind, ())

    async def probe(self) -> None:
        """Prove address, credentials and permissions. Raises Denied, Unreachable."""
        for kind in self._kinds or (USER,):
            try:
                reply = await self.tenant.ask("GET", f"/{_endpoint(kind)}", "$select=id&$top=1")
            except (Unanswered, Throttled, Rejected) as error:
                raise Unreachable(str(error), code=error.code, heard=error.heard) from error
            if not reply.is_success:
                raise self._denied(reply)
            if not isinstance(get(reply.content, "value"), list):
                raise Denied(
                    f"{self.settings.host} does not answer as Microsoft Graph does: check "
                    "baseAddress",
                    code="InvalidCredentials",
                )

    def _denied(self, reply: Reply) -> AdapterError:
        failure = self.tenant.failure(reply)
        if reply.status >= 500:
            return Unreachable(str(failure), code=failure.code, heard=failure.heard)
        code = failure.code if reply.status in (401, 403) else "InvalidCredentials"
        return Denied(str(failure), code=code, heard=failure.heard)

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        reply = await self.tenant.ask("GET", address(kind, anchor), self._select(kind))
        if is_absent(reply):
            return None
        if not reply.is_success:
            raise self.tenant.failure(reply)
        if not isinstance(reply.content, dict) or text_of(reply.content.get("id")) != anchor:
            raise Rejected(
                f"{self.settings.host} answered with another object", code="InvalidAnchor"
            )
        return self._entry(kind, reply.content)

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        expression = f"{query.attribute} eq {_literal(query.value)}"
        asked = f"{self._select(query.kind)}&$count=true&$filter={quote(expression, safe='')}"
        reply = await self.tenant.ask("GET", f"/{_endpoint(query.kind)}", asked, headers=COUNTED)
        if not reply.is_success:
            raise self.tenant.failure(reply)
        found = [self._entry(query.kind, one) for one in self._listed(reply)]
        return [e for e in found if _is_same(e.attributes.get(query.attribute), query.value)]

    async def list_all(self, kind: str) -> AsyncIterator[Listing]:
        path = f"/{_endpoint(kind)}"
        query = f"{self._select(kind)}&$count=true&$top={self.settings.page_size}"
        total: int | None = None
        seen: set[str] = set()
        while True:
            reply = await self.tenant.ask("GET", path, query, headers=COUNTED)
            if not reply.is_success:
                raise self.tenant.failure(reply)
            counted = number_of(get(reply.content, "@odata.count"))
            total = total if counted is None else counted
            yield Listing(tuple(self._entry(kind, one) for one in self._listed(reply)), total)
            following = text_of(get(reply.content, "@odata.nextLink"))
            if not following or following in seen:
                return
            seen.add(following)
            path, query = self.tenant.place(following)

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        """Read the members of a group, page by page; some may be of kinds that are not mapped."""
        if name != MEMBERS:
            raise Rejected(f"{name} of a {kind} is not read", code="NotImplemented")
        path = f"{address(kind, anchor)}/{MEMBERS}"
        query, seen = f"$select=id&$top={self.settings.page_size}", set[str]()
        there: set[Reference] = set()
        while True:
            reply = await self.tenant.ask("GET", path, query)
            if is_absent(reply):
                raise Stale(f"there is no {kind} {anchor}", code="InvalidAnchor")
            if not reply.is_success:
                raise self.tenant.failure(reply)
            there.update(map(_pointed, self._listed(reply)))
            following = text_of(get(reply.content, "@odata.nextLink"))
            if not following:
                return Referred(known & there, frozenset(there - known))
            if following in seen:
                message = f"{self.settings.host} does not come to an end of {path}"
                raise Rejected(message, code="UnprocessableEntity")
            seen.add(following)
            path, query = self.tenant.place(following)

    def _listed(self, reply: Reply) -> Iterator[JsonObject]:
        listed = get(reply.content, "value")
        if not isinstance(listed, list):
            message = f"{self.settings.host} did not answer with a list"
            raise Rejected(message, code="UnprocessableEntity")
        return items(listed)

    def _select(self, kind: str) -> str:
        names = {d.name.partition(".")[0] for d in self.definitions(kind) if _is_plain(d)}
        asked = "$select=" + ",".join(sorted({"id", *names} - {"passwordProfile"}))
        if any(d.name == MANAGER for d in self.definitions(kind)):
            asked += EXPANDED  # one answer tells the managers of a whole page
        return asked

    def _entry(self, kind: str, said: JsonObject) -> Entry:
        anchor = Anchor(text_of(said.get("id")))
        attributes: dict[str, Value] = {}
        for definition in self.definitions(kind):
            if _is_plain(definition) and definition.name != PASSWORD_AT:
                value = _value(_at(said, definition.name), definition)
                if value is not None:
                    attributes[definition.name] = value
            elif definition.name == MANAGER and (manager := text_of(get(said.get(MANAGER), "id"))):
                attributes[MANAGER] = Reference(USER, Anchor(manager))
        return Entry(kind, anchor, attributes)

    async def close(self) -> None:
        await self.tenant.close()


class GraphTarget(GraphReader):
    """Implements `ports.Target`: one PATCH for what changed, references one by one or by twenty."""

    def __init__(
        self,
        settings: GraphSettings,
        kinds: Kinds,
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
        trace: Trace | None = None,
    ) -> None:
        super().__init__(
            settings, kinds, clock, entropy, pace=pace, trace=trace, is_read_only=False
        )

    async def export(self, write: Write) -> Exported:
        match write:
            case Create(kind, attributes, _):
                return await self._create(kind, attributes)
            case Update(kind, anchor, changes):
                return await self._update(kind, anchor, changes)
            case Delete(kind, anchor):
                reply = await self.tenant.ask("DELETE", address(kind, anchor))
                if not reply.is_success and not is_absent(reply):
                    raise self.tenant.failure(reply)
                return Exported(None, heard=reply.heard)
            case _:
                assert_never(write)

    async def _create(self, kind: str, attributes: Attributes) -> Exported:
        body: JsonObject = {}
        for name, value in attributes.items():
            if isinstance(value, Reference):
                body[f"{name}@odata.bind"] = self._address_of(value)
            else:
                _put(body, name, self._typed(kind, name, value))
        reply = await self._send("POST", f"/{_endpoint(kind)}", body)
        if not reply.is_success:
            raise self.tenant.failure(reply)
        id = text_of(get(reply.content, "id"))
        if not id:
            raise Unanswered(f"{self.settings.host} created an object and did not say which")
        return Exported(Anchor(id), heard=reply.heard)

    async def _update(
        self, kind: str, anchor: Anchor, changes: Sequence[AttributeChange | ReferencesChange]
    ) -> Exported:
        body: JsonObject = {}
        for change in changes:
            if isinstance(change, AttributeChange) and change.name != MANAGER:
                _put(body, change.name, self._typed(kind, change.name, change.after))
        heard: Heard | None = None
        if body:
            reply = await self._send("PATCH", address(kind, anchor), body)
            if not reply.is_success:
                raise self.tenant.failure(reply)
            heard = reply.heard
        for change in changes:
            match change:
                case AttributeChange(name, _, after) if name == MANAGER:
                    await self._set_manager(kind, anchor, after)
                case ReferencesChange():
                    await self._refer(kind, anchor, change)
                case _:
                    pass
        return Exported(anchor, heard=heard)

    def _typed(self, kind: str, name: str, value: Value | None) -> Json:
        """Return a value as JSON, of the type that the attribute has; an empty list for none."""
        known = next((d for d in self.definitions(kind) if d.name == name), None)
        if value is None:
            return [] if known is not None and known.is_multivalued else None
        if known is not None and known.type is AttributeType.BOOLEAN and isinstance(value, str):
            return value.lower() == "true"
        raw = _raw(value)
        is_many = known is not None and known.is_multivalued
        return [raw] if is_many and not isinstance(raw, list) else raw

    async def _set_manager(self, kind: str, anchor: Anchor, after: Value | None) -> None:
        path = f"{address(kind, anchor)}/{MANAGER}/$ref"
        if isinstance(after, Reference):
            reply = await self._send("PUT", path, {"@odata.id": self._address_of(after)})
        else:
            reply = await self.tenant.ask("DELETE", path)
            if is_absent(reply) and await self.fetch(kind, anchor) is not None:
                return  # there was none
        if not reply.is_success:
            raise self.tenant.failure(reply)

    # members

    async def _refer(self, kind: str, group: Anchor, change: ReferencesChange) -> None:
        """Add by twenty, remove one by one; who is refused is named, all others are done."""
        if change.name != MEMBERS:
            raise Rejected(f"{change.name} of a {kind} cannot be written", code="NotPermitted")
        refused: dict[Reference, AdapterError] = {}
        added = _ordered(change.added)
        for first in range(0, len(added), MEMBERS_MAX):
            await self._add(kind, group, added[first : first + MEMBERS_MAX], refused)
        for member in _ordered(change.removed):
            path = f"{address(kind, group)}/{MEMBERS}/{quote(member.anchor, safe='')}/$ref"
            reply = await self.tenant.ask("DELETE", path)
            if not reply.is_success and not is_absent(reply):
                raise self.tenant.failure(reply)
        if change.removed and not added:
            await self._still_there(kind, group)
        if refused:
            first_error = next(iter(refused.values()))
            raise Rejected(
                str(first_error),
                code="UnableToResolveReferenceAttributeValue",
                heard=first_error.heard,
                refused=frozenset(refused),
            )

    async def _add(
        self,
        kind: str,
        group: Anchor,
        members: Sequence[Reference],
        refused: dict[Reference, AdapterError],
    ) -> None:
        """Add some; a batch that is refused is halved down to whom it is about."""
        body: JsonObject = {f"{MEMBERS}@odata.bind": [self._address_of(m) for m in members]}
        reply = await self._send("PATCH", address(kind, group), body)
        if reply.is_success or (len(members) == 1 and _is_there_already(reply)):
            return
        if reply.status not in (400, 404):
            raise self.tenant.failure(reply)
        if len(members) == 1:
            await self._still_there(kind, group)
            refused[members[0]] = self.tenant.failure(reply)
            return
        middle = len(members) // 2
        await self._add(kind, group, members[:middle], refused)
        await self._add(kind, group, members[middle:], refused)

    async def _still_there(self, kind: str, group: Anchor) -> None:
        """Raise Stale where it is the group that is gone, and not a member."""
        reply = await self.tenant.ask("GET", address(kind, group), "$select=id")
        if is_absent(reply):
            raise Stale(f"there is no {kind} {group}", code="InvalidAnchor")

    async def _send(self, method: str, path: str, body: JsonObject) -> Reply:
        profile = get(body, "passwordProfile")
        secret = text_of(get(profile, "password"))
        return await self.tenant.ask(method, path, "", body, secrets=(secret,) if secret else ())

    def _address_of(self, reference: Reference) -> str:
        return f"{self.settings.base}/directoryObjects/{quote(reference.anchor, safe='')}"


def _pointed(said: JsonObject) -> Reference:
    kind = text_of(said.get("@odata.type")).rpartition(".")[2]
    return Reference(kind[:1].upper() + kind[1:], Anchor(text_of(said.get("id"))))


def _endpoint(kind: str) -> str:
    if kind not in ENDPOINTS:
        raise Rejected(f"a tenant has no {kind}: map User or Group", code="NotImplemented")
    return ENDPOINTS[kind]


def address(kind: str, anchor: Anchor) -> str:
    assert anchor, "an object without id would be the whole kind"
    return f"/{_endpoint(kind)}/{quote(anchor, safe='')}"


def _is_plain(definition: AttributeDefinition) -> bool:
    return definition.type is not AttributeType.REFERENCE


def _is_there_already(reply: Reply) -> bool:
    return reply.status == 400 and "already exist" in detail_of(reply.content).lower()


def _at(said: JsonObject, name: str) -> Json:
    """Return what stands at `a` or `a.b`."""
    first, _, rest = name.partition(".")
    return get(said.get(first), rest) if rest else said.get(first)


def _put(body: JsonObject, name: str, raw: Json) -> None:
    first, _, rest = name.partition(".")
    if not rest:
        body[first] = raw
        return
    inner = body.setdefault(first, {})
    assert isinstance(inner, dict)
    inner[rest] = raw


def _value(raw: Json, definition: AttributeDefinition) -> Value | None:
    if isinstance(raw, list):
        values = [v for v in (_scalar(one, definition) for one in raw) if v is not None]
        if definition.is_multivalued:
            return tuple(values) or None
        return values[0] if values else None
    return _scalar(raw, definition)


def _scalar(raw: Json, definition: AttributeDefinition) -> Scalar | None:
    if isinstance(raw, str) and definition.type is AttributeType.DATE_TIME:
        try:
            return datetime.fromisoformat(raw).astimezone(UTC)
        except ValueError:
            return raw
    return raw if isinstance(raw, str | int) else None


def _raw(value: Value) -> Json:
    match value:
        case tuple():
            return [_raw(one) for one in value]
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str() | int():
            return value
        case _:
            return str(value)


def _literal(value: Value) -> str:
    raw = _raw(value)
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw) if isinstance(raw, int) else "'" + str(raw).replace("'", "''") + "'"


def _is_same(one: Value | None, other: Value) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    return one == other


def _ordered(members: Collection[Reference]) -> list[Reference]:
    return sorted(members, key=lambda member: (member.kind, member.anchor))
