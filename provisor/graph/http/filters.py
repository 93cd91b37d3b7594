"""OData's `$filter`, as far as it is offered: parsed into a tree, and asked of documents.

Names of properties are compared without regard to case, values with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, cast

from provisor.graph.http.faults import bad_request, beyond
from provisor.graph.wire.base import instant_of

LENGTH_MAX = 4_096
DEPTH_MAX = 20
TERMS_MAX = 100
"""Each is asked of every entry that is looked through."""

Literal: TypeAlias = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Path:
    """A property, by the way to it: `servicePrincipal/id`, in small letters."""

    text: str


@dataclass(frozen=True, slots=True)
class Lowered:
    of: Path


Operand: TypeAlias = Path | Lowered | Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Test:
    """`contains`, `startswith`, `endswith`."""

    function: str
    text: Operand
    part: Operand


@dataclass(frozen=True, slots=True)
class Negation:
    of: Condition


@dataclass(frozen=True, slots=True)
class Junction:
    is_all: bool
    """True: each holds; False: any."""
    of: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Test | Negation | Junction

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?:T[0-9:.]+(?:Z|[+-]\d{2}:\d{2})?)?)"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_@][\w.@]*(?:/[A-Za-z_][\w.]*)*)"
    r"|(?P<sign>[(),]))"
)
COMPARES = ("eq", "ne", "gt", "ge", "lt", "le")
TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
}


def parse_filter(text: str) -> Condition:
    """Return the tree of a filter. Raises Fault with what is wrong and where."""
    if len(text) > LENGTH_MAX:
        raise beyond("FilterTooLong", "$filter", f"It has more than {LENGTH_MAX} characters.")
    return _Parser(text).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0
        self._terms = 0

    def whole(self) -> Condition:
        condition = self._any()
        if self._peek() is not None:
            raise self._wrong()
        return condition

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._takes("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Junction(False, tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Junction(True, tuple(parts))

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise beyond("FilterTooDeep", "$filter", f"It has more than {DEPTH_MAX} levels.")
        try:
            if self._takes("not"):
                return Negation(self._one())
            if self._takes("("):
                inner = self._any()
                self._expect(")")
                return inner
            return self._simple()
        finally:
            self._depth -= 1

    def _simple(self) -> Condition:
        self._terms += 1
        if self._terms > TERMS_MAX:
            raise beyond("FilterTooWide", "$filter", f"It has more than {TERMS_MAX} comparisons.")
        token = self._peek()
        if token is not None and token.kind == "word" and token.text.lower() in TESTS:
            return self._test(token.text.lower())
        left = self._operand()
        token = self._peek()
        if token is None or token.text.lower() not in COMPARES:
            raise self._wrong()
        self._next += 1
        return Comparison(token.text.lower(), left, self._operand())

    def _test(self, function: str) -> Condition:
        self._next += 1
        self._expect("(")
        text = self._operand()
        self._expect(",")
        part = self._operand()
        self._expect(")")
        # Some clients write `contains(…) eq true`.
        if self._takes("eq"):
            operand = self._operand()
            if operand is False:
                return Negation(Test(function, text, part))
        return Test(function, text, part)

    def _operand(self) -> Operand:
        token = self._peek()
        if token is None:
            raise self._wrong()
        self._next += 1
        match token.kind:
            case "text":
                return token.text[1:-1].replace("''", "'")
            case "date":
                return _date(token)
            case "guid":
                return token.text
            case "number":
                return float(token.text) if "." in token.text else int(token.text)
            case "word":
                return self._word(token)
            case _:
                self._next -= 1
                raise self._wrong()

    def _word(self, token: _Token) -> Operand:
        word = token.text.lower()
        if word in ("true", "false"):
            return word == "true"
        if word == "null":
            return None
        if word in ("tolower", "toupper"):
            self._expect("(")
            inner = self._operand()
            self._expect(")")
            if not isinstance(inner, Path):
                raise bad_request(f"$filter: {token.text} takes a property.")
            return Lowered(inner)
        return Path(word)

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _takes(self, text: str) -> bool:
        token = self._peek()
        is_it = token is not None and token.kind != "text" and token.text.lower() == text
        self._next += is_it
        return is_it

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise self._wrong(f"'{text}' is expected")

    def _wrong(self, why: str = "it cannot be read") -> Exception:
        token = self._peek()
        where = f"at character {token.at + 1}" if token else "at its end"
        return bad_request(f"Invalid filter clause: {why} {where}.")


def _date(token: _Token) -> datetime:
    try:
        return instant_of(token.text)
    except ValueError:
        raise bad_request(f"Invalid filter clause: {token.text} is no date.") from None


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise bad_request(f"Invalid filter clause: it cannot be read at character {at + 1}.")
        assert found.lastgroup is not None
        yield _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup))
        at = found.end()


# asking


def paths_of(condition: Condition) -> Iterator[str]:
    """Yield every property that a filter names."""
    match condition:
        case Comparison(_, left, right) | Test(_, left, right):
            for operand in (left, right):
                if isinstance(operand, Path):
                    yield operand.text
                elif isinstance(operand, Lowered):
                    yield operand.of.text
        case Negation(inner):
            yield from paths_of(inner)
        case Junction(_, parts):
            for part in parts:
                yield from paths_of(part)


def holds(condition: Condition, document: Mapping[str, object], folded: Sequence[str] = ()) -> bool:
    """Tell whether a document passes; `folded` names properties whose values have no case."""
    match condition:
        case Junction(is_all, parts):
            asked = (holds(part, document, folded) for part in parts)
            return all(asked) if is_all else any(asked)
        case Negation(inner):
            return not holds(inner, document, folded)
        case Test(function, text, part):
            is_folded = _is_folded(text, folded)
            value, sought = _value(text, document), _value(part, document)
            if not isinstance(value, str) or not isinstance(sought, str):
                return False
            if is_folded:
                value, sought = value.lower(), sought.lower()
            return TESTS[function](value, sought)
        case Comparison(operator, left, right):
            one, other = _value(left, document), _value(right, document)
            if isinstance(one, str) and isinstance(other, str) and _is_folded(left, folded):
                one, other = one.lower(), other.lower()
            return _compares(operator, one, other)


def _is_folded(operand: Operand, folded: Sequence[str]) -> bool:
    return isinstance(operand, Lowered) or (isinstance(operand, Path) and operand.text in folded)


def _value(operand: Operand, document: Mapping[str, object]) -> object:
    match operand:
        case Path(text):
            return _look(text, document)
        case Lowered(Path(text)):
            value = _look(text, document)
            return value.lower() if isinstance(value, str) else value
        case _:
            return operand


def _look(path: str, document: Mapping[str, object]) -> object:
    inner = document
    *above, last = path.split("/")
    for step in above:
        value = _named(inner, step)
        if not isinstance(value, dict):
            return None
        inner = cast(dict[str, object], value)
    return _named(inner, last)


def _named(document: Mapping[str, object], name: str) -> object:
    """Return the value of a property, whose name has no case."""
    return next((value for known, value in document.items() if known.lower() == name), None)


def _compares(operator: str, one: object, other: object) -> bool:
    one, other = _alike(one, other)
    if operator in ("eq", "ne"):
        return (one == other) is (operator == "eq")
    if one is None or other is None or type(one) is not type(other):
        return False
    left, right = cast(int, one), cast(int, other)
    match operator:
        case "gt":
            return left > right
        case "ge":
            return left >= right
        case "lt":
            return left < right
        case _:
            return left <= right


def _alike(one: object, other: object) -> tuple[object, object]:
    """A date in a document is text; beside a date it is compared as one, if it is one."""
    if isinstance(other, datetime) and isinstance(one, str):
        return _instant(one), other
    if isinstance(one, datetime) and isinstance(other, str):
        return one, _instant(other)
    is_number = isinstance(one, int | float) and isinstance(other, int | float)
    if is_number and not isinstance(one, bool) and not isinstance(other, bool):
        return _float(cast(float, one)), _float(cast(float, other))
    return one, other


def _instant(text: str) -> object:
    try:
        return instant_of(text)
    except ValueError:
        return text


def _float(number: float) -> float:
    """Return a number as a float; one that is too long for that is beyond all others."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
