"""A tree to its canonical text: parsing that gives the tree again."""

from __future__ import annotations

from decimal import Decimal

from provisor.expressions.errors import INVALID, ExpressionError
from provisor.expressions.lexer import Kind, tokenize
from provisor.model.expressions import (
    Attribute,
    Call,
    Comparison,
    Concat,
    Constant,
    Expression,
    Keyword,
)


def print_expression(e: Expression) -> str:
    """Return the canonical text: one space after a comma, arguments left out keep their place.

    Raises ExpressionError for an attribute whose name cannot be written in brackets.
    """
    match e:
        case Attribute(name):
            return _attribute(name)
        case Constant(value):
            return constant_text(value)
        case Keyword(word):
            return word.value
        case Call(function, arguments):
            written = ("" if part is None else print_expression(part) for part in arguments)
            return f"{function}({', '.join(written)})"
        case Concat(parts):
            return " & ".join(print_expression(part) for part in parts)
        case Comparison(comparator, left, right):
            return f"{print_expression(left)} {comparator} {print_expression(right)}"


def constant_text(value: str | int | Decimal) -> str:
    if isinstance(value, str):
        return quote(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def quote(text: str) -> str:
    """Return the text as the language quotes it; backslash and quote are escaped, nothing else."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _attribute(name: str) -> str:
    if not is_attribute_name(name):
        raise ExpressionError(f"[{name[:60]}] cannot be read back as one attribute", INVALID)
    return f"[{name}]"


def is_attribute_name(name: str) -> bool:
    """True when brackets around the name make exactly this attribute."""
    if name.replace(".", "").isalnum():
        return True
    try:
        first, *rest = tokenize(f"[{name}]")
    except ExpressionError:
        return False
    return first.kind is Kind.ATTRIBUTE and first.value == name and len(rest) == 1
