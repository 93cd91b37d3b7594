"""Text to tokens (spec: expression 2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from provisor.expressions.context import LENGTH_MAX
from provisor.expressions.errors import TOO_LONG, ExpressionSyntaxError
from provisor.expressions.values import DIGITS_MAX


class Kind(Enum):
    NAME = "a name"
    ATTRIBUTE = "an attribute in brackets"
    TEXT = "text in quotes"
    NUMBER = "a number"
    OPEN = "("
    CLOSE = ")"
    COMMA = ","
    AMPERSAND = "&"
    COMPARATOR = "a comparison"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str
    """As it was written; "" for the end."""
    position: int
    value: str | int | Decimal = ""
    """What it means: a string without quotes and escapes, an attribute's name, a number."""


_SPACE = re.compile(r"[\s\ufeff]*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_HEX = re.compile(r"&H([0-9A-Fa-f]+)", re.ASCII)
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')
_COMPARATOR = re.compile(r"<>|>=|<=|[=<>]")
_MARKS = {"(": Kind.OPEN, ")": Kind.CLOSE, ",": Kind.COMMA, "&": Kind.AMPERSAND}


def tokenize(text: str) -> list[Token]:
    """Return the tokens, the last of them END. Raises ExpressionSyntaxError."""
    if len(text) > LENGTH_MAX:
        raise ExpressionSyntaxError(
            f"an expression of {len(text)} characters is too long",
            position=LENGTH_MAX,
            token=text[LENGTH_MAX : LENGTH_MAX + 20],
            expected=f"the end within {LENGTH_MAX} characters",
            limit=TOO_LONG,
        )
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    at = _skip(text, 0)
    while at < len(text):
        token = _token(text, at)
        yield token
        at = _skip(text, at + len(token.text))
    yield Token(Kind.END, "", len(text))


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _token(text: str, at: int) -> Token:
    character = text[at]
    if character == '"':
        return _string(text, at)
    if character == "[":
        return _attribute(text, at)
    hexadecimal = _HEX.match(text, at)
    if hexadecimal:
        return _number(hexadecimal, int(hexadecimal[1][:DIGITS_MAX], 16))
    if character in _MARKS:
        return Token(_MARKS[character], character, at)
    name = _NAME.match(text, at)
    if name:
        return Token(Kind.NAME, name[0], at)
    number = _NUMBER.match(text, at)
    if number:
        digits = number[0][: DIGITS_MAX + 2]
        return _number(number, Decimal(digits) if "." in digits else int(digits))
    comparator = _COMPARATOR.match(text, at)
    if comparator:
        return Token(Kind.COMPARATOR, comparator[0], at)
    raise ExpressionSyntaxError(
        "no expression can hold this character",
        position=at,
        token=character,
        expected="a function, [attribute], text in quotes or a number",
    )


def _number(match: re.Match[str], value: int | Decimal) -> Token:
    if len(match[0]) > DIGITS_MAX:
        raise ExpressionSyntaxError(
            "the number is too long",
            position=match.start(),
            token=match[0][:20],
            expected=f"at most {DIGITS_MAX} digits; longer ones are text in quotes",
        )
    return Token(Kind.NUMBER, match[0], match.start(), value)


def _string(text: str, at: int) -> Token:
    match = _TEXT.match(text, at)
    if match is None:
        raise ExpressionSyntaxError(
            "the text is not closed", position=at, token=text[at : at + 20], expected='a closing "'
        )
    # A backslash before any other character is itself: published guides write "\+" for "\\+".
    return Token(Kind.TEXT, match[0], at, _ESCAPE.sub(r"\1", match[1]))


def _attribute(text: str, at: int) -> Token:
    """Read `[emails[type eq "work"].value]`: brackets nest, and quotes hide those within."""
    depth, position, is_quoted = 0, at, False
    while position < len(text):
        match text[position]:
            case '"' if depth > 1:
                is_quoted = not is_quoted
            case "[" if not is_quoted:
                depth += 1
            case "]" if not is_quoted:
                depth -= 1
                if depth == 0:
                    return _named(text[at : position + 1], at)
            case _:
                pass
        position += 1
    raise ExpressionSyntaxError(
        "the attribute is not closed", position=at, token=text[at : at + 20], expected="a closing ]"
    )


def _named(written: str, at: int) -> Token:
    name = written[1:-1].strip()
    if not name:
        raise ExpressionSyntaxError(
            "the attribute has no name", position=at, token=written, expected="[name]"
        )
    return Token(Kind.ATTRIBUTE, written, at, name)
