"""What nobody here knows of a schema comes back, wherever it stood: only spelling may differ."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from provisor.graph.schema.document import canonical, read_schema, write_schema

EXPORTED = sorted(Path(__file__).parent.glob("schema-*.json"))


def salted(node: Any, numbers: Iterator[int]) -> Any:
    """Return JSON with a property more in every object: one that Graph may have next year."""
    if isinstance(node, dict):
        more: dict[str, Any] = {f"future{next(numbers)}": {"deep": [True, None, {"a": []}]}}
        held = cast("dict[str, Any]", node)
        return {name: salted(value, numbers) for name, value in held.items()} | more
    if isinstance(node, list):
        return [salted(one, numbers) for one in cast("list[Any]", node)]
    return node


def lost(given: Any, returned: Any, path: str = "$") -> Iterator[str]:
    """Yield where something that was given did not come back. Annotations are not properties, null
    is what is not said, and lists of flags are written with a blank after the comma."""
    if isinstance(given, dict):
        for name, value in cast("dict[str, Any]", given).items():
            if "@odata" not in name and value is not None:
                held = cast("dict[str, Any]", returned) if isinstance(returned, dict) else {}
                yield from lost(value, held.get(name), f"{path}.{name}")
    elif isinstance(given, list):
        items = cast("list[Any]", returned) if isinstance(returned, list) else []
        for index, one in enumerate(cast("list[Any]", given)):
            yield from lost(one, items[index] if index < len(items) else None, f"{path}[{index}]")
    elif given != returned and str(given).replace(",", ", ") != returned:
        yield path


@pytest.mark.parametrize("file", EXPORTED, ids=lambda file: file.stem)
def test_everything_comes_back(file: Path) -> None:
    given = salted(json.loads(file.read_text(encoding="utf-8")), itertools.count())
    schema, _ = read_schema(json.dumps(given).encode())
    assert schema is not None

    written = write_schema(canonical(schema))

    assert list(lost(given, json.loads(written))) == []
    again, _ = read_schema(written)
    assert again is not None
    assert write_schema(canonical(again)) == written
