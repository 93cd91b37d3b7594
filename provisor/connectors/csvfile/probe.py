"""Looking at CSV files for whoever sets a job up: can they be read, and what is in them?"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from provisor.connectors.csvfile.columns import GROUP, MANAGER, MEMBERS, OBJECT_ID, USER
from provisor.connectors.csvfile.reader import look
from provisor.connectors.csvfile.settings import CsvSettings
from provisor.connectors.csvfile.source import CsvSource
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
from provisor.model.entries import Page, ReadFault, Receipt
from provisor.model.rules import ACCOUNT_ENABLED, AttributeDefinition, AttributeType, Mutability
from provisor.ports import Clock

HEADER_CHARACTERS_MAX = 65_536
TOLD_MAX = 5
AGAIN = "Put the file right, or write it anew under another name and rename it; then probe again."


class CsvProber:
    """Implements `ports.Prober` for CSV files."""

    def __init__(
        self, settings: CsvSettings, clock: Clock, required: Mapping[str, frozenset[str]]
    ) -> None:
        """`required` names, by kind, the attributes that mappings and filters read."""
        self._settings = settings
        self._source = CsvSource(settings, clock, required)

    async def probe(self) -> ProbeReport:
        found = list(self._files())
        if all(one.topic is not Topic.CONNECTION or not one.remedy for one in found):
            found += await self._read()
        return report(self._source.system, found)

    def _files(self) -> Iterator[Finding]:
        chosen = self._settings
        for path in (*chosen.users, *chosen.groups, *chosen.members):
            try:
                size = look(path).size
            except AdapterError as error:
                yield wrong(Topic.CONNECTION, error.code, _sentence(error), AGAIN)
            else:
                yield fine(
                    Topic.CONNECTION, "FileFound", f"{path.name} is there, {size:,} bytes of it."
                )
        yield fine(
            Topic.CHANGES,
            "ReadAsWhole",
            "Files do not tell what changed: each cycle reads them as a whole and compares.",
        )
        yield self._manifest()

    def _manifest(self) -> Finding:
        if self._settings.manifest is None:
            return warning(
                Topic.CHANGES,
                "NoManifest",
                "Nothing vouches for the number of rows: a file that shrinks is held until "
                "somebody approves that very content.",
                "Let whoever writes the files write a manifest too, and name it in `manifest`.",
            )
        return fine(
            Topic.CHANGES,
            "Manifest",
            f"{self._settings.manifest.name} vouches for the files: absence is believed.",
        )

    async def _read(self) -> list[Finding]:
        """Read everything once, as a cycle would."""
        faults: list[ReadFault] = []
        rows: Mapping[str, int] = {}
        try:
            async for part in self._source.pull(None):
                match part:
                    case Page(faults=more):
                        faults += more
                    case Receipt():
                        rows = Counter(part.rows)
        except AdapterError as error:
            return [wrong(Topic.OBJECTS, error.code, _sentence(error), AGAIN)]
        counts = ", ".join(f"{count:,} {kind}s" for kind, count in rows.items())
        found = [fine(Topic.OBJECTS, "ReadToTheEnd", f"A whole read shows {counts or 'nobody'}.")]
        for fault in faults[:TOLD_MAX]:
            message = f"{fault.where}: {fault.message}."
            found.append(warning(Topic.OBJECTS, "SourceRowInvalid", message, "Put this row right."))
        if not rows.get(USER):
            found.append(
                warning(
                    Topic.OBJECTS,
                    "SourceEmpty",
                    "There are no people in the files.",
                    "Name the file that holds them in `users`.",
                )
            )
        found.append(
            fine(
                Topic.CONDUCT,
                "Conduct",
                "Every cycle reads all files as one snapshot; who is not in them counts as gone.",
            )
        )
        return found

    async def discover(self) -> DirectoryDefinition:
        for path in (*self._settings.users, *self._settings.groups):
            look(path)
        found = definitions_of(self._settings)
        return DirectoryDefinition(
            tuple(ObjectDefinition(kind, tuple(known)) for kind, known in found.items())
        )

    async def close(self) -> None:
        await self._source.close()


def _sentence(error: AdapterError) -> str:
    text = str(error)
    return text if text.endswith(".") else f"{text}."


def definitions_of(settings: CsvSettings) -> Mapping[str, Sequence[AttributeDefinition]]:
    """Return the columns that the headers show; nothing of a file that cannot be read yet."""
    found: dict[str, dict[str, AttributeDefinition]] = {}
    for kind, files in ((USER, settings.users), (GROUP, settings.groups)):
        for file in files:
            names = _names(settings, file)
            if names:
                known = found.setdefault(kind, {OBJECT_ID: _definition(settings, OBJECT_ID)})
                known.update((name, _definition(settings, name)) for name in names)
    if GROUP in found and settings.members:
        found[GROUP][MEMBERS] = AttributeDefinition(
            name=MEMBERS,
            type=AttributeType.REFERENCE,
            is_multivalued=True,
            refers_to=(USER, GROUP),
        )
    return {kind: tuple(known.values()) for kind, known in found.items()}


def _names(settings: CsvSettings, file: Path) -> list[str]:
    form = settings.format
    try:
        with file.open(encoding=form.encoding, newline="") as opened:
            line = opened.readline(HEADER_CHARACTERS_MAX).removeprefix("\ufeff")
    except (OSError, UnicodeError):
        return []
    quoting = csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE
    cells = csv.reader([line], delimiter=form.delimiter, quotechar=form.quote, quoting=quoting)
    header = next(cells, list[str]())
    names = (settings.name_of(label.strip()) for label in header)
    return [name for name in names if name]


def _definition(settings: CsvSettings, name: str) -> AttributeDefinition:
    if name == OBJECT_ID:
        return AttributeDefinition(
            name=name,
            is_anchor=True,
            is_case_exact=True,
            is_required=True,
            mutability=Mutability.READ_ONLY,
        )
    if name == MANAGER:
        return AttributeDefinition(name=name, type=AttributeType.REFERENCE, refers_to=(USER,))
    if name == ACCOUNT_ENABLED:
        return AttributeDefinition(name=name, type=AttributeType.BOOLEAN)
    columns = settings.multivalued or frozenset()
    is_split = name in {settings.name_of(column) for column in columns}
    return AttributeDefinition(name=name, is_multivalued=is_split)
