"""Dates and times as .NET reads them by a format, invariant culture (spec: expression 7.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Flag, auto

from provisor.expressions.date_formats import Field, fields_of
from provisor.expressions.dates import DAYS, MONTHS, WHITE, Moment, offset_of
from provisor.expressions.errors import ExpressionError

TWO_DIGIT_YEAR_MAX = 2049


class Styles(Flag):
    """How forgiving a format is when it reads."""

    NONE = 0
    LEADING_WHITE = auto()
    TRAILING_WHITE = auto()
    INNER_WHITE = auto()
    NO_CURRENT_DATE = auto()
    ADJUST_TO_UNIVERSAL = auto()
    ASSUME_UNIVERSAL = auto()
    ROUNDTRIP_KIND = auto()


_STYLES: Mapping[str, Styles] = {
    "None": Styles.NONE,
    "AllowLeadingWhite": Styles.LEADING_WHITE,
    "AllowTrailingWhite": Styles.TRAILING_WHITE,
    "AllowInnerWhite": Styles.INNER_WHITE,
    "AllowWhiteSpaces": Styles.LEADING_WHITE | Styles.TRAILING_WHITE | Styles.INNER_WHITE,
    "NoCurrentDateDefault": Styles.NO_CURRENT_DATE,
    "AdjustToUniversal": Styles.ADJUST_TO_UNIVERSAL,
    # The local zone of a server is an accident of where it runs; ours is UTC.
    "AssumeLocal": Styles.ASSUME_UNIVERSAL,
    "AssumeUniversal": Styles.ASSUME_UNIVERSAL,
    "RoundtripKind": Styles.ROUNDTRIP_KIND,
}
DEFAULT_STYLES = Styles.ROUNDTRIP_KIND | Styles.LEADING_WHITE | Styles.TRAILING_WHITE


def styles_named(text: str) -> Styles:
    """Return the styles in a comma list. Raises ExpressionError for a name there is not."""
    styles = Styles.NONE
    for name in filter(None, (part.strip() for part in text.split(","))):
        if name not in _STYLES:
            raise ExpressionError(f'there is no date and time style "{name}"')
        styles |= _STYLES[name]
    return styles


@dataclass(slots=True)
class _Parts:
    """What has been read so far. What stands twice must say the same twice."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    hour: int | None = None
    is_half_day: bool = False
    """The hour runs from 1 to 12."""
    is_afternoon: bool | None = None
    minute: int | None = None
    second: int | None = None
    ticks: int | None = None
    offset: timedelta | None = None

    def note(self, name: str, value: object) -> None:
        known = getattr(self, name)
        if known is not None and known != value:
            raise _Mismatch(f"the {name} stands there twice, with two values")
        setattr(self, name, value)


class _Mismatch(Exception):
    """The text does not follow the format."""


def read(text: str, template: str, styles: Styles, today: datetime) -> Moment:
    """Return the moment that the text names in exactly this format.

    What the format leaves out is taken from `today`, or from 0001-01-01 where the styles say
    so. Raises ExpressionError when text and format disagree.
    """
    fields = _with_gmt(fields_of(template))
    parts = _Parts()
    trimmed = text
    if Styles.LEADING_WHITE in styles:
        trimmed, fields = trimmed.lstrip(WHITE), _begun(fields)
    if Styles.TRAILING_WHITE in styles:
        trimmed, fields = trimmed.rstrip(WHITE), _ended(fields)
    try:
        at = 0
        skipped = -1
        for index, field in enumerate(fields):
            if index == skipped:
                continue
            if Styles.INNER_WHITE in styles:
                at = len(trimmed) - len(trimmed[at:].lstrip(WHITE))
                if not field.letter:
                    field = replace(field, text="".join(c for c in field.text if c not in WHITE))
            if _is_fraction_left_out(trimmed, at, fields[index : index + 2]):
                skipped = index + 1
            else:
                can_miss_spaces = Styles.TRAILING_WHITE in styles
                at = _read_field(trimmed, at, field, parts, can_miss_spaces=can_miss_spaces)
        if at != len(trimmed):
            raise _Mismatch(f'"{trimmed[at : at + 20]}" is left over')
        moment = _moment(parts, styles, today)
        if Styles.ASSUME_UNIVERSAL in styles and moment.offset is None:
            moment = replace(moment, offset=timedelta())
        if Styles.ADJUST_TO_UNIVERSAL in styles and moment.offset is not None:
            moment = Moment(moment.utc.replace(tzinfo=None), timedelta(), moment.tenth)
    except (_Mismatch, ValueError, OverflowError) as error:
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        message = f'"{shown}" does not follow the date format "{template[:60]}": {error}'
        raise ExpressionError(message) from error
    return moment


def _with_gmt(fields: Sequence[Field]) -> Sequence[Field]:
    """Return the fields with GMT as the name that it is when read; written it is G, month, T."""
    texts = [field.text for field in fields]
    for at in range(len(texts) - 2):
        if texts[at : at + 3] == ["G", "M", "T"]:
            return (*fields[:at], Field("GMT", "GMT"), *_with_gmt(fields[at + 3 :]))
    return fields


def _begun(fields: Sequence[Field]) -> Sequence[Field]:
    """Return the fields without white space at their beginning."""
    while fields and not fields[0].letter and not fields[0].text.strip(WHITE):
        fields = fields[1:]
    return fields


def _ended(fields: Sequence[Field]) -> Sequence[Field]:
    """Return the fields without white space at their end."""
    while fields and not fields[-1].letter and not fields[-1].text.strip(WHITE):
        fields = fields[:-1]
    return fields


def _is_fraction_left_out(text: str, at: int, fields: Sequence[Field]) -> bool:
    """True where neither the point stands nor, therefore, the fraction `F` behind it."""
    if len(fields) < 2 or fields[0].letter or fields[0].text != ".":
        return False
    return fields[1].letter == "F" and not text.startswith(".", at)


def _read_field(text: str, at: int, field: Field, parts: _Parts, *, can_miss_spaces: bool) -> int:
    """Return where the text goes on. .NET lets any space be missing where white space may trail."""
    if not field.letter:
        if text.startswith(field.text, at):
            return at + len(field.text)
        if field.text == " " and can_miss_spaces:
            return at
        raise _Mismatch(f'"{field.text}" is missing at position {at}')
    return _READERS[field.letter](text, at, field, parts)


def _digits(text: str, at: int, least: int, most: int) -> tuple[int, int]:
    end = at
    while end < len(text) and end - at < most and text[end] in "0123456789":
        end += 1
    if end - at < least:
        raise _Mismatch(f"{least} digit{'s' * (least > 1)} expected at position {at}")
    return int(text[at:end] or "0"), end


def _number(text: str, at: int, field: Field) -> tuple[int, int]:
    """One letter reads one or two digits, two letters exactly two."""
    return _digits(text, at, 1 if field.count == 1 else 2, 2)


def _name(text: str, at: int, names: Sequence[str]) -> tuple[int, int]:
    for index, name in enumerate(names):
        if text[at : at + len(name)].lower() == name.lower():
            return index, at + len(name)
    raise _Mismatch(f"a name such as {names[0]} expected at position {at}")


def _abbreviated(names: Sequence[str], field: Field) -> Sequence[str]:
    return [name[:3] for name in names] if field.count == 3 else names


def _read_day(text: str, at: int, field: Field, parts: _Parts) -> int:
    if field.count > 2:
        value, at = _name(text, at, _abbreviated(DAYS, field))
        parts.note("weekday", value)
    else:
        value, at = _number(text, at, field)
        parts.note("day", value)
    return at


def _read_month(text: str, at: int, field: Field, parts: _Parts) -> int:
    if field.count > 2:
        index, at = _name(text, at, _abbreviated(MONTHS, field))
        parts.note("month", index + 1)
    else:
        value, at = _number(text, at, field)
        parts.note("month", value)
    return at


def _read_year(text: str, at: int, field: Field, parts: _Parts) -> int:
    if field.count > 2:
        year, at = _digits(text, at, field.count, field.count)
    else:
        year, at = _number(text, at, field)
        century = TWO_DIGIT_YEAR_MAX // 100 * 100
        year += century if century + year <= TWO_DIGIT_YEAR_MAX else century - 100
    parts.note("year", year)
    return at


def _read_hour(text: str, at: int, field: Field, parts: _Parts) -> int:
    hour, at = _number(text, at, field)
    parts.note("hour", hour)
    return at


def _read_hour12(text: str, at: int, field: Field, parts: _Parts) -> int:
    parts.is_half_day = True
    return _read_hour(text, at, field, parts)


def _read_minute(text: str, at: int, field: Field, parts: _Parts) -> int:
    minute, at = _number(text, at, field)
    parts.note("minute", minute)
    return at


def _read_second(text: str, at: int, field: Field, parts: _Parts) -> int:
    second, at = _number(text, at, field)
    parts.note("second", second)
    return at


def _read_fraction(text: str, at: int, field: Field, parts: _Parts) -> int:
    least = 0 if field.letter == "F" else field.count
    _, end = _digits(text, at, least, field.count)
    parts.note("ticks", int(text[at:end].ljust(7, "0")))
    return end


def _read_half(text: str, at: int, field: Field, parts: _Parts) -> int:
    half = text[at : at + field.count].upper()
    if half not in ("AM"[: field.count], "PM"[: field.count]):
        raise _Mismatch(f"AM or PM expected at position {at}")
    parts.note("is_afternoon", half.startswith("P"))
    return at + field.count


_ZONE_AT = {
    "z": re.compile(r"([+-])(\d{1,2})", re.ASCII),
    "zz": re.compile(r"([+-])(\d{2})", re.ASCII),
    "zzz": re.compile(r"([+-])(\d{1,2}):?(\d{2})", re.ASCII),
}


def _read_zone(text: str, at: int, field: Field, parts: _Parts) -> int:
    if field.letter == "K":
        if text[at : at + 1] in ("Z", "z"):
            return _read_z(text, at, field, parts)
        if text[at : at + 1] not in ("+", "-"):
            return at
    match = _ZONE_AT["zzz" if field.letter == "K" else field.text].match(text, at)
    if match is None:
        raise _Mismatch(f"an offset such as +02:00 expected at position {at}")
    minutes = int(match[3]) if match.lastindex == 3 else 0
    parts.note("offset", offset_of(match[1], int(match[2]), minutes))
    return match.end()


def _read_z(text: str, at: int, field: Field, parts: _Parts) -> int:
    if text[at : at + 1] not in ("Z", "z"):
        raise _Mismatch(f"Z expected at position {at}")
    parts.note("offset", timedelta())
    return at + 1


def _read_gmt(text: str, at: int, field: Field, parts: _Parts) -> int:
    if text[at : at + 3].upper() != "GMT":
        raise _Mismatch(f"GMT expected at position {at}")
    parts.note("offset", timedelta())
    return at + 3


def _read_era(text: str, at: int, field: Field, parts: _Parts) -> int:
    return _name(text, at, ("A.D.", "AD"))[1]


_READERS: Mapping[str, Callable[[str, int, Field, _Parts], int]] = {
    "d": _read_day,
    "M": _read_month,
    "y": _read_year,
    "H": _read_hour,
    "h": _read_hour12,
    "m": _read_minute,
    "s": _read_second,
    "f": _read_fraction,
    "F": _read_fraction,
    "t": _read_half,
    "z": _read_zone,
    "K": _read_zone,
    "g": _read_era,
    "Z": _read_z,
    "GMT": _read_gmt,
}


def _moment(parts: _Parts, styles: Styles, today: datetime) -> Moment:
    hour = _hour(parts)
    has_date = (parts.year, parts.month, parts.day) != (None, None, None)
    is_bare = has_date or Styles.NO_CURRENT_DATE in styles
    year = today.year if parts.year is None else parts.year
    if not has_date and Styles.NO_CURRENT_DATE in styles:
        year = 1
    wall = datetime(  # noqa: DTZ001  # the wall clock has no zone; the offset is kept beside it
        year,
        (1 if is_bare else today.month) if parts.month is None else parts.month,
        (1 if is_bare else today.day) if parts.day is None else parts.day,
        hour,
        parts.minute or 0,
        parts.second or 0,
        (parts.ticks or 0) // 10,
    )
    if parts.weekday is not None and wall.weekday() != parts.weekday:
        raise _Mismatch(f"{wall:%Y-%m-%d} is no {DAYS[parts.weekday]}")
    return Moment(wall, parts.offset, (parts.ticks or 0) % 10)


def _hour(parts: _Parts) -> int:
    """Return the hour from 0 to 23, as .NET weighs it against AM and PM."""
    hour = parts.hour or 0
    if not parts.is_half_day:
        is_late = hour >= 12
        if parts.is_afternoon is not None and parts.is_afternoon is not is_late:
            raise _Mismatch(f"the hour is {hour}, which AM or PM contradicts")
        return hour
    if hour > 12:
        raise _Mismatch(f"the hour is {hour}, where 12 is the last")
    return hour % 12 + (12 if parts.is_afternoon else 0)
