"""What an administrative act changed, as the audit tells it: old and new, and never a secret."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import cast

from msgspec import structs

from provisor.expressions.evaluate import REDACTED
from provisor.graph.credentials import MASK, MASKED
from provisor.graph.schema.document import canonical
from provisor.graph.wire.coding import plain
from provisor.graph.wire.schemas import SynchronizationSchema
from provisor.model.audit import Altered
from provisor.model.rules import Mutability
from provisor.settings.leaves import flatten

ALTERED_MAX, TEXT_LENGTH_MAX = 200, 400
"""More than so many changes are counted; longer texts are cut."""
NAMED_BY = ("targetAttributeName", "name", "key", "id", "sourceOperandName")
"""What names an element of a list."""


def altered(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Altered, ...]:
    """Return what differs, by the way to it."""
    return _differing(flatten(before), flatten(after))


def altered_schema(
    before: SynchronizationSchema, after: SynchronizationSchema
) -> tuple[Altered, ...]:
    """Return what differs between two schemas, by the way to it: elements by their names."""
    old, new = (_leaves(one) for one in (before, after))
    return _differing(old, new)


def _differing(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[Altered, ...]:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    found = [Altered(name, _text(old.get(name)), _text(new.get(name)))
             for name in names[:ALTERED_MAX]]  # fmt: skip
    if len(names) > ALTERED_MAX:
        found.append(Altered("further changes", "", str(len(names) - ALTERED_MAX)))
    return tuple(found)


def altered_secrets(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Altered, ...]:
    """Return which secrets are otherwise; what may not be shown is a mask, before and after."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return tuple(Altered(name, *(_shown(name, said) for said in (before, after)))
                 for name in names)  # fmt: skip


# what a schema says


def _leaves(schema: SynchronizationSchema) -> dict[str, object]:
    whole = structs.replace(canonical(schema), id="", version=None)
    hidden = frozenset(
        attribute.name
        for directory in whole.directories
        for kind in directory.objects
        for attribute in kind.attributes
        if attribute.mutability is Mutability.WRITE_ONLY
    )
    found: dict[str, object] = {}
    _gather(plain(whole), "", hidden, found)
    return found


def _gather(value: object, path: str, hidden: Collection[str], found: dict[str, object]) -> None:
    """Note every leaf below a value. What flows into what nobody may read is not shown."""
    match value:
        case dict():
            held = cast(dict[str, object], value)
            is_hidden = held.get("targetAttributeName") in hidden
            for name, inner in held.items():
                # An expression says what its parameters say again.
                if name != "parameters" and inner not in (None, [], {}):
                    below = f"{path}.{name}" if path else name
                    is_value = is_hidden and name in ("source", "defaultValue")
                    _gather(_digest(inner) if is_value else inner, below, hidden, found)
        case list():
            for label, inner in _labelled(cast(list[object], value)):
                _gather(inner, f"{path}[{label}]", hidden, found)
        case str() if "Redact(" in value:
            found[path] = _digest(value)
        case _:
            found[path] = value


def _labelled(items: Sequence[object]) -> Iterable[tuple[str, object]]:
    """Return elements with what names them: a name of their own, else where they stand."""
    names = [_name(one) for one in items]
    is_telling = all(names) and len(set(names)) == len(names)
    return zip(names if is_telling else map(str, range(len(items))), items, strict=True)


def _name(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    held = cast(dict[str, object], item)
    return next((str(held[key]) for key in NAMED_BY if held.get(key)), "")


class _Hidden(str):
    """A value that is compared, and never shown."""

    __slots__ = ()


def _digest(value: object) -> _Hidden:
    return _Hidden(hashlib.sha256(repr(value).encode()).hexdigest())


def _shown(name: str, said: Mapping[str, str]) -> str:
    return MASK if name in MASKED and name in said else _text(said.get(name))


def _text(value: object) -> str:
    text = "" if value is None else REDACTED if isinstance(value, _Hidden) else str(value)
    return text if len(text) <= TEXT_LENGTH_MAX else f"{text[:TEXT_LENGTH_MAX]}…"
