"""Scoping clauses hold for a value, and never for the lack of one, except where that is asked."""

from __future__ import annotations

import pytest

from provisor.expressions import ExpressionError
from provisor.expressions.operators import (
    OPERATORS,
    clause_problem,
    evaluate_clause,
    operator_named,
    operator_schemas,
)
from provisor.model.entries import Value

HOLDS: list[tuple[str, list[str], Value]] = [
    ("EQUALS", ["sales"], "sales"),
    ("EQ", ["5"], 5),
    ("EQUALS", ["a", "b"], "b"),
    ("NOT EQUALS", ["sales"], "Sales"),
    ("IS TRUE", [], True),
    ("IS_TRUE", [], "TRUE"),
    ("IS FALSE", [], "false"),
    ("IS FALSE", [], False),
    ("IS NOT NULL", [], "x"),
    ("IS NOT NULL", [], 0),
    ("IS NOT NULL", [], False),
    ("REGEX MATCH", [".*\\@domain.com"], "ada@domain.com"),
    ("REGEX MATCH", ["([1-9][0-9])"], "1000"),
    ("REGEX_MATCH", ["(1[0-9][0-9][0-9][0-9][0-9][0-9])"], 1234567),
    ("NOT REGEX MATCH", ["^[A-Z]"], "ada"),
    ("GREATER_THAN", ["9"], "10"),
    ("Greater_Than", ["9"], 10),
    ("Greater_Than_OR_EQUALS", ["10"], 10),
    ("Includes", ["am"], "name"),
    ("ENDS WITH", ["me"], "name"),
    ("&", ["2"], 514),
    ("&", ["sales,marketing"], "sales"),
    ("!&", ["4"], 514),
    ("!&", ["sales,marketing"], "Sales"),
]

FAILS: list[tuple[str, list[str], Value]] = [
    ("EQUALS", ["sales"], "Sales"),
    ("NOT EQUALS", ["a", "b"], "b"),
    ("IS TRUE", [], "yes"),
    ("IS TRUE", [], 1),
    ("IS NULL", [], "x"),
    ("REGEX MATCH", ["A"], "a"),
    ("NOT REGEX MATCH", ["a"], "a"),
    ("GREATER_THAN", ["10"], 10),
    ("GREATER_THAN", ["-1"], 10),
    ("GREATER_THAN", ["1"], "1.5"),
    ("GREATER_THAN", ["1"], "many"),
    ("INCLUDES", ["AM"], "name"),
    ("ENDS_WITH", ["ME"], "name"),
    ("&", ["1"], 514),
    ("!&", ["2"], 514),
]


@pytest.mark.parametrize(("operator", "values", "value"), HOLDS)
def test_a_clause_holds(operator: str, values: list[str], value: Value) -> None:
    assert evaluate_clause(operator, values, value) is True


@pytest.mark.parametrize(("operator", "values", "value"), FAILS)
def test_a_clause_does_not_hold(operator: str, values: list[str], value: Value) -> None:
    assert evaluate_clause(operator, values, value) is False


@pytest.mark.parametrize("operator", [one.name for one in OPERATORS])
@pytest.mark.parametrize("nothing", [None, "", (), ("",)])
def test_without_a_value_only_is_null_holds(operator: str, nothing: Value | None) -> None:
    assert evaluate_clause(operator, ["1"], nothing) is (operator == "IS NULL")


def test_a_list_holds_when_all_of_it_does() -> None:
    assert evaluate_clause("INCLUDES", ["a"], ("ab", "ca"))
    assert not evaluate_clause("INCLUDES", ["a"], ("ab", "cd"))


def test_an_integer_delivered_as_text_has_bits_where_its_type_is_known() -> None:
    assert evaluate_clause("&", ["2"], "514", "Integer")
    assert not evaluate_clause("&", ["2"], "514")


@pytest.mark.parametrize(
    ("operator", "values"), [("IsMemberOf", ["x"]), ("EQUALS", []), ("REGEX MATCH", ["("])]
)
def test_a_clause_that_should_not_have_been_saved_is_an_error(
    operator: str, values: list[str]
) -> None:
    with pytest.raises(ExpressionError):
        evaluate_clause(operator, values, "x")


@pytest.mark.parametrize(
    ("operator", "values", "kind", "multivalued", "problem"),
    [
        ("EQUALS", ["a"], "String", False, None),
        ("IS NULL", [], "Binary", False, None),
        ("IS NULL", [""], "String", False, None),
        ("IsMemberOf", ["a"], "String", False, "there is no operator"),
        ("EQUALS", [], "String", False, "needs a value"),
        ("IS TRUE", ["a"], "Boolean", False, "takes no value"),
        ("EQUALS", ["a"], "String", True, "multi-valued"),
        ("EQUALS", ["a"], "Reference", False, "not Reference"),
        ("EQUALS", ["a"], "DateTime", False, "not DateTime"),
        ("GREATER_THAN", ["x"], "Integer", False, "whole number"),
        ("NOT_REGEX_MATCH", ["["], "String", False, "regular expression"),
    ],
)
def test_a_clause_is_checked_before_it_is_saved(
    operator: str, values: list[str], kind: str, multivalued: bool, problem: str | None
) -> None:
    found = clause_problem(operator, values, kind, multivalued)

    assert found is None if problem is None else problem in (found or "")


def test_the_list_of_the_api_begins_with_the_documented_eight() -> None:
    schemas = operator_schemas()

    assert [schema["name"] for schema in schemas[:8]] == [
        "EQUALS", "NOT EQUALS", "IS TRUE", "IS FALSE",
        "IS NULL", "IS NOT NULL", "REGEX MATCH", "NOT REGEX MATCH",
    ]  # fmt: skip
    assert len(schemas) == 14
    assert schemas[4] == {
        "id": "IS NULL",
        "name": "IS NULL",
        "arity": "Unary",
        "multivaluedComparisonType": "All",
        "supportedAttributeTypes": ["Integer", "String", "Binary", "Boolean"],
    }


def test_every_spelling_leads_to_the_operator() -> None:
    for spelling in ("not regex match", "NOT_REGEX_MATCH", "Not Regex_Match"):
        found = operator_named(spelling)
        assert found is not None
        assert found.name == "NOT REGEX MATCH"
