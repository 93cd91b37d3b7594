"""Looking at an LDAP directory for whoever sets a job up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping

from provisor.connectors.ldap.directory import Directory, open_directory
from provisor.connectors.ldap.resolver import all_of
from provisor.connectors.ldap.settings import Changes, Kind, LdapSettings, Referrals
from provisor.connectors.ldap.shape import MANAGER, MANY, OBJECT_ID, SINGLE, type_of
from provisor.connectors.ldap.snapshot import how_changes_are_told
from provisor.connectors.ldap.source import system_of
from provisor.connectors.ldapwire import controls, sync
from provisor.connectors.ldapwire.endpoint import Anonymous, Security
from provisor.connectors.ldapwire.messages import Scope, Search
from provisor.connectors.ldapwire.objects import NoObject
from provisor.connectors.ldapwire.probing import not_let_in
from provisor.connectors.ldapwire.results import Result
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

REMEDIES = {
    Topic.CONNECTION: "Correct `url` or `caFile`, or let this machine reach the server.",
    Topic.CREDENTIALS: "Give the connection a valid `bindDn` and `password`.",
    Topic.PERMISSIONS: "Let the account read everything below the base, and raise its limits.",
    Topic.OBJECTS: "Choose a `base`, `filter` or `anchor` that fits.",
}
COMPUTED = frozenset({OBJECT_ID, ACCOUNT_ENABLED, IS_SOFT_DELETED, "members", "manager"})
CONDUCT: Mapping[Changes, str] = {
    Changes.SYNC: (
        "Changes and deletions are told by synchronisation (RFC 4533); `provisor serve` hears of "
        "them as they happen. Once a day, or as `fullReadEvery` says, everything is read."
    ),
    Changes.TIMESTAMPS: (
        "Changes are asked for by modifyTimestamp, with `overlap`; who has been deleted shows when "
        "everything is read, once a day or as `fullReadEvery` says."
    ),
    Changes.SNAPSHOT: "Everything is read in each cycle.",
}


class LdapProber:
    """Implements `ports.Prober` for a directory as a source."""

    def __init__(self, settings: LdapSettings, wanted: Mapping[str, frozenset[str]]) -> None:
        self._settings, self._wanted = settings, wanted

    async def probe(self) -> ProbeReport:
        system = system_of(self._settings)
        found: list[Finding] = []
        try:
            directory = await open_directory(self._settings, self._wanted)
        except AdapterError as error:
            found += not_let_in(error, self._reached(), REMEDIES)
            return report(system, found)
        try:
            async for finding in self._look(directory):
                found.append(finding)
        except AdapterError as error:
            topic = Topic.PERMISSIONS
            found.append(wrong(topic, error.code, str(error), REMEDIES[topic]))
        finally:
            await directory.close()
        return report(system, found)

    async def discover(self) -> DirectoryDefinition:
        directory = await open_directory(self._settings, self._wanted)
        try:
            return DirectoryDefinition(
                tuple(_defined(directory, kind) for kind in self._settings.kinds)
            )
        finally:
            await directory.close()

    async def close(self) -> None:
        """Every question has a connection of its own."""

    def _reached(self) -> Finding:
        endpoint = self._settings.endpoint
        if endpoint.security is Security.NONE and not endpoint.path:
            return warning(
                Topic.CONNECTION,
                "InTheClear",
                f"The server answers at {endpoint}, and everybody on the way can read what passes.",
                "Use ldaps://, or `startTls: true`, unless the server is on this machine.",
            )
        return fine(Topic.CONNECTION, "Reached", f"The server answers at {endpoint}.")

    async def _look(self, directory: Directory) -> AsyncIterator[Finding]:
        yield self._reached()
        yield await self._accepted(directory)
        for finding in self._features(directory):
            yield finding
        for kind in self._settings.kinds:
            async for finding in self._objects(directory, kind):
                yield finding
        for finding in self._attributes(directory):
            yield finding
        async for finding in self._changes(directory):
            yield finding

    async def _accepted(self, directory: Directory) -> Finding:
        who = await directory.connection.who_am_i()
        if isinstance(self._settings.credentials, Anonymous):
            return warning(
                Topic.CREDENTIALS,
                "NoCredentials",
                "The directory is read by nobody in particular.",
                "Give the connection `bindDn` and `password`; few servers show all to anybody.",
            )
        said = f", as {who}" if who else ""
        return fine(Topic.CREDENTIALS, "CredentialsAccepted", f"The server knows us{said}.")

    def _features(self, directory: Directory) -> Iterator[Finding]:
        root = directory.root
        maker = " ".join(filter(None, (root.text("vendorName"), root.text("vendorVersion"))))
        has = {
            "pages": controls.PAGED_RESULTS,
            "synchronisation": controls.SYNC_REQUEST,
        }
        named = ", ".join(name for name, oid in has.items() if root.has_control(oid)) or "neither"
        server = f"The server is {maker}" if maker else "The server does not say what it is"
        yield fine(
            Topic.FEATURES, "Abilities", f"{server}; of pages and synchronisation it has: {named}."
        )
        if not root.has_control(controls.PAGED_RESULTS):
            yield warning(
                Topic.FEATURES,
                "NoPages",
                "The server does not announce that it answers in pages.",
                "Let it announce the control 1.2.840.113556.1.4.319; reads fail if it has none.",
            )
        if not directory.schema.attributes:
            yield warning(
                Topic.FEATURES,
                "NoSchema",
                "The server does not show its schema, so that all values are texts.",
                "Let the account read the subschema subentry.",
            )

    async def _objects(self, directory: Directory, kind: Kind) -> AsyncIterator[Finding]:
        names_only = Search(
            base=kind.base, scope=kind.scope, filter=kind.whole_filter, attributes=("1.1",)
        )
        count = len(await all_of(directory.connection, names_only, self._settings.page_size))
        if not count:
            yield warning(
                Topic.OBJECTS,
                "NobodyThere",
                f"There is no {kind.name} below '{kind.base}' that passes {kind.whole_filter}.",
                f"Correct {kind.name.lower()}s.base, .filter or .objectClasses.",
            )
            return
        yield fine(Topic.PERMISSIONS, "MayRead", f"All {count} {kind.name} objects can be read.")
        async for page in directory.pages(directory.search(kind)):
            for found in page[:1]:
                raw = directory.shape(kind).read(found)
                if isinstance(raw, NoObject):
                    yield wrong(
                        Topic.OBJECTS,
                        "SourceRowInvalid",
                        f"A {kind.name} cannot be read: {raw.message}.",
                        REMEDIES[Topic.OBJECTS],
                    )
                elif await directory.one(kind, raw.anchor) is None:
                    yield wrong(
                        Topic.PERMISSIONS,
                        "SourceReadIncomplete",
                        f"No {kind.name} is found by {kind.anchor}, its anchor.",
                        "Let the account search by it, or choose another anchor.",
                    )
                else:
                    yield fine(
                        Topic.OBJECTS, "AnchorFits", f"A {kind.name} is found by {kind.anchor}."
                    )
            return

    def _attributes(self, directory: Directory) -> Iterator[Finding]:
        if not directory.schema.attributes:
            return
        for kind in self._settings.kinds:
            shape = directory.shape(kind)
            known = {shape.canonical(one) for one in shape.requested() if _is_known(directory, one)}
            lacking = self._wanted.get(kind.name, frozenset[str]()) - known - COMPUTED
            lacking -= {shape.canonical("entryDN")}
            if lacking:
                yield warning(
                    Topic.OBJECTS,
                    "AttributesUnknown",
                    f"The mappings read what no attribute of a {kind.name} is called: "
                    f"{', '.join(sorted(lacking))}.",
                    "Name the attributes in `attributes`, or take them out of the mappings.",
                )

    async def _changes(self, directory: Directory) -> AsyncIterator[Finding]:
        how = how_changes_are_told(directory)
        if how is Changes.SYNC and not await self._synchronises(directory):
            message = "The server announces synchronisation, and does not do it for this account."
            remedy = "Raise the limits of the account, or choose changes: timestamps."
            if self._settings.changes is Changes.SYNC:
                yield wrong(Topic.CHANGES, "SourceReadIncomplete", message, remedy)
                return
            yield warning(Topic.CHANGES, "NoSynchronisation", message, remedy)
            how = Changes.TIMESTAMPS
        if how is not Changes.SYNC:
            yield warning(
                Topic.CHANGES,
                "DeletionsLate" if how is Changes.TIMESTAMPS else "NoChanges",
                "The directory does not tell deletions as they happen.",
                "Let the server offer content synchronisation (in OpenLDAP the overlay syncprov).",
            )
        else:
            yield fine(Topic.CHANGES, "Synchronises", "The server tells what changed and who went.")
        yield fine(Topic.CONDUCT, "Changes", CONDUCT[how])
        if self._settings.referrals is Referrals.IGNORE:
            yield fine(Topic.CONDUCT, "Referrals", "What other servers hold is not looked for.")

    async def _synchronises(self, directory: Directory) -> bool:
        for kind in self._settings.kinds:
            asked = Search(
                base=kind.base,
                scope=Scope.BASE,
                attributes=("1.1",),
                controls=(sync.sync_request(sync.REFRESH_ONLY, None),),
            )
            async for part in directory.connection.search(asked):
                if isinstance(part, Result):
                    done = sync.sync_done(part.controls) if part.is_success else None
                    if done is None or not done.cookie:
                        return False
        return True


def _is_known(directory: Directory, attribute: str) -> bool:
    return directory.schema.attribute(attribute) is not None


def _defined(directory: Directory, kind: Kind) -> ObjectDefinition:
    """Return what objects of a kind may say: what their classes let them have."""
    shape, settings, schema = directory.shape(kind), directory.settings, directory.schema
    is_group = shape.is_group
    offered: dict[str, AttributeDefinition] = {
        OBJECT_ID: AttributeDefinition(
            name=OBJECT_ID,
            is_anchor=True,
            is_case_exact=True,
            is_required=True,
            mutability=Mutability.READ_ONLY,
        )
    }
    if is_group:
        offered["members"] = AttributeDefinition(
            name="members", type=AttributeType.REFERENCE, is_multivalued=True
        )
    elif settings.disabling.is_known:
        offered[ACCOUNT_ENABLED] = AttributeDefinition(
            name=ACCOUNT_ENABLED, type=AttributeType.BOOLEAN
        )
    asked: dict[str, None] = dict.fromkeys(shape.requested())
    for name in kind.classes:
        must, may = schema.takes(name)
        asked.update(dict.fromkeys(sorted(must | may)))
    pointing = {one.lower() for one in (*kind.members, "memberOf", "userPassword", kind.anchor)}
    for attribute in (*asked, "entryDN"):
        inside = shape.canonical(attribute)
        if inside is None or inside in offered or attribute.lower() in pointing:
            continue
        offered[inside] = _attribute(directory, attribute, inside, is_group=is_group)
    return ObjectDefinition(kind.name, tuple(offered.values()))


def _attribute(
    directory: Directory, attribute: str, inside: str, *, is_group: bool
) -> AttributeDefinition:
    kind = directory.schema.attribute(attribute)
    if inside == MANAGER and not is_group:
        return AttributeDefinition(name=inside, type=AttributeType.REFERENCE, refers_to=("User",))
    is_many = inside in directory.settings.multivalued or inside in MANY
    is_single = inside in SINGLE or kind is None or kind.is_single
    return AttributeDefinition(
        name=inside,
        type=type_of(directory.schema, attribute, inside),
        is_case_exact=kind is not None and kind.equality.lower().startswith("caseexact"),
        is_multivalued=is_many or not is_single,
        mutability=Mutability.READ_ONLY
        if kind is not None and kind.is_read_only
        else Mutability.READ_WRITE,
    )
