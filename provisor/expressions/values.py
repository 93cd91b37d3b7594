"""How values of one type become values of another, and how they compare (spec: expression 3)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from provisor.expressions.dates import parse_free, write_default
from provisor.expressions.errors import ONE_VALUE_ONLY, ExpressionError
from provisor.model.entries import Reference, Scalar, Value
from provisor.model.expressions import Comparator
from provisor.model.rules import AttributeType

Inner: TypeAlias = Scalar | Decimal
"""One value inside an evaluation. Decimals never leave it."""

Operand: TypeAlias = Inner | tuple[Inner, ...] | None
"""What a function takes and gives; None is null, and so is the empty tuple."""

DIGITS_MAX = 100
"""Longer runs of digits are text: an identifier, or an attack on arithmetic."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def white_space() -> str:
    """Return the characters that .NET calls white space; Python has four more."""
    return _WHITE_SPACE


def single(value: Operand) -> Inner | None:
    """Return the one value of a list of one, None for an empty list.

    Raises SchemaPropertyCanOnlyAcceptValue for more, as nobody could say which is meant.
    """
    if not isinstance(value, tuple):
        return value
    if len(value) > 1:
        raise ExpressionError(f"one value is needed where there are {len(value)}", ONE_VALUE_ONLY)
    return value[0] if value else None


def many(value: Operand) -> tuple[Inner, ...]:
    """Return all values: those of a list, one, or none for null."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def is_null(value: Operand) -> bool:
    return value is None or value == ()


def is_empty(value: Operand) -> bool:
    """True for null, an empty list and text without characters."""
    return value is None or value in ((), "")


def to_text_or_null(value: Operand) -> str | None:
    """Return the value as text, None for null."""
    if isinstance(value, str):
        return value
    one = single(value)
    return None if one is None else inner_text(one)


def to_text(value: Operand) -> str:
    """Return the value as text, "" for null."""
    return value if isinstance(value, str) else to_text_or_null(value) or ""


def inner_text(value: Inner) -> str:
    """Return one value as text: `True`, `42`, `1/31/2025 4:05:06 PM`, base64, a reference's id."""
    match value:
        case str():
            return value
        case bool():
            return "True" if value else "False"
        case int():
            return _integer_text(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            return write_default(as_utc(value))
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Reference():
            return value.anchor


def _integer_text(value: int) -> str:
    if value.bit_length() > 4 * DIGITS_MAX:
        raise ExpressionError(f"a number of more than {DIGITS_MAX} digits")
    return str(value)


def as_utc(value: datetime) -> datetime:
    """Return the same instant in UTC. A date and time without an offset counts as UTC."""
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ExpressionError("a date outside the years 1 to 9999") from error


def number_in(text: str) -> int | Decimal | None:
    """Return the number that the text spells, None where it spells none. Exponents do not count."""
    trimmed = text.strip(_WHITE_SPACE)
    if len(trimmed) > DIGITS_MAX or _NUMBER.fullmatch(trimmed) is None:
        return None
    return Decimal(trimmed) if "." in trimmed else int(trimmed)


def to_number(value: Operand, what: str) -> int | Decimal:
    """Return the value as a number. Raises ExpressionError naming `what` otherwise."""
    one = single(value)
    match one:
        case bool() | None:
            pass
        case int() | Decimal():
            return one
        case str():
            number = number_in(one)
            if number is not None:
                return number
        case _:
            pass
    raise ExpressionError(f"{what} must be a number, not {shown(one)}")


def to_integer(value: Operand, what: str) -> int:
    """Return the value as a whole number. Raises ExpressionError naming `what` otherwise."""
    number = to_number(value, what)
    if isinstance(number, Decimal):
        if number != number.to_integral_value():
            raise ExpressionError(f"{what} must be a whole number, not {shown(number)}")
        return int(number)
    return number


def to_boolean(value: Operand) -> bool:
    """Return whether the value counts as true in a condition. Everything has an answer."""
    if isinstance(value, bool):
        return value
    one = value[0] if isinstance(value, tuple) and len(value) == 1 else value
    match one:
        case bool():
            return one
        case int() | Decimal():
            return one != 0
        case str():
            folded = one.strip(_WHITE_SPACE).lower()
            if folded in ("true", "false"):
                return folded == "true"
            return (number_in(folded) or 0) != 0
        case _:
            return False


def to_datetime(value: Operand) -> datetime | None:
    """Return the value as an instant in UTC, None for null and "".

    Raises ExpressionError for text in none of the accepted forms (spec: expression 7.1).
    """
    one = single(value)
    match one:
        case None | "":
            return None
        case datetime():
            return as_utc(one)
        case str():
            return parse_free(one)
        case _:
            raise ExpressionError(f"a date and time is needed, not {shown(one)}")


def shown(value: Operand) -> str:
    """Return the value as an error message shows it: quoted and short."""
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return f"a list of {len(value)}"
    text = inner_text(value)
    return f'"{text}"' if len(text) <= 60 else f'"{text[:57]}..."'


_ORDER: Mapping[Comparator, Callable[[int], bool]] = {
    Comparator.EQUAL: lambda sign: sign == 0,
    Comparator.NOT_EQUAL: lambda sign: sign != 0,
    Comparator.GREATER: lambda sign: sign > 0,
    Comparator.GREATER_OR_EQUAL: lambda sign: sign >= 0,
    Comparator.LESS: lambda sign: sign < 0,
    Comparator.LESS_OR_EQUAL: lambda sign: sign <= 0,
}


def compare(comparator: Comparator, left: Operand, right: Operand) -> bool:
    """Compare as the language does: numbers by value, instants by time, the rest as exact text.

    Null counts as "". Nothing is greater or less than the empty value.
    """
    one, other = single(left), single(right)
    if isinstance(one, datetime) and isinstance(other, datetime):
        first, second = as_utc(one), as_utc(other)
        return _ORDER[comparator]((first > second) - (first < second))
    a = "" if one is None else inner_text(one)
    b = "" if other is None else inner_text(other)
    is_order = comparator not in (Comparator.EQUAL, Comparator.NOT_EQUAL)
    if is_order and not (a and b):
        return False
    m, n = number_in(a), number_in(b)
    if m is not None and n is not None:
        return _ORDER[comparator]((m > n) - (m < n))
    return _ORDER[comparator]((a > b) - (a < b))


def coerce(value: Value, attribute_type: str, multivalued: bool) -> Value:
    """Return the value as the target attribute's type holds it (spec: expression 3).

    `attribute_type` is one of Graph's: String, Integer, Boolean, DateTime, Binary, Reference. A
    multi-valued attribute always gets a tuple. An instant comes back in UTC. A reference given as
    text (the source object's id) stays text, as only the engine knows its kind.

    Raises ExpressionError: SchemaPropertyCanOnlyAcceptValue for several values where one fits,
    ExpressionEvaluationError for a value that the type cannot hold.
    """
    try:
        convert = _COERCE[AttributeType(attribute_type)]
    except (ValueError, KeyError) as error:
        raise ExpressionError(f"no attribute has the type {attribute_type!r}") from error
    values = tuple(convert(one) for one in many(value))
    if multivalued:
        return values
    if len(values) != 1:
        raise ExpressionError(
            f"the target attribute takes one value, not {len(values)}", ONE_VALUE_ONLY
        )
    return values[0]


def _coerce_integer(value: Inner) -> int:
    return to_integer(value, "a value for an Integer attribute")


def _coerce_boolean(value: Inner) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "false": False, "1": True, "0": False}
    answer = known.get(inner_text(value).strip(_WHITE_SPACE).lower())
    if answer is None:
        raise ExpressionError(
            f"a value for a Boolean attribute must be True, False, 1 or 0, not {shown(value)}"
        )
    return answer


def _coerce_datetime(value: Inner) -> datetime:
    instant = to_datetime(value)
    if instant is None:
        raise ExpressionError("a value for a DateTime attribute is empty")
    return instant


def _coerce_binary(value: Inner) -> bytes:
    if isinstance(value, bytes):
        return value
    return from_base64(inner_text(value))


def _coerce_reference(value: Inner) -> Scalar:
    return value if isinstance(value, Reference) else inner_text(value)


def from_base64(text: str) -> bytes:
    """Return the bytes that the base64 text stands for. Raises ExpressionError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ExpressionError(f"{shown(text)} is not base64") from error


_COERCE: Mapping[AttributeType, Callable[[Inner], Scalar]] = {
    AttributeType.STRING: inner_text,
    AttributeType.INTEGER: _coerce_integer,
    AttributeType.BOOLEAN: _coerce_boolean,
    AttributeType.DATE_TIME: _coerce_datetime,
    AttributeType.BINARY: _coerce_binary,
    AttributeType.REFERENCE: _coerce_reference,
}
