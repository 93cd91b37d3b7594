"""Replace and its six meanings (spec: expression 6.4)."""

from __future__ import annotations

from collections.abc import Sequence

from provisor.expressions.context import RESULT_MAX
from provisor.expressions.dotnet_regex import compile_pattern
from provisor.expressions.errors import ExpressionError
from provisor.expressions.functions.shape import (
    Example,
    Function,
    Implementation,
    Parameter,
    Variant,
    too_long,
)
from provisor.expressions.values import Operand, to_text, to_text_or_null

SOURCE, FIND, PATTERN, GROUP, REPLACEMENT, PROPERTY, TEMPLATE = range(7)


def literal(text: str, old: str, new: str) -> str:
    """Replace every occurrence. An empty `old` occurs nowhere."""
    if not old:
        return text
    if len(new) > len(old):
        grown = len(text) + text.count(old) * (len(new) - len(old))
        if grown > RESULT_MAX:
            raise too_long()
    return text.replace(old, new)


def replace_literal(source: Operand, old: Operand, new: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else literal(text, to_text(old), to_text(new))


def fill_template(source: Operand, old: Operand, template: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else literal(to_text(template), to_text(old), text)


def replace_pattern(source: Operand, pattern: Operand, replacement: Operand) -> Operand:
    text = to_text_or_null(source)
    if text is None:
        return None
    return compile_pattern(_pattern(pattern)).replace(text, to_text(replacement))


def replace_group(source: Operand, pattern: Operand, group: Operand, new: Operand) -> Operand:
    text = to_text_or_null(source)
    if text is None:
        return None
    return compile_pattern(_pattern(pattern)).replace_group(text, to_text(group), to_text(new))


def fall_back(source: Operand, pattern: Operand, group: Operand, other: Operand) -> Operand:
    text = to_text(source)
    if text:
        return text
    alternative = to_text_or_null(other)
    if alternative is None:
        return None
    return compile_pattern(_pattern(pattern)).first(alternative, to_text(group))


def _pattern(value: Operand) -> str:
    pattern = to_text_or_null(value)
    if pattern is None:
        raise ExpressionError("the regular expression is null")
    return pattern


MODES: tuple[tuple[tuple[int, ...], Implementation], ...] = (
    ((FIND, TEMPLATE), fill_template),
    ((PATTERN, GROUP, PROPERTY), fall_back),
    ((PATTERN, GROUP, REPLACEMENT), replace_group),
    ((PATTERN, REPLACEMENT), replace_pattern),
    ((FIND, REPLACEMENT), replace_literal),
    ((FIND, PROPERTY), replace_literal),
)
"""What must be given, in the order in which it is looked for, and what runs then."""


def variant(given: Sequence[bool]) -> Variant:
    """Return the meaning that these arguments have. Raises ExpressionError if they have none."""
    for needed, implementation in MODES:
        if all(position < len(given) and given[position] for position in needed):
            return Variant(implementation, (SOURCE, *needed))
    raise ExpressionError(
        "needs Find with Replacement, ReplacementPropertyName or Template; or RegularExpression "
        "with Replacement, or with RegularExpressionGroupName and ReplacementPropertyName"
    )


def _optional(name: str) -> Parameter:
    return Parameter(name, is_required=False)


_PHONE = r'"\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})"'

FUNCTIONS = (
    Function(
        name="Replace",
        parameters=(
            Parameter("source"),
            _optional("Find"),
            _optional("RegularExpression"),
            _optional("RegularExpressionGroupName"),
            _optional("Replacement"),
            _optional("ReplacementPropertyName"),
            _optional("Template"),
        ),
        implementation=replace_literal,
        variants=variant,
        each=0,
        summary="Replaces within text. What it does depends on which arguments are given; they are "
        "looked for in the order of the list below, and case always counts.",
        notes="""
1. `Find` and `Template`: the template, with every `Find` in it replaced by the source.
2. `RegularExpression`, `RegularExpressionGroupName` and `ReplacementPropertyName`: the source if it
   has a value, else what the group matches in the other attribute.
3. `RegularExpression`, `RegularExpressionGroupName` and `Replacement`: in every match only what the
   group matched is replaced.
4. `RegularExpression` and `Replacement`: every match is replaced; `$1`, `${name}`, `$&` and `$$`
   mean what they mean in .NET.
5. `Find` and `Replacement`: every occurrence is replaced, without patterns.
6. `Find` and `ReplacementPropertyName`: the same, with the attribute's value.

Text without a match comes back unchanged. A null source stays null in all but the second.""",
        examples=(
            Example('Replace("EN-US", "-", , , "_", , )', "EN_US"),
            Example(
                'Replace("jsmith", "<user>", , , , , "<user>@contoso.com")', "jsmith@contoso.com"
            ),
            Example(
                f'Replace("+91 9998887777", , {_PHONE}, , "${{phoneNumber}}", , )', "9998887777"
            ),
            Example(
                'Replace("545 Tremont Street", , "(?<number>^\\\\d*)", "number", "888", , )',
                "888 Tremont Street",
            ),
            Example(
                f'Replace([phone], , {_PHONE}, "phoneNumber", , [mobile], )',
                "8887779999",
                {"mobile": "+91 8887779999"},
            ),
        ),
    ),
)
