"""What a target was asked and answered about one object, as may be told (spec: behaviour 17.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from provisor.connectors.around.trace import Exchange, Trace
from provisor.connectors.http.replies import Redactor
from provisor.engine.on_demand import OnDemand
from provisor.model.decisions import AttributeChange, Create, Export, Update
from provisor.model.entries import NO_ATTRIBUTES, Value
from provisor.model.expressions import attributes_of
from provisor.model.rules import ObjectMapping, Rules

SHOWN_MAX = 20
"""Exchanges that are told, the latest of all."""
BODY_MAX = 2_048
"""Characters of a body that are told."""


def overheard(trace: Trace, found: Iterable[OnDemand], rules: Rules) -> tuple[Exchange, ...]:
    """Return the exchanges without any value that a mapping of these objects redacts."""
    hidden = [text for one in found for text in _hidden(one, rules[one.standing.key.mapping])]
    redactor = Redactor().also(hidden)
    return tuple(_told(one, redactor) for one in tuple(trace.exchanges)[-SHOWN_MAX:])


def overheard_of_failure(trace: Trace, rules: Rules) -> tuple[Exchange, ...]:
    """Return the exchanges before something failed that says nothing of single objects.

    Which values would have been written is not known then: where any is to be redacted, none is
    told, and of addresses no query.
    """
    latest = tuple(trace.exchanges)[-SHOWN_MAX:]
    if any(m.is_redacted for mapping in rules.values() for m in mapping.attributes):
        return tuple(
            replace(one, address=one.address.partition("?")[0], sent="", answered="")
            if one.protocol == "HTTP"
            else replace(one, address="", sent="", answered="")
            for one in latest
        )
    return tuple(_told(one, Redactor()) for one in latest)


def _told(one: Exchange, redactor: Redactor) -> Exchange:
    return replace(
        one,
        address=redactor.clean(one.address),
        sent=_cut(redactor.clean(one.sent)),
        answered=_cut(redactor.clean(one.answered)),
    )


def _cut(text: str) -> str:
    return text if len(text) <= BODY_MAX else f"{text[:BODY_MAX]} \u2026"


def _hidden(one: OnDemand, mapping: ObjectMapping) -> Iterator[str]:
    """Yield every value that must not be told: what is read, what is written, what was there."""
    redacted = [m for m in mapping.attributes if m.is_redacted]
    sources = {name for m in redacted if m.source for name in attributes_of(m.source)}
    targets = {m.target.name for m in redacted}
    entry, link = one.standing.source, one.standing.link
    read = entry.attributes if entry else NO_ATTRIBUTES
    known = link.image.attributes if link and link.image else NO_ATTRIBUTES
    values = [value for name, value in read.items() if name in sources]
    values += [value for name, value in known.items() if name in targets]
    values += [value for name, value in _written(one) if name in targets]
    for value in values:
        yield from _texts(value)


def _written(one: OnDemand) -> Iterator[tuple[str, Value]]:
    match one.decision.resolution:
        case Export(write=Create(attributes=attributes)):
            yield from attributes.items()
        case Export(write=Update(changes=changes)):
            for change in changes:
                if isinstance(change, AttributeChange):
                    yield from ((change.name, v) for v in (change.before, change.after) if v)
        case _:
            pass


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in a value; true and false are no secret by themselves."""
    match value:
        case None | bool():
            pass
        case str():
            yield from (value,) if value else ()
        case tuple() | list() | frozenset():
            for part in value:  # pyright: ignore[reportUnknownVariableType]
                yield from _texts(part)  # pyright: ignore[reportUnknownArgumentType]
        case _:
            yield str(value)
