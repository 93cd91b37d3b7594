"""CSV files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from provisor.connectors.catalog.connector import (
    CHECKED,
    Complaint,
    Settings,
    Surroundings,
    required,
)
from provisor.model.rules import AttributeDefinition
from provisor.ports import Prober, Source


def check_csv(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.csvfile.settings import Invalid, parse

    parsed = parse(settings, base)
    if isinstance(parsed, Invalid):
        return [Complaint(problem.path, problem.message) for problem in parsed.problems]
    return ()


def csv_definitions(settings: Settings, base: Path) -> Mapping[str, Sequence[AttributeDefinition]]:
    """Return the columns that the headers show; nothing of a file that cannot be read yet."""
    from provisor.connectors.csvfile.probe import definitions_of
    from provisor.connectors.csvfile.settings import Invalid, parse

    parsed = parse(settings, base)
    return {} if isinstance(parsed, Invalid) else definitions_of(parsed)


def open_csv(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.csvfile.memory import Memory
    from provisor.connectors.csvfile.settings import CsvSettings, parse
    from provisor.connectors.csvfile.source import CsvSource

    parsed = parse(settings, around.base)
    assert isinstance(parsed, CsvSettings), CHECKED
    memory = None
    if around.documents is not None:
        memory = Memory(around.documents, around.owner, parsed.format.encoding)
    return CsvSource(parsed, around.clock, required(around.rules), memory=memory)


def probe_csv(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.csvfile.probe import CsvProber
    from provisor.connectors.csvfile.settings import CsvSettings, parse

    parsed = parse(settings, around.base)
    assert isinstance(parsed, CsvSettings), CHECKED
    return CsvProber(parsed, around.clock, required(around.rules))
