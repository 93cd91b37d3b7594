"""Looking at a domain for whoever sets a job up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from provisor.connectors.activedirectory import telling
from provisor.connectors.activedirectory.domain import Domain, Tally, open_domain
from provisor.connectors.activedirectory.settings import AdSettings, Changes, Kind
from provisor.connectors.activedirectory.shape import (
    CONTROL,
    DISTINGUISHED_NAME,
    MANAGER,
    MANY,
    MEMBER,
    MEMBERS,
    NEVER_READ,
    OBJECT_GUID,
    OBJECT_ID,
    SINGLE,
    Raw,
    type_of,
)
from provisor.connectors.activedirectory.source import system_of
from provisor.connectors.ldapwire.endpoint import Security
from provisor.connectors.ldapwire.messages import Search
from provisor.connectors.ldapwire.probing import not_let_in
from provisor.errors import AdapterError
from provisor.model.directories import (
    DirectoryDefinition,
    Finding,
    ObjectDefinition,
    ProbeReport,
    Topic,
    fine,
    report,
    warning,
    wrong,
)
from provisor.model.rules import (
    ACCOUNT_ENABLED,
    IS_SOFT_DELETED,
    AttributeDefinition,
    AttributeType,
    Mutability,
)
from provisor.ports import Clock

REMEDIES: Final = {
    Topic.CONNECTION: "Correct `url`, `base` or `caFile`, or let this machine reach the server.",
    Topic.CREDENTIALS: "Give the connection a valid `bindDn` and `password`.",
    Topic.PERMISSIONS: "Let the account read everything below the base.",
}
CLASSES: Final[Mapping[str, str]] = {"User": "user", "Group": "group"}
COMPUTED: Final = frozenset({OBJECT_ID, ACCOUNT_ENABLED, IS_SOFT_DELETED, MEMBERS, MANAGER})
SEES_DELETED: Final = (
    "Let the account see deleted objects (`dsacls` on the container Deleted Objects: list contents "
    "and read property), or give it the right Replicating Directory Changes."
)
MAY_REPLICATE: Final = "Give the account the right Replicating Directory Changes on the domain."
CONDUCT: Final[Mapping[Changes, str]] = {
    Changes.DIR_SYNC: (
        "Changes and deletions are told by DirSync, whichever domain controller answers. Once a "
        "day, or as `fullReadEvery` says, everything is read."
    ),
    Changes.USN: (
        "Changes and deletions are asked for by uSNChanged; everything is read when another domain "
        "controller answers, and once a day, or as `fullReadEvery` says."
    ),
    Changes.SNAPSHOT: "Everything is read in each cycle.",
}


class AdProber:
    """Implements `ports.Prober` for a domain as a source."""

    def __init__(
        self, settings: AdSettings, clock: Clock, wanted: Mapping[str, frozenset[str]]
    ) -> None:
        self._settings, self._clock, self._wanted = settings, clock, wanted

    async def probe(self) -> ProbeReport:
        system = system_of(self._settings)
        found: list[Finding] = []
        try:
            domain = await self._open()
        except AdapterError as error:
            found += not_let_in(error, reached(self._settings), REMEDIES)
            return report(system, found)
        try:
            async for finding in self._look(domain):
                found.append(finding)
        except AdapterError as error:
            topic = Topic.PERMISSIONS
            found.append(wrong(topic, error.code, str(error), REMEDIES[topic]))
        finally:
            await domain.close()
        return report(system, found)

    async def discover(self) -> DirectoryDefinition:
        domain = await self._open()
        try:
            return DirectoryDefinition(
                tuple(_defined(domain, kind) for kind in self._settings.kinds)
            )
        finally:
            await domain.close()

    async def close(self) -> None:
        """Every question has a connection of its own."""

    async def _open(self) -> Domain:
        return await open_domain(self._settings, self._wanted, self._clock.now())

    async def _look(self, domain: Domain) -> AsyncIterator[Finding]:
        yield reached(self._settings)
        who = await domain.connection.who_am_i()
        said = f", as {who}" if who else ""
        yield fine(Topic.CREDENTIALS, "CredentialsAccepted", f"The domain knows us{said}.")
        host = domain.root.text("dnsHostName") or "one that does not say its name"
        level = domain.root.text("domainControllerFunctionality")
        message = f"The domain controller is {host}, of functional level {level or 'unknown'}."
        yield fine(Topic.FEATURES, "Abilities", message)
        for kind in self._settings.kinds:
            async for finding in self._objects(domain, kind):
                yield finding
        for finding in self._attributes(domain):
            yield finding
        async for finding in self._changes(domain):
            yield finding

    async def _objects(self, domain: Domain, kind: Kind) -> AsyncIterator[Finding]:
        count, first = 0, None
        names_only = Search(
            base=kind.base, scope=kind.scope, filter=kind.whole_filter, attributes=(OBJECT_GUID,)
        )
        async for page in domain.pages(names_only):
            count += len(page)
            first = first or next(iter(page), None)
        if first is None:
            yield warning(
                Topic.OBJECTS,
                "NobodyThere",
                f"There is no {kind.name} below '{kind.base}' that passes {kind.whole_filter}.",
                f"Correct {kind.name.lower()}s.base or .filter.",
            )
            return
        yield fine(Topic.PERMISSIONS, "MayRead", f"All {count} {kind.name} objects can be read.")
        search = domain.search(kind)
        async for page in domain.pages(search):
            for one in page[:1]:
                raw = domain.read(kind, one, Tally())
                if not isinstance(raw, Raw):
                    message = f"A {kind.name} cannot be read: {raw.message}."
                    yield wrong(
                        Topic.PERMISSIONS, "SourceRowInvalid", message, REMEDIES[Topic.PERMISSIONS]
                    )
                    return
                if await domain.one(kind, raw.anchor) is not None:
                    yield fine(
                        Topic.OBJECTS, "AnchorFits", f"A {kind.name} is found by objectGUID."
                    )
                if kind.name == "User" and ACCOUNT_ENABLED not in raw.attributes:
                    yield warning(
                        Topic.PERMISSIONS,
                        "ControlHidden",
                        f"The account does not see {CONTROL}: nobody would be known as disabled.",
                        f"Let the account read {CONTROL} of everybody below the base.",
                    )
            return

    def _attributes(self, domain: Domain) -> list[Finding]:
        found: list[Finding] = []
        for kind in self._settings.kinds:
            shape = domain.shape(kind)
            known = {shape.canonical(one) for one in shape.requested()}
            lacking = self._wanted.get(kind.name, frozenset[str]()) - known - COMPUTED
            if lacking and domain.schema.attributes:
                message = (
                    f"The mappings read what no attribute of a {kind.name} is called: "
                    f"{', '.join(sorted(lacking))}."
                )
                remedy = "Name the attributes in `attributes`, or take them out of the mappings."
                found.append(warning(Topic.OBJECTS, "AttributesUnknown", message, remedy))
        return found

    async def _changes(self, domain: Domain) -> AsyncIterator[Finding]:
        way = await telling.way_of(domain)
        match way.how:
            case Changes.DIR_SYNC if way.flags:
                message = f"DirSync tells what the account may read: {way.why}."
                yield warning(Topic.CHANGES, "ReplicationRefused", message, MAY_REPLICATE)
            case Changes.DIR_SYNC:
                message = "DirSync tells what changed and who was deleted."
                yield fine(Topic.CHANGES, "Replicates", message)
            case Changes.USN:
                yield fine(
                    Topic.CHANGES, "CountsChanges", "Each change has a number, each deletion too."
                )
            case _ if way.why:
                message = f"Changes cannot be told: {way.why}, or none was deleted so far."
                yield warning(Topic.CHANGES, "DeletionsHidden", message, SEES_DELETED)
            case _:
                yield fine(Topic.CHANGES, "SnapshotsChosen", "Changes are not asked for.")
        yield fine(Topic.CONDUCT, "Changes", CONDUCT[way.how])


def reached(settings: AdSettings) -> Finding:
    endpoint = settings.endpoint
    if endpoint.security is Security.NONE:
        return warning(
            Topic.CONNECTION,
            "InTheClear",
            f"The server answers at {endpoint}, and everybody on the way can read what passes.",
            "Use ldaps://, or `startTls: true`; passwords cannot be set without.",
        )
    return fine(Topic.CONNECTION, "Reached", f"The server answers at {endpoint}.")


def _defined(domain: Domain, kind: Kind) -> ObjectDefinition:
    """Return what objects of a kind may say: what their class lets them have."""
    shape, schema = domain.shape(kind), domain.schema
    offered: dict[str, AttributeDefinition] = {
        OBJECT_ID: AttributeDefinition(
            name=OBJECT_ID,
            is_anchor=True,
            is_case_exact=True,
            is_required=True,
            mutability=Mutability.READ_ONLY,
        )
    }
    if shape.is_group:
        offered[MEMBERS] = AttributeDefinition(
            name=MEMBERS, type=AttributeType.REFERENCE, is_multivalued=True
        )
    else:
        offered[ACCOUNT_ENABLED] = AttributeDefinition(
            name=ACCOUNT_ENABLED, type=AttributeType.BOOLEAN
        )
    asked: dict[str, None] = dict.fromkeys(shape.requested())
    must, may = schema.takes(CLASSES[kind.name])
    asked.update(dict.fromkeys(sorted(must | may)))
    hidden = {*NEVER_READ, MEMBER, "memberof", OBJECT_GUID.lower()}
    for attribute in (*asked, DISTINGUISHED_NAME):
        inside = shape.canonical(attribute)
        if inside is None or inside in offered or attribute.lower() in hidden:
            continue
        offered[inside] = _attribute(domain, attribute, inside, is_group=shape.is_group)
    return ObjectDefinition(kind.name, tuple(offered.values()))


def _attribute(
    domain: Domain, attribute: str, inside: str, *, is_group: bool
) -> AttributeDefinition:
    kind = domain.schema.attribute(attribute)
    if inside == MANAGER and not is_group:
        return AttributeDefinition(name=inside, type=AttributeType.REFERENCE, refers_to=("User",))
    is_many = inside in domain.settings.multivalued or inside in MANY
    is_single = inside in SINGLE or kind is None or kind.is_single
    is_read_only = (kind is not None and kind.is_read_only) or attribute == DISTINGUISHED_NAME
    return AttributeDefinition(
        name=inside,
        type=type_of(domain.schema, attribute),
        is_multivalued=is_many or not is_single,
        mutability=Mutability.READ_ONLY if is_read_only else Mutability.READ_WRITE,
    )
