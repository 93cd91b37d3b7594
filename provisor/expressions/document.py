"""The reference of functions and operators, written from their tables: docs/functions.md."""

from __future__ import annotations

from provisor.expressions.functions import GROUPS, Example, Form, Function, signature
from provisor.expressions.functions.shape import Parameter
from provisor.expressions.operators import OPERATORS, Operator
from provisor.expressions.values import Operand, inner_text

HEADER = """\
<!-- Written by provisor/expressions/document.py from the tables of functions and operators. -->

# Functions of the mapping language

An expression is a call of a function, an attribute in brackets, or a constant:
`Join(" ", [givenName], [surname])`. Arguments may be left out between their commas, positions count
from 1, and `?` marks a parameter that may be left out, `…` one that repeats. The names of functions
are known in any case of writing and stored as written here.

Text stands in double quotes; within them `\\\\` is a backslash and `\\"` a quote, so that the
pattern `\\d+` is written `"\\\\d+"`. Values are compared with `=`, `<>`, `>`, `>=`, `<` and `<=`,
and joined with `&`. `IgnoreAttributeFlow` in place of a value keeps the attribute out of the
export.

A function of one text that is given a list works on each of its values.
"""


def functions_page() -> str:
    """Return the whole reference as Markdown, with a newline at its end."""
    parts = [HEADER]
    for title, functions in GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [_function(function) for function in functions]
    parts.append(_operators())
    return "\n".join(parts)


def function_page(function: Function) -> str:
    """Return what the reference says of one function."""
    return _function(function)


def _function(function: Function) -> str:
    lines = [f"### {function.name}", "", f"`{signature(function)}`", "", function.summary]
    if function.notes:
        lines += [function.notes]
    if function.parameters:
        lines += ["", "Takes " + ", ".join(map(_parameter, function.parameters)) + "."]
    if function.form is not Form.STRICT:
        lines += ["", f"Evaluates {function.form.value}."]
    if function.examples:
        lines += ["", "| Expression | Attributes | Result |", "|---|---|---|"]
        lines += [_example(example) for example in function.examples]
    return "\n".join([*lines, ""])


def _parameter(parameter: Parameter) -> str:
    marks = [parameter.type.value]
    if not parameter.is_required:
        marks.append("optional")
    if parameter.repeats:
        marks.append("repeats")
    return f"`{parameter.name}` ({', '.join(marks)})"


def _example(example: Example) -> str:
    given = ", ".join(
        f"`{name}` = {_value(value)}"
        for name, value in example.attributes.items()
        if f"[{name}]" in example.text
    )
    return f"| {_code(example.text)} | {given} | {_value(example.output)} |"


def _value(value: Operand) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return ", ".join(_code(inner_text(one)) for one in value)
    return _code(inner_text(value)) if value != "" else "empty text"


def _code(text: str) -> str:
    """Return code as a table cell holds it."""
    return f"`{text}`".replace("|", "\\|")


def _operators() -> str:
    lines = [
        "# Operators of scoping filters",
        "",
        "Clauses of a group all have to hold, of several groups one. Without a value no operator",
        "holds but IS NULL, the negated ones included. Case counts.",
        "",
        "| Operator | Also written | Takes a value | Attribute types | Holds when |",
        "|---|---|---|---|---|",
        *map(_operator, OPERATORS),
        "",
    ]
    return "\n".join(lines)


def _operator(operator: Operator) -> str:
    others = ", ".join(_code(alias) for alias in operator.aliases)
    takes = "yes" if operator.arity == "Binary" else "no"
    types = ", ".join(kind.value for kind in operator.types)
    return f"| {_code(operator.name)} | {others} | {takes} | {types} | {operator.summary} |"
