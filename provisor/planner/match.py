"""What would find an object in the target (spec: behaviour 6)."""

from __future__ import annotations

from collections.abc import Mapping

from provisor.model.entries import Attributes, Entry, MatchQuery, Value
from provisor.model.rules import IS_SOFT_DELETED, AttributeDefinition, AttributeMapping
from provisor.planner.mapping import fit
from provisor.planner.terms import Terms


def matching_attributes(terms: Terms) -> tuple[AttributeMapping, ...]:
    """Return the matching attributes, first to be tried first."""
    return terms.matching


def matching_queries(terms: Terms, source: Entry) -> tuple[MatchQuery, ...]:
    """Return the queries that may find this object in the target, best first.

    A matching attribute without a value asks nothing: it would match every such object.
    Raises ExpressionError, Unmappable.
    """
    attributes: Attributes = {**source.attributes, IS_SOFT_DELETED: False}
    raw = terms.evaluate_matching(attributes, terms.context)
    queries: list[MatchQuery] = []
    for mapping in matching_attributes(terms):
        value = fit(mapping, raw.get(mapping.target.name))
        if value is not None and value != "" and not isinstance(value, tuple):
            queries.append(MatchQuery(terms.mapping.target_kind, mapping.target.name, value))
    return tuple(queries)


def answers(terms: Terms, attributes: Attributes, stamp: str) -> tuple[MatchQuery, ...]:
    """Return what a create with these attributes would answer to, surest first.

    `stamp` is an attribute that nobody edits, where the target has one that is mapped.
    """
    names = [stamp] if stamp in attributes else []
    names += [m.target.name for m in matching_attributes(terms) if m.target.name != stamp]
    return tuple(
        MatchQuery(terms.mapping.target_kind, name, attributes[name])
        for name in names
        if name in attributes and attributes[name] != ""
    )


def normal(query: MatchQuery, definitions: Mapping[str, AttributeDefinition]) -> MatchQuery:
    """Return a query as claims and listings are compared: without case unless it matters."""
    definition = definitions.get(query.attribute)
    is_exact = definition is not None and definition.is_case_exact
    if is_exact or not isinstance(query.value, str):
        return query
    return MatchQuery(query.kind, query.attribute, query.value.casefold())


def without_case(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def definitions_of(terms: Terms) -> Mapping[str, AttributeDefinition]:
    return terms.definitions


def listed_answers(terms: Terms, entry: Entry, stamp: str) -> tuple[MatchQuery, ...]:
    """Return the normalised queries that a listed target object answers to."""
    definitions = definitions_of(terms)
    return tuple(normal(q, definitions) for q in answers(terms, entry.attributes, stamp))
