"""People and groups in a file of JSON lines: the connector that Provisor finds by its entry point.

Nothing but names is imported here, so that whoever only asks for help waits for no adapter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provisor.connectors.catalog import Complaint, Connector, Settings, Surroundings

if TYPE_CHECKING:
    from provisor.model.rules import AttributeDefinition
    from provisor.ports import Prober, Source


def _check(settings: Settings, base: Path) -> Sequence[Complaint]:
    """Say all that is wrong with the settings; whether the file is there is a probe's question."""
    unknown = [Complaint(name, "there is no such setting") for name in settings if name != "file"]
    file = settings.get("file")
    if not isinstance(file, str) or not file:
        return [*unknown, Complaint("file", "names the file to read: `people.jsonl`")]
    return unknown


def _path(settings: Settings, base: Path) -> Path:
    file = settings["file"]
    assert isinstance(file, str), "settings are checked before they are used"
    return base / file


def _definitions(settings: Settings, base: Path) -> Mapping[str, Sequence[AttributeDefinition]]:
    from provisor_jsonlines.probe import known_attributes

    return known_attributes(_path(settings, base))


def _open(settings: Settings, around: Surroundings) -> Source:
    from provisor_jsonlines.source import JsonLinesSource

    return JsonLinesSource(_path(settings, around.base))


def _probe(settings: Settings, around: Surroundings) -> Prober:
    from provisor_jsonlines.probe import JsonLinesProber

    return JsonLinesProber(_path(settings, around.base))


CONNECTOR = Connector(
    title="A file of JSON lines",
    check=_check,
    definitions=_definitions,
    open_source=_open,
    probe_source=_probe,
)
