"""Changes and values as people read them."""

from __future__ import annotations

from provisor.cli.render import clean
from provisor.model.decisions import AttributeChange, TargetChange
from provisor.store.planfile import text_of

NAMES_SHOWN = 10
VALUE_LENGTH_MAX = 200


def change_text(change: TargetChange) -> str:
    """Return one change in a line."""
    if isinstance(change, AttributeChange):
        before, after = (value_text(text_of(value)) for value in (change.before, change.after))
        if change.before is None:
            return f"{change.name}: {after}"
        return f"{change.name}: {before} → {after}"
    parts: list[str] = []
    for sign, references in (("+", change.added), ("-", change.removed)):
        names = sorted(clean(one.anchor) for one in references)
        if names:
            more = f", … {len(names):,} in all" if len(names) > NAMES_SHOWN else ""
            parts.append(f"{sign} {', '.join(names[:NAMES_SHOWN])}{more}")
    return f"{change.name}: {'; '.join(parts)}"


def value_text(text: str | None) -> str:
    if text is None:
        return "(none)"
    text = clean(text)
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}…"
