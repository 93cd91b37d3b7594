"""Conditions, choices and the flow of attributes (spec: expression 6.2)."""

from __future__ import annotations

from typing import Never

from provisor.expressions.context import Flow
from provisor.expressions.errors import ExpressionError
from provisor.expressions.functions.shape import Example, Form, Function, Parameter, Result
from provisor.expressions.values import Operand, is_empty, is_null, to_boolean, to_text
from provisor.model.rules import AttributeType

BOOLEAN = AttributeType.BOOLEAN


def ignore_if_empty(value: Operand) -> Result:
    return Flow.DROP if is_empty(value) else value


def is_present(value: Operand) -> Operand:
    return not is_empty(value)


def is_string(value: Operand) -> Operand:
    one = value[0] if isinstance(value, tuple) and len(value) == 1 else value
    return isinstance(one, str)


def negate(value: Operand) -> Operand:
    # Only what says "true" is negated; a number, even 1, is not the text True.
    one = value[0] if isinstance(value, tuple) and len(value) == 1 else value
    return not (one is True or (isinstance(one, str) and one.lower() == "true"))


def error(message: Operand) -> Never:
    raise ExpressionError(to_text(message))


FUNCTIONS = (
    Function(
        name="IIF",
        parameters=(
            Parameter("condition", BOOLEAN),
            Parameter("valueIfTrue"),
            Parameter("valueIfFalse"),
        ),
        form=Form.IIF,
        summary="One of two values. Only the chosen one is computed. There is no AND or OR: put "
        "one IIF into the other.",
        examples=(
            Example('IIF([country] = "USA", [country], [department])', "USA", {"country": "USA"}),
        ),
    ),
    Function(
        name="Switch",
        parameters=(
            Parameter("source"),
            Parameter("defaultValue", is_required=False),
            Parameter("switchValue", is_required=False, repeats=True),
        ),
        form=Form.SWITCH,
        repeats_min=0,
        is_paired=True,
        summary="The value behind the first key that equals the source, case included; else the "
        'default, which is null where it is left out. The key "" stands for null and empty.',
        examples=(
            Example(
                'Switch([state], "Australia/Sydney", "QLD", "Australia/Brisbane")',
                "Australia/Brisbane",
                {"state": "QLD"},
            ),
            Example('Switch([country], [country], "", "Other")', "Other"),
        ),
    ),
    Function(
        name="Coalesce",
        parameters=(Parameter("source", repeats=True),),
        form=Form.COALESCE,
        summary="The first argument that is not null. Empty text is a value.",
        examples=(Example('Coalesce([mail], "none")', "none"),),
    ),
    Function(
        name="IgnoreFlowIfNullOrEmpty",
        parameters=(Parameter("expression"),),
        implementation=ignore_if_empty,
        summary="The value; without one the attribute takes no part in the export, so that the "
        "target keeps what it has.",
        examples=(Example('IgnoreFlowIfNullOrEmpty("Dr.")', "Dr."),),
    ),
    Function(
        name="IsNull",
        parameters=(Parameter("Expression"),),
        implementation=is_null,
        summary="True when the attribute is absent.",
        examples=(Example("IsNull([displayName])", "True"),),
    ),
    Function(
        name="IsNothing",
        parameters=(Parameter("source", BOOLEAN),),
        implementation=is_null,
        summary="Another name of IsNull.",
        examples=(Example("IsNothing([displayName])", "True"),),
    ),
    Function(
        name="IsNullOrEmpty",
        parameters=(Parameter("Expression"),),
        implementation=is_empty,
        summary="True when the attribute is absent or empty text.",
        examples=(Example("IsNullOrEmpty([displayName])", "True", {"displayName": ""}),),
    ),
    Function(
        name="IsPresent",
        parameters=(Parameter("Expression"),),
        implementation=is_present,
        summary="True when the attribute has a value other than empty text.",
        examples=(Example("IsPresent([manager])", "True", {"manager": "x"}),),
    ),
    Function(
        name="IsString",
        parameters=(Parameter("Expression"),),
        implementation=is_string,
        summary="True for text, false for anything else and for null.",
        examples=(Example('IsString("a")', "True"), Example("IsString(1)", "False")),
    ),
    Function(
        name="Not",
        parameters=(Parameter("source", BOOLEAN),),
        implementation=negate,
        summary="False for True in any case of writing, True for everything else, null included.",
        examples=(Example('Not("True")', "False"), Example("Not([absent])", "True")),
    ),
    Function(
        name="CBool",
        parameters=(Parameter("Expression"),),
        implementation=to_boolean,
        summary="True for True and for numbers other than 0, else False. Takes a comparison.",
        examples=(Example('CBool("5")', "True"), Example('CBool("a" = "b")', "False")),
    ),
    Function(
        name="Error",
        parameters=(Parameter("message"),),
        implementation=error,
        summary="Refuses the object with this message; it is tried again later.",
        examples=(),
    ),
)
