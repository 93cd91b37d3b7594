"""An example run through the rules of a job: what comes out otherwise than it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from provisor.expressions import Answer, ExpressionError, compile_mappings
from provisor.expressions.rendering import Rendered, rendered
from provisor.model.decisions import Standing, StandingKey
from provisor.model.entries import Anchor, Attributes, Entry, Reference, Value
from provisor.model.rules import IS_SOFT_DELETED, ObjectMapping, Rules
from provisor.planner.mapping import Excluded, NeedsUnique, Unmappable, creation, map_source
from provisor.planner.scope import facts, is_excluded
from provisor.planner.terms import Terms
from provisor.settings.examples import Example
from provisor.store.planfile import text_of

REDACTED = "[Redact]"


@dataclass(frozen=True, slots=True)
class Difference:
    """What came out otherwise than expected."""

    what: str
    """A target attribute, `inScope` or `error`."""
    expected: Rendered
    found: Rendered


def mapping_of(rules: Rules, example: Example) -> ObjectMapping | None:
    """Return the mapping that an example names: by its name, or by the kind it takes."""
    for name, mapping in rules.items():
        if example.mapping in ("", name, mapping.source_kind):
            return mapping
    return None


def differences(terms: Terms, example: Example) -> Iterator[Difference]:
    """Yield everything that comes out otherwise than the example says."""
    mapping = terms.mapping
    source = Entry(mapping.source_kind, Anchor(example.name), example.source)
    if example.in_scope is not None:
        standing = Standing(key=StandingKey(mapping.name, source.anchor), source=source)
        is_in = facts(mapping, terms.policy, standing).is_effectively_entitled
        is_in = is_in and not is_excluded(mapping, standing)
        if is_in is not example.in_scope:
            yield Difference("inScope", str(example.in_scope), str(is_in))
    if not example.target and not example.error:
        return
    try:
        values = _values(terms, source, example)
    except Excluded:
        yield from _refusal(example, "IgnoreObjectFlow", "the object is left alone")
    except (ExpressionError, Unmappable) as error:
        yield from _refusal(example, error.code, str(error))
    else:
        if example.error:
            yield Difference("error", example.error, None)
        yield from _unlike(mapping, example, values)


def _refusal(example: Example, code: str, reason: str) -> Iterator[Difference]:
    if code != example.error:
        yield Difference("error", example.error or None, f"{code}: {reason}")


def _unlike(
    mapping: ObjectMapping, example: Example, values: Mapping[str, Value]
) -> Iterator[Difference]:
    hidden = {m.target.name for m in mapping.attributes if m.is_redacted}
    written = {m.target.name for m in mapping.attributes}
    for name, expected in example.target.items():
        if name not in written:
            yield Difference(name, _told(expected), f"no mapping of {mapping.name} writes it")
        elif (found := _text(values.get(name))) != expected:
            yield Difference(name, _told(expected), REDACTED if name in hidden else found)


def _told(expected: object) -> Rendered:
    return expected if isinstance(expected, str | None) else msgspec.convert(expected, list[str])


def _text(value: Value | None) -> Rendered:
    if isinstance(value, tuple):
        return [text_of(one) or "" for one in value]
    return text_of(value) if isinstance(value, Reference) else rendered(value)


def _values(terms: Terms, source: Entry, example: Example) -> Mapping[str, Value]:
    """Return what the rules make of an example: of a new object all values, of one that leaves
    those that a disable sends. Raises ExpressionError, Unmappable, Excluded."""
    is_leaving = source.attributes.get(IS_SOFT_DELETED) is True
    mapped = map_source(terms, source, is_soft_deleted=is_leaving)
    if is_leaving:
        return {name: value for name, value in mapped.values.items() if value is not None}
    chosen: dict[str, Value] = {}
    while True:
        try:
            return {**creation(terms, mapped, chosen), **_pointing(terms, source.attributes)}
        except NeedsUnique as need:
            chosen[need.target] = _free(need, example)


def _free(need: NeedsUnique, example: Example) -> Value:
    taken = {value.lower() for value in example.taken}
    for value in need.candidates.values:
        if str(value).lower() not in taken:
            return value
    raise Unmappable("UniqueValueExhausted", f"all candidates for {need.target} are in use")


def _pointing(terms: Terms, attributes: Attributes) -> dict[str, Value]:
    """Return what references point at, by the anchors in the source."""
    pairs = [(m.target.name, m.source) for m in terms.pointing if m.source is not None]
    found: Mapping[str, Answer] = compile_mappings(pairs)(attributes, terms.context)
    return {n: v for n, v in found.items() if isinstance(v, str | tuple | Reference)}
