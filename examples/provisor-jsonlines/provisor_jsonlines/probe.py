"""Looking at a file of JSON lines for whoever sets a job up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from provisor.errors import AdapterError
from provisor.model.directories import (
    DirectoryDefinition,
    ObjectDefinition,
    ProbeReport,
    Topic,
    fine,
    report,
    warning,
    wrong,
)
from provisor.model.entries import Entry, Reference, Value
from provisor.model.rules import AttributeDefinition, AttributeType, Mutability
from provisor_jsonlines.reading import Content, read_file
from provisor_jsonlines.source import JsonLinesSource

FAULTS_TOLD_MAX = 5


class JsonLinesProber:
    """Implements `provisor.ports.Prober`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def probe(self) -> ProbeReport:
        system = JsonLinesSource(self._path).system
        try:
            content = await asyncio.to_thread(read_file, self._path)
        except AdapterError as error:
            remedy = "Write the file under another name and rename it when it is whole."
            return report(system, [wrong(Topic.CONNECTION, error.code, f"{error}.", remedy)])
        counts = ", ".join(f"{count:,} {kind}" for kind, count in content.rows.items())
        found = [
            fine(Topic.CONNECTION, "FileFound", f"{self._path.name} is there, and whole."),
            fine(Topic.OBJECTS, "ReadToTheEnd", f"A whole read shows {counts or 'nobody'}."),
            fine(Topic.CHANGES, "ReadAsWhole", "A file does not tell what changed."),
            fine(Topic.CONDUCT, "Conduct", "Every cycle reads the file as one snapshot."),
        ]
        found += [
            warning(
                Topic.OBJECTS,
                "SourceRowInvalid",
                f"{fault.where}: {fault.message}.",
                "Put this line right: until then nobody of this kind is taken for gone.",
            )
            for fault in content.faults[:FAULTS_TOLD_MAX]
        ]
        return report(system, found)

    async def discover(self) -> DirectoryDefinition:
        content = await asyncio.to_thread(read_file, self._path)
        return DirectoryDefinition(
            tuple(ObjectDefinition(kind, known) for kind, known in _known(content).items())
        )

    async def close(self) -> None:
        """Nothing is held open."""


def known_attributes(path: Path) -> Mapping[str, Sequence[AttributeDefinition]]:
    """Return the attributes that the file shows now; nothing where it cannot be read."""
    try:
        return _known(read_file(path))
    except AdapterError:
        return {}


def _known(content: Content) -> Mapping[str, tuple[AttributeDefinition, ...]]:
    by_kind: dict[str, list[Entry]] = {}
    for entry in content.entries.values():
        by_kind.setdefault(entry.kind, []).append(entry)
    return {kind: _attributes(entries, by_kind) for kind, entries in by_kind.items()}


def _attributes(entries: Iterable[Entry], kinds: Iterable[str]) -> tuple[AttributeDefinition, ...]:
    values: dict[str, list[Value]] = {}
    for entry in entries:
        for name, value in entry.attributes.items():
            values.setdefault(name, []).append(value)
    return tuple(_definition(name, shown, frozenset(kinds)) for name, shown in values.items())


def _definition(name: str, shown: Sequence[Value], kinds: frozenset[str]) -> AttributeDefinition:
    if name == "objectId":
        return AttributeDefinition(
            name=name,
            is_anchor=True,
            is_case_exact=True,
            is_required=True,
            mutability=Mutability.READ_ONLY,
        )
    scalars = [one for value in shown for one in (value if isinstance(value, tuple) else (value,))]
    refers_to = {one.kind for one in scalars if isinstance(one, Reference)}
    kind_of_value = AttributeType.STRING
    if refers_to:
        kind_of_value = AttributeType.REFERENCE
    elif all(isinstance(one, bool) for one in scalars):
        kind_of_value = AttributeType.BOOLEAN
    elif all(isinstance(one, int) for one in scalars):
        kind_of_value = AttributeType.INTEGER
    return AttributeDefinition(
        name=name,
        type=kind_of_value,
        is_multivalued=any(isinstance(value, tuple) for value in shown),
        refers_to=tuple(sorted(refers_to & kinds)),
    )
