"""What other rules change of objects that are at rest: one look at each, without deciding anew.

Most objects come out as they were, whatever is edited. What is told here is what `planner.decide`
concludes; whatever is not plain is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from provisor.expressions import Answer, ExpressionError, attributes_of
from provisor.expressions.evaluate import may_flow
from provisor.model.decisions import AttributeChange
from provisor.model.entries import Attributes, Entry
from provisor.model.rules import (
    ACCOUNT_ENABLED,
    IS_SOFT_DELETED,
    AttributeMapping,
    AttributeType,
    Filter,
    FlowBehavior,
    Flows,
    ObjectMapping,
)
from provisor.planner.diff import diff
from provisor.planner.mapping import Excluded, Unmappable, map_source
from provisor.planner.record import NAMES
from provisor.planner.scope import evaluate_filter
from provisor.planner.terms import Terms, terms_of
from provisor.ports import Resting, Wanted

Changes: TypeAlias = tuple[AttributeChange, ...]


@dataclass(frozen=True, slots=True)
class Sieve:
    asked: Wanted
    """All that it looks at, and the names by which people know an object."""
    changes: Callable[[Resting], Changes | None]
    """Returns what changes of an object; nothing, most of the time. None: it has to be decided."""


def narrowed(before: Terms | None, after: Terms) -> Terms:
    """Return the terms without the attributes that are mapped as before, but for those that may
    leave out a whole object, and those that travel along with any change."""
    known = before.mapping.attributes if before is not None else ()
    attributes = tuple(
        m
        for m in after.mapping.attributes
        if m not in known
        or (m.source is not None and may_flow(m.source))
        or m.flow_behavior is FlowBehavior.FLOW_ALWAYS
    )
    return terms_of(replace(after.mapping, attributes=attributes), after.policy, after.context)


def sieve(before: Terms | None, after: Terms) -> Sieve:
    """Return what tells, of each object at rest under `before`, what `after` changes."""
    narrow = narrowed(before, after)
    asked = Wanted(frozenset(_read(narrow)), frozenset(m.target.name for m in narrow.plain))
    if before is None or before.pointing != after.pointing:
        return Sieve(asked, lambda resting: None)
    evaluate, context = narrow.evaluate, narrow.context
    is_wanted = _gates(after)
    names = tuple(m.target.name for m in narrow.plain)
    are_texts = all(map(_is_text, narrow.plain))
    can_update = Flows.UPDATE in after.mapping.flows

    def changes(resting: Resting) -> Changes | None:
        source, image = resting.source, resting.image
        if not is_wanted(source, resting.is_assigned):
            return () if image is None else None
        if image is None:
            return None
        source[IS_SOFT_DELETED] = False
        try:
            raw = evaluate(source, context)
            # The commonest case by far: text that is there already has to be fitted to nothing.
            if are_texts and _are_said(names, raw, image):
                return ()
            return _differing(narrow, resting, image) if can_update else ()
        except (ExpressionError, Unmappable, Excluded):
            return None

    return Sieve(asked, changes)


def _read(narrow: Terms) -> Iterator[str]:
    yield from (*NAMES, ACCOUNT_ENABLED, IS_SOFT_DELETED)
    for mapping in narrow.plain:
        if mapping.source is not None:
            yield from attributes_of(mapping.source)
    for conditions in _filters(narrow.mapping):
        yield from (clause.attribute for group in conditions for clause in group.clauses)


def _is_text(mapping: AttributeMapping) -> bool:
    target = mapping.target
    is_single = target.type is AttributeType.STRING and not target.is_multivalued
    return is_single and mapping.source is not None


def _are_said(names: Iterable[str], raw: Mapping[str, Answer], image: Attributes) -> bool:
    for name in names:
        value = raw[name]
        if value != image.get(name) or not (value is None or isinstance(value, str)):
            return False
    return True


def _differing(narrow: Terms, resting: Resting, image: Attributes) -> Changes | None:
    """Return the changes; None where a value has to be chosen."""
    entry = Entry(narrow.mapping.source_kind, resting.anchor, resting.source)
    mapped = map_source(narrow, entry, is_soft_deleted=False)
    return None if mapped.unique else diff(narrow.plain, mapped, image, {})


def _gates(terms: Terms) -> Callable[[Attributes, bool], bool]:
    """Return whether a source object that is there is wanted, as `planner.scope` says it."""
    filters = _filters(terms.mapping)
    syncs_all = terms.policy.sync_all

    def is_wanted(source: Attributes, is_assigned: bool) -> bool:
        if not (syncs_all or is_assigned) or source.get(IS_SOFT_DELETED) is True:
            return False
        if source.get(ACCOUNT_ENABLED) is False:
            return False
        return not filters or all(evaluate_filter(one, source)[0] for one in filters)

    return is_wanted


def _filters(mapping: ObjectMapping) -> tuple[Filter, ...]:
    return tuple(f for f in (mapping.scope, mapping.input_filter, mapping.category_filter) if f)
