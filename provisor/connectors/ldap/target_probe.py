"""Looking at an LDAP directory as a target, for whoever sets a job up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from provisor.connectors.ldap.mapped import COMPUTED
from provisor.connectors.ldap.reader import Kinds, LdapReader
from provisor.connectors.ldap.settings import LdapSettings
from provisor.connectors.ldap.shape import type_of
from provisor.connectors.ldapwire import controls
from provisor.connectors.ldapwire.messages import Scope, Search
from provisor.connectors.ldapwire.probing import not_let_in
from provisor.connectors.ldapwire.schema import Schema
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
from provisor.model.rules import ACCOUNT_ENABLED, AttributeDefinition, AttributeType, Mutability
from provisor.ports import Clock

REMEDIES = {
    Topic.CONNECTION: "Correct `url` or `caFile`, or let this machine reach the server.",
    Topic.CREDENTIALS: "Give the connection a valid `bindDn`, `password` and `base`.",
}
POINTING = frozenset({"member", "uniquemember", "manager", "owner", "secretary", "seealso"})


class LdapTargetProber:
    """Implements `ports.Prober` for a directory as a target."""

    def __init__(self, settings: LdapSettings, kinds: Kinds, clock: Clock) -> None:
        self._settings, self._kinds = settings, kinds
        self._reader = LdapReader(settings, kinds, clock)

    async def probe(self) -> ProbeReport:
        reader, found = self._reader, list[Finding]()
        try:
            await reader.probe()
            async for finding in self._look():
                found.append(finding)
        except AdapterError as error:
            found += not_let_in(error, self._reached(), REMEDIES)
        return report(reader.system, found)

    async def discover(self) -> DirectoryDefinition:
        schema = await self._reader.schema()
        return DirectoryDefinition(
            tuple(
                ObjectDefinition(kind.name, tuple(self._offered(schema, kind.name)))
                for kind in self._settings.kinds
            )
        )

    async def close(self) -> None:
        await self._reader.close()

    def _reached(self) -> Finding:
        message = f"The server answers at {self._settings.endpoint}."
        return fine(Topic.CONNECTION, "Reached", message)

    async def _look(self) -> AsyncIterator[Finding]:
        reader = self._reader
        yield self._reached()
        who = await (await reader.session.connection()).who_am_i()
        yield fine(
            Topic.CREDENTIALS, "CredentialsAccepted", f"The server knows us as {who or '?'}."
        )
        root, schema = await reader.said(), await reader.schema()
        optional = {
            "assertions": controls.ASSERTION,
            "lenient changes of members": controls.PERMISSIVE_MODIFY,
            "reading back": controls.POST_READ,
        }
        has = ", ".join(n for n, oid in optional.items() if root.has_control(oid)) or "none"
        yield fine(Topic.FEATURES, "Abilities", f"Of what is optional it has: {has}.")
        for finding in self._objects(schema):
            yield finding
        disabled = self._settings.disabling
        if disabled.container:
            search = Search(base=disabled.container, scope=Scope.BASE, attributes=("1.1",))
            _, result = await reader.look(search)
            if not result.is_success:
                yield wrong(
                    Topic.OBJECTS,
                    "UnprocessableEntity",
                    f"The container of the disabled, '{disabled.container}', is not there.",
                    "Make it, or correct `disabled.container`.",
                )
        yield fine(
            Topic.PERMISSIONS,
            "WritingNotTried",
            "Whether objects may be written was not tried: directories do not tell beforehand.",
        )
        yield self._conduct()

    def _objects(self, schema: Schema) -> Iterator[Finding]:
        if not schema.classes:
            yield warning(
                Topic.OBJECTS,
                "NoSchema",
                "The server does not show its schema, so that mappings cannot be checked.",
                "Let the account read the subschema subentry.",
            )
            return
        for kind in self._settings.kinds:
            if kind.name not in self._kinds and self._kinds:
                continue
            lacking = [name for name in kind.classes if name.lower() not in schema.classes]
            if lacking and len(lacking) == len(kind.classes):
                yield wrong(
                    Topic.OBJECTS,
                    "SchemaAttributeNotFound",
                    f"The server has none of the classes of a {kind.name}: {', '.join(lacking)}.",
                    f"Correct {kind.name.lower()}s.objectClasses.",
                )
            offered = {one.name.lower() for one in self._offered(schema, kind.name)}
            mapped = {d.name for d in self._kinds.get(kind.name, ())} - COMPUTED - {"members"}
            unknown = sorted(name for name in mapped if name.lower() not in offered)
            if unknown:
                yield warning(
                    Topic.OBJECTS,
                    "SchemaAttributeNotFound",
                    f"The classes of a {kind.name} have no {', '.join(unknown)}.",
                    "Add a class to objectClasses that has them, or take them out of the mapping.",
                )

    def _conduct(self) -> Finding:
        how = self._settings.disabling
        if how.container:
            said = f"Who is disabled is moved to '{how.container}'."
        elif how.attribute:
            said = f"Who is disabled gets {how.attribute}: {how.disabled}."
        else:
            said = "Nobody is disabled by accountEnabled: the setting `disabled` does not say how."
        return fine(Topic.CONDUCT, "Disabling", said)

    def _offered(self, schema: Schema, name: str) -> Iterator[AttributeDefinition]:
        kind = next(one for one in self._settings.kinds if one.name == name)
        yield AttributeDefinition(
            name=kind.anchor,
            is_anchor=True,
            is_case_exact=True,
            mutability=Mutability.READ_ONLY,
        )
        needed, offered = set[str](), set[str]()
        for one in kind.classes:
            must, may = schema.takes(one)
            needed |= must
            offered |= must | may
        for attribute in sorted(offered - {"objectClass", kind.anchor}):
            yield _defined(schema, attribute, name, is_needed=attribute in needed)
        for attribute in ("parentDistinguishedName", "distinguishedName"):
            yield AttributeDefinition(name=attribute)
        if self._settings.disabling.is_known and name == "User":
            yield AttributeDefinition(name=ACCOUNT_ENABLED, type=AttributeType.BOOLEAN)


def _defined(schema: Schema, attribute: str, kind: str, *, is_needed: bool) -> AttributeDefinition:
    known = schema.attribute(attribute)
    low = attribute.lower()
    is_pointing = low in POINTING
    is_single = known is None or known.is_single or low == "manager"
    mutability = Mutability.READ_WRITE
    if low == "userpassword":
        mutability = Mutability.WRITE_ONLY
    elif known is not None and known.is_read_only:
        mutability = Mutability.READ_ONLY
    return AttributeDefinition(
        name=attribute,
        type=AttributeType.REFERENCE if is_pointing else type_of(schema, attribute),
        is_required=is_needed and not (kind == "Group" and is_pointing),
        is_multivalued=not is_single,
        is_case_exact=known is not None and known.equality.lower().startswith("caseexact"),
        mutability=mutability,
    )
