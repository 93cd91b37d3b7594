"""What would find an object in the target: by priority, never by nothing, whatever the case."""

from __future__ import annotations

import pytest

from provisor.model.entries import Anchor, Entry, MatchQuery, Value
from provisor.planner.match import (
    answers,
    definitions_of,
    listed_answers,
    matching_queries,
    normal,
)
from tests.table.rules import attribute, entry, mapping_of, terms

RULES = terms(
    mapping_of(
        [
            attribute("userName", "[mail]", matching_priority=2),
            attribute("employeeId", "[number]", matching_priority=1, is_case_exact=True),
            attribute("externalId", "[id]"),
            attribute("displayName", "[name]"),
        ]
    )
)


def query(attribute_name: str, value: Value) -> MatchQuery:
    return MatchQuery("User", attribute_name, value)


def test_matching_attributes_are_tried_by_priority() -> None:
    queries = matching_queries(RULES, entry(mail="Ada@x.org", number="7", name="Ada"))

    assert queries == (query("employeeId", "7"), query("userName", "Ada@x.org"))


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_attribute_without_a_value_asks_nothing(nothing: str | None) -> None:
    source = entry(mail="ada@x.org") if nothing is None else entry(mail="ada@x.org", number=nothing)

    assert matching_queries(RULES, source) == (query("userName", "ada@x.org"),)


def test_whoever_has_no_value_for_any_of_them_cannot_be_found() -> None:
    assert matching_queries(RULES, entry(name="Ada")) == ()


def test_the_value_asked_for_is_the_mapped_one() -> None:
    given = terms(mapping_of([attribute("userName", "ToLower([mail])", matching_priority=1)]))

    assert matching_queries(given, entry(mail="ADA@x.org")) == (query("userName", "ada@x.org"),)


def test_matching_sees_nobody_as_departed() -> None:
    source = 'IIF([IsSoftDeleted]="True", "gone", [mail])'
    given = terms(mapping_of([attribute("userName", source, matching_priority=1)]))

    queries = matching_queries(given, entry(mail="ada@x.org", IsSoftDeleted=True))

    assert queries == (query("userName", "ada@x.org"),)


def test_a_create_answers_to_its_stamp_first() -> None:
    said = {"externalId": "4711", "userName": "ada@x.org", "employeeId": "7", "displayName": "Ada"}

    assert answers(RULES, said, "externalId") == (
        query("externalId", "4711"),
        query("employeeId", "7"),
        query("userName", "ada@x.org"),
    )
    assert answers(RULES, said, "") == (query("employeeId", "7"), query("userName", "ada@x.org"))


def test_a_stamp_that_is_not_mapped_finds_nothing() -> None:
    assert answers(RULES, {"employeeId": "7"}, "externalId") == (query("employeeId", "7"),)


def test_a_stamp_that_is_matched_by_is_asked_for_once() -> None:
    said = {"userName": "ada@x.org", "employeeId": "7"}

    assert answers(RULES, said, "userName") == (
        query("userName", "ada@x.org"),
        query("employeeId", "7"),
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("userName", "ADA@x.org", "ada@x.org"),
        ("userName", "STRASSE", "strasse"),
        ("userName", "straße", "strasse"),
        ("employeeId", "X7", "X7"),
        ("unknown", "X7", "x7"),
        ("userName", 7, 7),
    ],
)
def test_queries_are_compared_without_case_unless_it_counts(
    name: str, value: Value, expected: Value
) -> None:
    assert normal(query(name, value), definitions_of(RULES)) == query(name, expected)


def test_a_listed_object_answers_to_what_would_search_for_it() -> None:
    listed = Entry("User", Anchor("t1"), {"userName": "ADA@x.org", "employeeId": "X7", "title": ""})

    assert listed_answers(RULES, listed, "") == (
        query("employeeId", "X7"),
        query("userName", "ada@x.org"),
    )
