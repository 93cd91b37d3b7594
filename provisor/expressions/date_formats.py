"""Dates and times as .NET writes them by a format, invariant culture (spec: expression 7.2).

No library knows these formats, so they are cut into fields here, once for both directions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from provisor.expressions.dates import DAYS, MONTHS, Moment
from provisor.expressions.errors import ExpressionError

_STANDARD: Mapping[str, str] = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "m": "MMMM dd",
    "M": "MMMM dd",
    "o": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
    "O": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
    "r": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "s": "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
    "U": "dddd, dd MMMM yyyy HH:mm:ss",
    "y": "yyyy MMMM",
    "Y": "yyyy MMMM",
}
_IN_UTC = frozenset("U")
"""Standard formats that show the instant in UTC, whatever offset was given."""

_QUOTED = {
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_RUN_MAX: Mapping[str, int] = {
    "d": 4, "M": 4, "y": 20, "H": 2, "h": 2, "m": 2, "s": 2, "f": 7, "F": 7, "t": 2, "z": 3,
    "K": 1, "g": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One piece of a format: a specifier such as `yyyy`, or literal text (`letter` is "")."""

    letter: str
    text: str

    @property
    def count(self) -> int:
        return len(self.text)


@lru_cache(maxsize=256)
def fields_of(template: str) -> tuple[Field, ...]:
    """Cut a custom or standard format into its fields. Raises ExpressionError if it is none."""
    if not template:
        raise ExpressionError("a date format is empty")
    if len(template) == 1:
        if template not in _STANDARD:
            raise ExpressionError(f'"{template}" is no standard date format')
        template = _STANDARD[template]
    fields: list[Field] = []
    at = 0
    while at < len(template):
        field, at = _field(template, at)
        fields.append(field)
    return tuple(fields)


def _field(template: str, at: int) -> tuple[Field, int]:
    character = template[at]
    if character in _RUN_MAX:
        end = at
        while end < len(template) and template[end] == character:
            end += 1
        if character == "K":
            end = at + 1  # each is one of its own
        if end - at > _RUN_MAX[character] and character in "fF":
            raise ExpressionError(f'a fraction in "{template[:60]}" has more than 7 digits')
        return Field(character, character * min(end - at, _RUN_MAX[character])), end
    if character in "'\"":
        return _quoted(template, at)
    if character in "\\%":
        if at + 1 >= len(template):
            raise ExpressionError(f'the date format "{template[:60]}" ends in {character}')
        if character == "\\":
            return Field("", template[at + 1]), at + 2
        if template[at + 1] in "\\%":
            raise ExpressionError(f'% in the date format "{template[:60]}" stands before no letter')
        return _field(template[: at + 2], at + 1)
    return Field("Z" if character == "Z" else "", character), at + 1


def _quoted(template: str, at: int) -> tuple[Field, int]:
    """Read literal text in quotes, in which a backslash still escapes."""
    match = _QUOTED[template[at]].match(template, at)
    if match is None:
        raise ExpressionError(f'a quotation in the date format "{template[:60]}" is not closed')
    return Field("", _ESCAPED.sub(r"\1", match[1])), match.end()


def write(moment: Moment, template: str) -> str:
    """Return the moment in a .NET format. Raises ExpressionError for a format that is none."""
    fields = fields_of(template)
    if len(template) == 1 and template in _IN_UTC:
        moment = Moment(moment.utc.replace(tzinfo=None), timedelta(), moment.tenth)
    pieces: list[str] = []
    for field in fields:
        text = _WRITERS[field.letter](moment, field) if field.letter else field.text
        if field.letter == "F" and not text and pieces and pieces[-1].endswith("."):
            pieces[-1] = pieces[-1][:-1]  # .NET takes the point away together with the fraction
        pieces.append(text)
    return "".join(pieces)


def _padded(count: int, number: int) -> str:
    return str(number).zfill(min(count, 2))


def _write_day(moment: Moment, field: Field) -> str:
    if field.count <= 2:
        return _padded(field.count, moment.wall.day)
    name = DAYS[moment.wall.weekday()]
    return name[:3] if field.count == 3 else name


def _write_month(moment: Moment, field: Field) -> str:
    if field.count <= 2:
        return _padded(field.count, moment.wall.month)
    name = MONTHS[moment.wall.month - 1]
    return name[:3] if field.count == 3 else name


def _write_year(moment: Moment, field: Field) -> str:
    if field.count <= 2:
        return _padded(field.count, moment.wall.year % 100)
    return str(moment.wall.year).zfill(field.count)


def _write_fraction(moment: Moment, field: Field) -> str:
    digits = f"{moment.wall.microsecond * 10 + moment.tenth:07d}"[: field.count]
    return digits.rstrip("0") if field.letter == "F" else digits


def _write_zone(moment: Moment, field: Field) -> str:
    if field.letter == "K":
        if moment.offset is None:
            return ""
        if not moment.offset:
            return "Z"
    minutes = int((moment.offset or timedelta()).total_seconds()) // 60
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    hours = str(minutes // 60) if field.text == "z" else f"{minutes // 60:02d}"
    return f"{sign}{hours}" if field.text in ("z", "zz") else f"{sign}{hours}:{minutes % 60:02d}"


_WRITERS: Mapping[str, Callable[[Moment, Field], str]] = {
    "d": _write_day,
    "M": _write_month,
    "y": _write_year,
    "H": lambda moment, field: _padded(field.count, moment.wall.hour),
    "h": lambda moment, field: _padded(field.count, (moment.wall.hour + 11) % 12 + 1),
    "m": lambda moment, field: _padded(field.count, moment.wall.minute),
    "s": lambda moment, field: _padded(field.count, moment.wall.second),
    "f": _write_fraction,
    "F": _write_fraction,
    "t": lambda moment, field: ("AM" if moment.wall.hour < 12 else "PM")[: field.count],
    "z": _write_zone,
    "K": _write_zone,
    "g": lambda moment, field: "A.D.",
    "Z": lambda moment, field: "Z",
}
