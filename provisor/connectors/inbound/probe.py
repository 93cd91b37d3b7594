"""Looking at what was pushed so far, for whoever sets a job up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from provisor.connectors.inbound.source import InboundDirectory
from provisor.errors import AdapterError, Unreachable
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
from provisor.model.entries import Entry, Page, Reference, Scalar, Seen, Value
from provisor.model.rules import AttributeDefinition, AttributeType, Mutability

KINDS = ("User", "Group")


class InboundProber:
    """Implements `ports.Prober` for what is pushed through the API."""

    def __init__(self, directory: InboundDirectory, match: str) -> None:
        """`match` is the attribute that says which object is meant."""
        self._directory, self._match = directory, match

    async def probe(self) -> ProbeReport:
        found = [
            fine(
                Topic.CHANGES,
                "ChangesAreTold",
                "Each push is numbered: a cycle reads what was pushed since the last. Nobody is "
                "ever absent; who leaves is pushed as inactive.",
            ),
            fine(
                Topic.CONDUCT,
                "Conduct",
                "Objects are taken in by POST to bulkUpload, and kept in the store from then on.",
            ),
        ]
        try:
            entries = await self._entries()
        except AdapterError as error:
            remedy = "Restore a backup of the store, or push everything again."
            return report(
                self._directory.system, [wrong(Topic.CONNECTION, error.code, str(error), remedy)]
            )
        found.append(fine(Topic.CONNECTION, "StoreReadable", "What was pushed can be read."))
        found.append(_counted(entries))
        return report(self._directory.system, found)

    async def _entries(self) -> list[Entry]:
        entries: list[Entry] = []
        async for part in self._directory.pull(None):
            if isinstance(part, Page):
                entries += [change.entry for change in part.changes if isinstance(change, Seen)]
        return entries

    async def discover(self) -> DirectoryDefinition:
        try:
            entries = await self._entries()
        except AdapterError as error:
            raise Unreachable(str(error), code=error.code) from error
        kinds = {*(entry.kind for entry in entries)} or {*KINDS}
        return DirectoryDefinition(
            tuple(ObjectDefinition(kind, self._attributes(kind, entries)) for kind in sorted(kinds))
        )

    def _attributes(self, kind: str, entries: list[Entry]) -> tuple[AttributeDefinition, ...]:
        found = {
            self._match: AttributeDefinition(
                name=self._match,
                is_anchor=True,
                is_case_exact=True,
                is_required=True,
                mutability=Mutability.READ_ONLY,
            )
        }
        for entry in entries:
            if entry.kind == kind:
                _note(found, entry.attributes)
        return tuple(found.values())

    async def close(self) -> None:
        await self._directory.close()


def _counted(entries: list[Entry]) -> Finding:
    if not entries:
        return warning(
            Topic.OBJECTS,
            "SourceEmpty",
            "Nothing was pushed so far.",
            "Push people by POST to bulkUpload of this job.",
        )
    counts = Counter(entry.kind for entry in entries)
    told = ", ".join(f"{count:,} {kind}s" for kind, count in sorted(counts.items()))
    return fine(Topic.OBJECTS, "Pushed", f"So far {told} were pushed.")


def _note(found: dict[str, AttributeDefinition], attributes: Mapping[str, Value]) -> None:
    """Add attributes that were pushed; what was many once may be many again."""
    for name, value in attributes.items():
        known = found.get(name)
        is_many = isinstance(value, tuple)
        if known is None or (is_many and not known.is_multivalued and not known.is_anchor):
            found[name] = _definition(name, value)


def _definition(name: str, value: Value) -> AttributeDefinition:
    values = value if isinstance(value, tuple) else (value,)
    first: Scalar = values[0] if values else ""
    return AttributeDefinition(
        name=name,
        type=_type(first),
        is_multivalued=isinstance(value, tuple),
        refers_to=(first.kind,) if isinstance(first, Reference) else (),
    )


def _type(value: Scalar) -> AttributeType:
    match value:
        case bool():
            return AttributeType.BOOLEAN
        case int():
            return AttributeType.INTEGER
        case bytes():
            return AttributeType.BINARY
        case datetime():
            return AttributeType.DATE_TIME
        case Reference():
            return AttributeType.REFERENCE
        case str():
            return AttributeType.STRING
