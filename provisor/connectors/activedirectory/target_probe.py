"""Looking at a domain as a target, for whoever sets a job up.

A domain tells beforehand what an account may do ([MS-ADTS] 3.1.1.4.5): which classes it may add
to a container (`allowedChildClassesEffective`), and which attributes of an object it may write
(`allowedAttributesEffective`). So nothing needs to be tried.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

from provisor.connectors.activedirectory.probe import REMEDIES, reached
from provisor.connectors.activedirectory.reader import AdReader
from provisor.connectors.activedirectory.settings import AdSettings
from provisor.connectors.activedirectory.shape import (
    CONTROL,
    MANAGER,
    MEMBER,
    NEVER_READ,
    SINGLE,
    USUAL,
    type_of,
)
from provisor.connectors.activedirectory.written import ACCOUNT, CLASSES, COMMON, LAST_SET, PASSWORD
from provisor.connectors.ldap.mapped import COMPUTED, PARENT, WHOLE_NAME
from provisor.connectors.ldap.reader import Kinds
from provisor.connectors.ldap.settings import Kind
from provisor.connectors.ldapwire.endpoint import Security
from provisor.connectors.ldapwire.messages import Found, Scope, Search
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
    wrong,
)
from provisor.model.rules import ACCOUNT_ENABLED, AttributeDefinition, AttributeType, Mutability
from provisor.ports import Clock

CHILDREN: Final = "allowedChildClassesEffective"
WRITABLE: Final = "allowedAttributesEffective"


class AdTargetProber:
    """Implements `ports.Prober` for a domain as a target."""

    def __init__(self, settings: AdSettings, kinds: Kinds, clock: Clock) -> None:
        self._settings, self._kinds = settings, kinds
        self._reader = AdReader(settings, kinds, clock)

    async def probe(self) -> ProbeReport:
        reader, found = self._reader, list[Finding]()
        try:
            await reader.probe()
            async for finding in self._look():
                found.append(finding)
        except AdapterError as error:
            found += not_let_in(error, reached(self._settings), REMEDIES)
        return report(reader.system, found)

    async def discover(self) -> DirectoryDefinition:
        schema = await self._reader.schema()
        kinds = self._reader.settings.kinds
        return DirectoryDefinition(
            tuple(ObjectDefinition(kind.name, tuple(offered(schema, kind))) for kind in kinds)
        )

    async def close(self) -> None:
        await self._reader.close()

    async def _look(self) -> AsyncIterator[Finding]:
        reader = self._reader
        yield reached(self._settings)
        who = await (await reader.session.connection()).who_am_i()
        yield fine(
            Topic.CREDENTIALS, "CredentialsAccepted", f"The domain knows us as {who or '?'}."
        )
        if self._settings.endpoint.security is Security.NONE:
            yield wrong(
                Topic.FEATURES,
                "NotPermitted",
                "The connection is not encrypted, so that nobody can be given a password and new "
                "accounts stay disabled.",
                "Use ldaps://, or `startTls: true`.",
            )
        schema = await reader.schema()
        for kind in reader.settings.kinds:
            if self._kinds and kind.name not in self._kinds:
                continue
            for finding in self._attributes(schema, kind):
                yield finding
            yield await self._may_add(kind.base, kind.name)
            async for finding in self._may_write(kind):
                yield finding
        if container := self._settings.disabled_container:
            yield await self._may_add(container, "User")
        yield fine(
            Topic.PERMISSIONS,
            "DeletingNotTried",
            "Whether objects may be deleted, and passwords be reset, was not tried: a domain does "
            "not tell that beforehand.",
        )
        yield self._conduct()

    async def _may_add(self, base: str, name: str) -> Finding:
        """Tell whether objects may be added to a container, or moved into it."""
        seen = await self._one(base, CHILDREN)
        if seen is None:
            message = f"There is no container '{base}', or the account does not see it."
            return wrong(Topic.OBJECTS, "UnprocessableEntity", message, "Make it, or correct it.")
        allowed = _texts(seen, CHILDREN)
        wanted = CLASSES[name][0]
        if wanted in allowed:
            message = f"{name} objects may be added to '{base}'."
            return fine(Topic.PERMISSIONS, "MayAdd", message)
        return wrong(
            Topic.PERMISSIONS,
            "InsufficientRights",
            f"The account may not add a {name} to '{base}'.",
            f'Allow it: dsacls "{base}" /G ACCOUNT:CCDC;{wanted}',
        )

    async def _may_write(self, kind: Kind) -> AsyncIterator[Finding]:
        """Tell of one object whether what is mapped may be written; of none there is no telling."""
        mapped = self._written(kind)
        found = await self._first(kind)
        if not mapped or found is None:
            return
        allowed = _texts(found, WRITABLE)
        lacking = sorted(name for name in mapped if name.lower() not in allowed)
        if lacking:
            yield wrong(
                Topic.PERMISSIONS,
                "InsufficientRights",
                f"The account may not write {', '.join(lacking)} of '{found.dn}'.",
                f"Let it write these attributes of every {kind.name} below '{kind.base}'.",
            )
        else:
            message = f"What is mapped may be written of '{found.dn}'."
            yield fine(Topic.PERMISSIONS, "MayWrite", message)

    def _written(self, kind: Kind) -> set[str]:
        """Return the attributes of the domain that the mapping writes."""
        found: set[str] = set()
        for one in self._kinds.get(kind.name, ()):
            if one.name == ACCOUNT_ENABLED:
                found |= {CONTROL}
            elif one.name == PASSWORD:
                found |= {LAST_SET}  # to set a password is a right of its own
            elif one.name == "members":
                found |= {MEMBER}
            elif one.name not in COMPUTED and one.mutability is not Mutability.READ_ONLY:
                found |= {one.name}
        return found

    def _attributes(self, schema: Schema, kind: Kind) -> Iterator[Finding]:
        if not schema.attributes:
            return
        mapped = {one.name for one in self._kinds.get(kind.name, ())} - COMPUTED - {"members"}
        unknown = sorted(name for name in mapped if schema.attribute(name) is None)
        if unknown:
            yield wrong(
                Topic.OBJECTS,
                "SchemaAttributeNotFound",
                f"The domain has no attribute {', '.join(unknown)}.",
                "Take them out of the mapping, or extend the schema of the domain.",
            )

    async def _one(self, dn: str, attribute: str) -> Found | None:
        search = Search(base=dn, scope=Scope.BASE, attributes=(attribute,))
        found, result = await self._reader.look(search)
        return found[0] if result.is_success and found else None

    async def _first(self, kind: Kind) -> Found | None:
        async for page in self._reader.list_all(kind.name):
            for entry in page.entries[:1]:
                return await self._one(self._reader.dns[entry.anchor], WRITABLE)
        return None

    def _conduct(self) -> Finding:
        settings = self._settings
        said = "Who is disabled is marked so in userAccountControl"
        said += (
            f" and moved to '{settings.disabled_container}'."
            if (settings.disabled_container)
            else "."
        )
        said += (
            " New accounts get the initial password of the settings"
            if settings.initial_password
            else " New accounts get a password that nobody knows, unless unicodePwd is mapped"
        )
        said += ", to be changed at once." if settings.must_change_password else "."
        return fine(Topic.CONDUCT, "Accounts", said)


def _texts(found: Found, attribute: str) -> set[str]:
    return {one.decode(errors="replace").lower() for one in found.values(attribute)}


def offered(schema: Schema, kind: Kind) -> Iterator[AttributeDefinition]:
    """Yield what objects of a kind may be told: what the directory has for their class."""
    yield AttributeDefinition(
        name=kind.anchor, is_anchor=True, is_case_exact=True, mutability=Mutability.READ_ONLY
    )
    is_group = kind.name == "Group"
    must, may = schema.takes(CLASSES[kind.name][0])
    asked: dict[str, str] = {}
    for name in (COMMON, ACCOUNT, *USUAL[kind.name], *sorted(must | may)):
        asked.setdefault(name.lower(), name)
    hidden = {*NEVER_READ, "memberof", kind.anchor.lower(), WHOLE_NAME.lower(), MEMBER}
    for low, name in asked.items():
        if low not in hidden and (not schema.attributes or schema.attribute(name) is not None):
            yield _defined(schema, name)
    yield AttributeDefinition(name=PARENT)
    if is_group:
        yield AttributeDefinition(
            name=MEMBER,
            type=AttributeType.REFERENCE,
            is_multivalued=True,
            refers_to=("User", "Group"),
        )
    else:
        yield AttributeDefinition(name=ACCOUNT_ENABLED, type=AttributeType.BOOLEAN)
        yield AttributeDefinition(name=PASSWORD, mutability=Mutability.WRITE_ONLY)


def _defined(schema: Schema, name: str) -> AttributeDefinition:
    if name == MANAGER:
        return AttributeDefinition(name=name, type=AttributeType.REFERENCE, refers_to=("User",))
    known = schema.attribute(name)
    is_single = name in SINGLE or known is None or known.is_single
    return AttributeDefinition(
        name=name,
        type=type_of(schema, name),
        is_required=name in (COMMON, ACCOUNT),
        is_multivalued=not is_single and name != COMMON,
        mutability=Mutability.READ_ONLY
        if known is not None and known.is_read_only
        else Mutability.READ_WRITE,
    )
