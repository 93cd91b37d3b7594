"""Functions of multi-valued attributes and of numbers (spec: expression 6.3)."""

from __future__ import annotations

import re

from provisor.expressions.errors import ExpressionError
from provisor.expressions.functions.shape import Example, Form, Function, Parameter
from provisor.expressions.values import Operand, inner_text, is_null, many, to_integer, to_text
from provisor.model.rules import AttributeType

INTEGER = AttributeType.INTEGER
_HEX = re.compile(r"&H([0-9A-Fa-f]{1,16})", re.ASCII)


def count(values: Operand) -> Operand:
    return len(many(values))


def item(values: Operand, index: Operand) -> Operand:
    listed, wanted = many(values), to_integer(index, "index")
    if not 1 <= wanted <= len(listed):
        raise ExpressionError(f"there is no value {wanted}, only {len(listed)}")
    return listed[wanted - 1]


def item_or_null(values: Operand, index: Operand) -> Operand:
    listed, wanted = many(values), to_integer(index, "index")
    return listed[wanted - 1] if 1 <= wanted <= len(listed) else None


def contains(values: Operand, sought: Operand) -> Operand:
    part = to_text(sought)
    texts = [inner_text(value) for value in many(values)]
    return next((number for number, text in enumerate(texts, 1) if part in text), 0)


def remove_duplicates(values: Operand) -> Operand:
    if not isinstance(values, tuple):
        return values
    first = {inner_text(value): value for value in reversed(values)}
    order = dict.fromkeys(map(inner_text, values))
    return tuple(first[text] for text in order) or None


def bit_and(one: Operand, other: Operand) -> Operand:
    if is_null(one) or is_null(other):
        return None
    return _bits(one, "value1") & _bits(other, "value2")


def is_bit_set(value: Operand, flag: Operand) -> Operand:
    if is_null(value) or is_null(flag):
        return False
    return _bits(value, "value") & _bits(flag, "flag") != 0


def _bits(value: Operand, what: str) -> int:
    """Return a number, which may also be text in hexadecimal: `&HF7`."""
    hexadecimal = _HEX.fullmatch(value) if isinstance(value, str) else None
    return int(hexadecimal[1], 16) if hexadecimal else to_integer(value, what)


def redact(value: Operand) -> Operand:
    return value


_ADDRESSES = {"proxyAddresses": ("a@x", "b@x", "a@x")}

FUNCTIONS = (
    Function(
        name="Count",
        parameters=(Parameter("attribute"),),
        implementation=count,
        summary="How many values there are; null has none.",
        examples=(Example("Count([proxyAddresses])", "3", _ADDRESSES),),
    ),
    Function(
        name="Item",
        parameters=(Parameter("attribute"), Parameter("index", INTEGER)),
        implementation=item,
        summary="The value at an index counted from 1. An index without a value is an error.",
        examples=(Example("Item([proxyAddresses], 2)", "b@x", _ADDRESSES),),
    ),
    Function(
        name="ItemOrNull",
        parameters=(Parameter("attribute"), Parameter("index", INTEGER)),
        implementation=item_or_null,
        summary="As Item, but null where there is no such value.",
        examples=(Example("ItemOrNull([proxyAddresses], 9)", None, _ADDRESSES),),
    ),
    Function(
        name="Contains",
        parameters=(Parameter("attribute"), Parameter("search")),
        implementation=contains,
        summary="The index of the first value that contains the text, case included; 0 if none.",
        examples=(Example('Contains([proxyAddresses], "b@")', "2", _ADDRESSES),),
    ),
    Function(
        name="RemoveDuplicates",
        parameters=(Parameter("attribute"),),
        implementation=remove_duplicates,
        summary="Each value once, in the order of first occurrence; case counts.",
        examples=(Example("RemoveDuplicates([proxyAddresses])", ("a@x", "b@x"), _ADDRESSES),),
    ),
    Function(
        name="BitAnd",
        parameters=(Parameter("value1", INTEGER), Parameter("value2", INTEGER)),
        implementation=bit_and,
        summary="The bits that both numbers have. Null gives null.",
        examples=(Example("BitAnd(&HF, &HF7)", "7"),),
    ),
    Function(
        name="IsBitSet",
        parameters=(Parameter("value", INTEGER), Parameter("flag", INTEGER)),
        implementation=is_bit_set,
        summary="True when the number has any bit of the flag.",
        examples=(Example("IsBitSet(&HF, 4)", "True"),),
    ),
    Function(
        name="Redact",
        parameters=(Parameter("value"),),
        implementation=redact,
        summary="The value unchanged; logs and previews show `[Redact]` in its place.",
        examples=(Example('Redact("secret")', "secret"),),
    ),
    Function(
        name="SelectUniqueValue",
        parameters=(Parameter("uniqueValueRule", repeats=True),),
        form=Form.SELECT,
        repeats_min=2,
        summary="The first value that the target does not have yet. Only as the whole expression "
        "of a mapping that flows at creation only, and not of a matching attribute.",
        examples=(),
    ),
)
