"""What would fail for every object alike is said when the mapping is saved, all of it at once."""

from __future__ import annotations

import pytest

from provisor.expressions import Expression, parse
from provisor.expressions.check import Severity, Use, check_expression
from provisor.model.expressions import Attribute, Call, Constant
from provisor.model.rules import AttributeDefinition, AttributeType, FlowType

KNOWN = {
    "mail": AttributeDefinition(name="mail"),
    "manager": AttributeDefinition(name="manager", type=AttributeType.REFERENCE),
}
USE = Use(attributes=KNOWN, target="userName")
AT_CREATION = Use(attributes=KNOWN, target="userName", flow_type=FlowType.OBJECT_ADD_ONLY)


def codes(text: str, use: Use = USE) -> list[str]:
    return [problem.code for problem in check_expression(parse(text), use)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[mial]", "UnknownAttribute"),
        ('Switch([manager], "x")', "SwitchOnReference"),
        ("IIF(IgnoreFlowIfNullOrEmpty([mail]), 1, 2)", "FlowAsCondition"),
        ('IIF([mail] = "x", IgnoreObjectFlow, 1)', "IgnoreObjectFlowMisplaced"),
        ('Replace([mail], "x")', "InvalidCall"),
        ('Replace([mail], , "(", , "", , )', "InvalidArgument"),
        ('Replace([mail], , "(?<a>x)", "b", "", , )', "InvalidArgument"),
        ('DateAdd("q", 1, Now())', "InvalidArgument"),
        ('DateDiff("D", Now(), Now())', "InvalidArgument"),
        ('Left([mail], "x")', "InvalidArgument"),
        ("Left([mail], 1.5)", "InvalidArgument"),
        ('FormatDateTime([mail], , "\'", "s")', "InvalidArgument"),
        ('FormatDateTime([mail], "Sometimes", "o", "s")', "InvalidArgument"),
        ('ToLower([mail], "no culture")', "InvalidArgument"),
    ],
)
def test_an_error_is_found(text: str, code: str) -> None:
    (problem,) = check_expression(parse(text), USE)

    assert (problem.code, problem.severity) == (code, Severity.ERROR)
    assert problem.remedy


@pytest.mark.parametrize(
    "text",
    ["Guid()", "RandomString(6, 1, 1, 1, 1)"],
)
def test_what_is_drawn_anew_is_warned_of_unless_it_flows_at_creation_only(text: str) -> None:
    (problem,) = check_expression(parse(text), USE)

    assert (problem.code, problem.severity) == ("DrawnAtEveryExport", Severity.WARNING)
    assert check_expression(parse(text), AT_CREATION) == ()


def test_a_switch_on_a_truth_is_warned_of() -> None:
    (problem,) = check_expression(parse('Switch(IsPresent([mail]), "a", "True", "b")'), USE)

    assert (problem.code, problem.severity) == ("SwitchOnBoolean", Severity.WARNING)


def test_select_unique_value_stands_at_the_top_of_a_mapping_for_creation() -> None:
    text = 'SelectUniqueValue([mail], "b")'

    assert codes(text, AT_CREATION) == []
    assert codes(text) == ["SelectUniqueValueAtEveryExport"]
    assert codes(f"ToLower({text})", AT_CREATION) == ["SelectUniqueValueNested"]
    matching = Use(is_matching=True, flow_type=FlowType.OBJECT_ADD_ONLY)
    assert codes(text, matching) == ["SelectUniqueValueOnMatching"]


def test_ignore_object_flow_is_at_home_in_the_object_filter() -> None:
    text = 'IIF([mail] = "x", "False", IgnoreObjectFlow)'

    assert codes(text, Use(attributes=KNOWN, target="objectFilter")) == []


def test_all_problems_are_told_at_once_with_their_places() -> None:
    tree = parse('Append([mial], Left([nmae], "x"))')

    found = [(problem.code, problem.where) for problem in check_expression(tree, USE)]

    assert found == [
        ("UnknownAttribute", "[mial]"),
        ("InvalidArgument", 'Left([nmae], "x")'),
        ("UnknownAttribute", "[nmae]"),
    ]


def test_trees_that_no_text_gives_are_refused_too() -> None:
    deep: Expression = Attribute("mail")
    for _ in range(100):
        deep = Call("Trim", (deep,))
    long = Constant("x" * 10_001)

    assert [problem.code for problem in check_expression(deep, USE)] == ["ExpressionTooDeep"]
    assert [problem.code for problem in check_expression(long, USE)] == ["ExpressionTooLong"]
    assert [problem.code for problem in check_expression(Call("Nope"), USE)] == ["InvalidCall"]
    assert [p.code for p in check_expression(Attribute("a]"), USE)] == ["AttributeNameUnwritable"]


def test_whether_an_object_is_soft_deleted_needs_no_definition() -> None:
    assert codes("Not([IsSoftDeleted])") == []


def test_without_knowledge_of_the_source_every_attribute_will_do() -> None:
    assert check_expression(parse("[anything]"), Use()) == ()
