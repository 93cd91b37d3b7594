"""What an administrative act changed, as the audit tells it: old and new, and never a secret."""

from __future__ import annotations

from collections.abc import Mapping

from provisor.graph.credentials import MASK, MASKED
from provisor.model.audit import Altered
from provisor.settings.leaves import flatten

ALTERED_MAX, TEXT_LENGTH_MAX = 200, 400
"""More than so many changes are counted; longer texts are cut."""


def altered(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Altered, ...]:
    """Return what differs, by the way to it."""
    old, new = flatten(before), flatten(after)
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


def _shown(name: str, said: Mapping[str, str]) -> str:
    return MASK if name in MASKED and name in said else _text(said.get(name))


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= TEXT_LENGTH_MAX else f"{text[:TEXT_LENGTH_MAX]}…"
