"""Dates and times as .NET writes and reads them, invariant culture (spec: expression 7).

No library knows the custom formats, so they are cut into fields here, once for both directions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Flag, auto
from functools import lru_cache

from provisor.expressions.errors import ExpressionError

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TWO_DIGIT_YEAR_MAX = 2049
_OFFSET_MAX = timedelta(hours=14)
_WHITE = " \t\n\v\f\r\x85\xa0\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time as it was written: what the clock on the wall showed, and where."""

    wall: datetime
    """Without a time zone."""
    offset: timedelta | None = None
    """Ahead of UTC; None where the text did not say."""
    tenth: int = 0
    """Tenths of a microsecond: .NET counts those, Python does not."""

    @property
    def utc(self) -> datetime:
        """The instant; without an offset the wall clock counts as UTC."""
        return (self.wall - (self.offset or timedelta())).replace(tzinfo=UTC)


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


# --- Free form ---------------------------------------------------------------------------------

_YEAR, _MONTH, _DAY = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?"
_HALF = r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?:\s*(?P<zone>[Zz]|GMT|UTC|[+-]\d{1,2}(?::?\d{2})?))?"
_FREE = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"{_YEAR}-{_MONTH}-{_DAY}(?:(?:[Tt]|\s+){_TIME}{_HALF})?{_ZONE}",
        rf"{_MONTH}/{_DAY}/{_YEAR}(?:\s+{_TIME}{_HALF})?{_ZONE}",
        rf"(?:[A-Za-z]{{3}},\s*)?{_DAY}\s+(?P<name>[A-Za-z]{{3}})\s+{_YEAR}\s+{_TIME}{_HALF}{_ZONE}",
    )
)


def parse_free(text: str) -> datetime:
    """Return the instant that the text names, in UTC (spec: expression 7.1).

    Takes ISO 8601, US dates (month first) and RFC 1123. Raises ExpressionError for all else.
    """
    return parse_moment(text).utc


def parse_moment(text: str) -> Moment:
    """Return the wall clock and offset that the text names; forms and errors as parse_free."""
    trimmed = text.strip(_WHITE)
    if len(trimmed) > 64:
        raise _unreadable(text)
    for form in _FREE:
        match = form.fullmatch(trimmed)
        if match:
            try:
                moment = _free_moment(match.groupdict())
                _ = moment.utc
            except (ValueError, OverflowError) as error:
                raise _unreadable(text) from error
            return moment
    raise _unreadable(text)


def _unreadable(text: str) -> ExpressionError:
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return ExpressionError(f'"{shown}" is no date and time')


def _free_moment(part: Mapping[str, str | None]) -> Moment:
    name = part.get("name")
    month = _month_named(name) if name else int(part["month"] or 1)
    hour = int(part["hour"] or 0)
    half = part["half"]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("an hour with AM or PM runs from 1 to 12")
        hour = hour % 12 + (12 if half in "Pp" else 0)
    ticks = int((part["fraction"] or "0")[:7].ljust(7, "0"))
    wall = datetime(  # noqa: DTZ001  # the wall clock has no zone; the offset is kept beside it
        int(part["year"] or 1),
        month,
        int(part["day"] or 1),
        hour,
        int(part["minute"] or 0),
        int(part["second"] or 0),
        ticks // 10,
    )
    return Moment(wall, _zone(part["zone"]), ticks % 10)


def _month_named(name: str) -> int:
    short = [month[:3].lower() for month in MONTHS]
    return short.index(name.lower()) + 1


def _zone(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text in ("Z", "z", "GMT", "UTC"):
        return timedelta()
    digits = text[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    return _offset(text[0], int(hours), int(minutes))


def _offset(sign: str, hours: int, minutes: int) -> timedelta:
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > _OFFSET_MAX:
        raise ValueError("an offset from UTC is at most 14 hours")
    return -offset if sign == "-" else offset


def write_default(instant: datetime) -> str:
    """Return the instant as the language shows it: `1/31/2025 4:05:06 PM`."""
    half = "AM" if instant.hour < 12 else "PM"
    return (
        f"{instant.month}/{instant.day}/{instant.year:04d} "
        f"{(instant.hour + 11) % 12 + 1}:{instant.minute:02d}:{instant.second:02d} {half}"
    )


# --- Custom formats ----------------------------------------------------------------------------

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

_RUN_MAX: Mapping[str, int] = {
    "d": 4, "M": 4, "y": 5, "H": 2, "h": 2, "m": 2, "s": 2, "f": 7, "F": 7, "t": 2, "z": 3,
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
        if end - at > _RUN_MAX[character] and character in "fF":
            raise ExpressionError(f'a fraction in "{template[:60]}" has more than 7 digits')
        return Field(character, character * min(end - at, _RUN_MAX[character])), end
    if character in "'\"":
        end = template.find(character, at + 1)
        if end < 0:
            raise ExpressionError(f'a quotation in the date format "{template[:60]}" is not closed')
        return Field("", template[at + 1 : end]), end + 1
    if character in "\\%":
        if at + 1 >= len(template):
            raise ExpressionError(f'the date format "{template[:60]}" ends in {character}')
        if character == "\\":
            return Field("", template[at + 1]), at + 2
        if template[at + 1] in "\\%":
            raise ExpressionError(f'% in the date format "{template[:60]}" stands before no letter')
        return _field(template[: at + 2], at + 1)
    return Field("Z" if character == "Z" else "", character), at + 1


def write(moment: Moment, template: str) -> str:
    """Return the moment in a .NET format. Raises ExpressionError for a format that is none."""
    fields = fields_of(template)
    if len(template) == 1 and template in _IN_UTC:
        moment = Moment(moment.utc.replace(tzinfo=None), timedelta(), moment.tenth)
    pieces: list[str] = []
    for index, field in enumerate(fields):
        text = _WRITERS[field.letter](moment, field) if field.letter else field.text
        if field.letter == "F" and not text and pieces and fields[index - 1].text == ".":
            pieces.pop()  # .NET takes the point away together with the fraction
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


# --- Reading by a format -----------------------------------------------------------------------


@dataclass(slots=True)
class _Parts:
    """What has been read so far."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    hour: int | None = None
    hour12: int | None = None
    is_afternoon: bool | None = None
    minute: int = 0
    second: int = 0
    ticks: int = 0
    offset: timedelta | None = None


class _Mismatch(Exception):
    """The text does not follow the format."""


def read(text: str, template: str, styles: Styles, today: datetime) -> Moment:
    """Return the moment that the text names in exactly this format.

    What the format leaves out is taken from `today`, or from 0001-01-01 where the styles say
    so. Raises ExpressionError when text and format disagree.
    """
    fields = fields_of(template)
    parts = _Parts()
    trimmed = text.lstrip(_WHITE) if Styles.LEADING_WHITE in styles else text
    trimmed = trimmed.rstrip(_WHITE) if Styles.TRAILING_WHITE in styles else trimmed
    try:
        at = 0
        for index, field in enumerate(fields):
            if Styles.INNER_WHITE in styles:
                at = len(trimmed) - len(trimmed[at:].lstrip(_WHITE))
            at = _read_field(trimmed, at, field, fields[index + 1 :], parts)
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


def _read_field(text: str, at: int, field: Field, following: Sequence[Field], parts: _Parts) -> int:
    if not field.letter:
        if text.startswith(field.text, at):
            return at + len(field.text)
        if field.text == "." and following and following[0].letter == "F":
            return at  # .NET reads the point only together with a fraction
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
        parts.weekday, at = _name(text, at, _abbreviated(DAYS, field))
    else:
        parts.day, at = _number(text, at, field)
    return at


def _read_month(text: str, at: int, field: Field, parts: _Parts) -> int:
    if field.count > 2:
        index, at = _name(text, at, _abbreviated(MONTHS, field))
        parts.month = index + 1
    else:
        parts.month, at = _number(text, at, field)
    return at


def _read_year(text: str, at: int, field: Field, parts: _Parts) -> int:
    if field.count > 2:
        parts.year, at = _digits(text, at, field.count, field.count)
        return at
    year, at = _number(text, at, field)
    century = TWO_DIGIT_YEAR_MAX // 100 * 100
    parts.year = century + year if century + year <= TWO_DIGIT_YEAR_MAX else century - 100 + year
    return at


def _read_hour(text: str, at: int, field: Field, parts: _Parts) -> int:
    parts.hour, at = _number(text, at, field)
    return at


def _read_hour12(text: str, at: int, field: Field, parts: _Parts) -> int:
    parts.hour12, at = _number(text, at, field)
    if not 1 <= parts.hour12 <= 12:
        raise _Mismatch(f"the hour before position {at} is not 1 to 12")
    return at


def _read_minute(text: str, at: int, field: Field, parts: _Parts) -> int:
    parts.minute, at = _number(text, at, field)
    return at


def _read_second(text: str, at: int, field: Field, parts: _Parts) -> int:
    parts.second, at = _number(text, at, field)
    return at


def _read_fraction(text: str, at: int, field: Field, parts: _Parts) -> int:
    least = 0 if field.letter == "F" else field.count
    _, end = _digits(text, at, least, field.count)
    parts.ticks = int(text[at:end].ljust(7, "0"))
    return end


def _read_half(text: str, at: int, field: Field, parts: _Parts) -> int:
    half = text[at : at + field.count].upper()
    if half not in ("AM"[: field.count], "PM"[: field.count]):
        raise _Mismatch(f"AM or PM expected at position {at}")
    parts.is_afternoon = half.startswith("P")
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
    parts.offset = _offset(match[1], int(match[2]), minutes)
    return match.end()


def _read_z(text: str, at: int, field: Field, parts: _Parts) -> int:
    if text[at : at + 1] not in ("Z", "z"):
        raise _Mismatch(f"Z expected at position {at}")
    parts.offset = timedelta()
    return at + 1


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
}


def _moment(parts: _Parts, styles: Styles, today: datetime) -> Moment:
    hour = parts.hour
    if hour is None:
        hour = parts.hour12 or 0
        if parts.hour12 is not None and parts.is_afternoon is not None:
            hour = parts.hour12 % 12 + (12 if parts.is_afternoon else 0)
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
        parts.minute,
        parts.second,
        parts.ticks // 10,
    )
    if parts.weekday is not None and wall.weekday() != parts.weekday:
        raise _Mismatch(f"{wall:%Y-%m-%d} is no {DAYS[parts.weekday]}")
    return Moment(wall, parts.offset, parts.ticks % 10)
