"""How much a schema may hold: one code for each limit, so that programs know which it was.

What goes beyond is told with all else that is wrong, and the schema before stays in force. The
limits of expressions are those of `expressions.context`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast

from msgspec import Struct

from provisor.graph.problems import Problems
from provisor.graph.schema.codes import Code
from provisor.graph.wire import schemas as wire
from provisor.graph.wire.coding import properties

DOCUMENT_BYTES_MAX = 8 << 20
DIRECTORIES_MAX = 16
OBJECTS_MAX = 200
ATTRIBUTES_MAX = 5_000
RULES_MAX = 64
OBJECT_MAPPINGS_MAX = 64
ATTRIBUTE_MAPPINGS_MAX = 1_000
CLAUSES_MAX = 1_000
ENTRIES_MAX = 5_000
"""Of every other list: metadata, parameters of a function, values of a clause."""
NAME_LENGTH_MAX = 1_024
"""Characters of what names something."""
VALUE_LENGTH_MAX = 32_768
"""Characters of every other text but an expression."""


class _Count(NamedTuple):
    code: Code
    what: str
    most: int


_COUNTS: Mapping[tuple[type[Struct], str], _Count] = {
    (wire.SynchronizationSchema, "directories"): _Count(
        Code.TOO_MANY_DIRECTORIES, "directories", DIRECTORIES_MAX
    ),
    (wire.DirectoryDefinition, "objects"): _Count(Code.TOO_MANY_OBJECTS, "objects", OBJECTS_MAX),
    (wire.ObjectDefinition, "attributes"): _Count(
        Code.TOO_MANY_ATTRIBUTES, "attributes", ATTRIBUTES_MAX
    ),
    (wire.SynchronizationSchema, "synchronizationRules"): _Count(
        Code.TOO_MANY_RULES, "rules", RULES_MAX
    ),
    (wire.SynchronizationRule, "objectMappings"): _Count(
        Code.TOO_MANY_OBJECT_MAPPINGS, "object mappings", OBJECT_MAPPINGS_MAX
    ),
    (wire.ObjectMapping, "attributeMappings"): _Count(
        Code.TOO_MANY_ATTRIBUTE_MAPPINGS, "attribute mappings", ATTRIBUTE_MAPPINGS_MAX
    ),
}
_NAMES = frozenset(
    (
        "discoveryDateTime",
        "id",
        "key",
        "name",
        "operatorName",
        "referencedObjectName",
        "referencedProperty",
        "sourceDirectoryName",
        "sourceObjectName",
        "sourceOperandName",
        "targetAttributeName",
        "targetDirectoryName",
        "targetObjectName",
        "version",
    )
)


def check_limits(schema: wire.SynchronizationSchema, problems: Problems) -> None:
    """Note everything of which there is too much."""
    for at, holder, name, value in _everything(schema, problems):
        match value:
            case str() if name != "expression":
                _check_text(holder, name, value, at)
            case tuple():
                _check_count(type(holder), name, len(cast("tuple[object, ...]", value)), at)
            case wire.Filter():
                _check_clauses(value, at)
            case _:
                pass


def _everything(node: Struct, problems: Problems) -> Iterator[tuple[Problems, Struct, str, object]]:
    """Yield every property of the document with its place, its holder and its name."""
    for p in properties(type(node)):
        value: object = getattr(node, p.name)
        at = problems.at(p.wire_name)
        yield at, node, p.wire_name, value
        if isinstance(value, Struct):
            yield from _everything(value, at)
        elif isinstance(value, tuple):
            for index, item in enumerate(cast("tuple[object, ...]", value)):
                if isinstance(item, Struct):
                    yield from _everything(item, at.at(index))
                elif isinstance(item, str):
                    yield at.at(index), node, "", item


def _check_text(holder: Struct, name: str, text: str, at: Problems) -> None:
    # The name of a constant is its value.
    is_name = name in _NAMES and not isinstance(holder, wire.AttributeMappingSource)
    most = NAME_LENGTH_MAX if is_name else VALUE_LENGTH_MAX
    if len(text) > most:
        code = Code.NAME_TOO_LONG if is_name else Code.VALUE_TOO_LONG
        at.error(code, f"{len(text)} characters are too long; at most {most} may be.")


def _check_count(holder: type[Struct], name: str, count: int, at: Problems) -> None:
    usual = _Count(Code.TOO_MANY_ENTRIES, "entries", ENTRIES_MAX)
    code, what, most = _COUNTS.get((holder, name), usual)
    if count > most:
        at.error(code, f"{count} {what} are too many; at most {most} may be.")


def _check_clauses(scope: wire.Filter, at: Problems) -> None:
    groups = (*scope.groups, *scope.input_filter_groups, *scope.category_filter_groups)
    count = len(groups) + sum(len(group.clauses) for group in groups)
    if count > CLAUSES_MAX:
        at.error(
            Code.TOO_MANY_CLAUSES,
            f"{count} groups and clauses are too many; at most {CLAUSES_MAX} may be.",
        )
