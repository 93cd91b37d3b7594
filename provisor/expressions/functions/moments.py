"""Functions of dates and times (spec: expression 6.5)."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from provisor.expressions.context import Context
from provisor.expressions.date_formats import write
from provisor.expressions.date_reading import DEFAULT_STYLES, read, styles_named
from provisor.expressions.dates import Moment, parse_moment
from provisor.expressions.errors import ExpressionError
from provisor.expressions.functions.shape import Example, Function, Parameter, Variant, bounded
from provisor.expressions.values import (
    Operand,
    as_utc,
    is_empty,
    single,
    to_datetime,
    to_integer,
    to_text,
    to_text_or_null,
)
from provisor.model.rules import AttributeType

INTEGER = AttributeType.INTEGER
DATE_TIME = AttributeType.DATE_TIME

FILETIME_ZERO = datetime(1601, 1, 1, tzinfo=UTC)
TICKS_PER_SECOND = 10_000_000
_SPANS_S = {"d": 86_400, "h": 3_600, "n": 60, "s": 1}
_INTERVALS = "yyyy, m, d, ww, h, n or s"


def c_date(value: Operand) -> Operand:
    return to_datetime(value)


def now(context: Context) -> Operand:
    return context.now


def date_add(interval: Operand, value: Operand, date: Operand) -> Operand:
    name, start = to_text(interval), to_datetime(date)
    amount = to_integer(value, "value")
    check_interval(name)
    if start is None:
        return None
    match name:
        case "yyyy":
            return _months_later(start, amount * 12)
        case "m":
            return _months_later(start, amount)
        case "ww":
            return start + timedelta(days=7 * amount)
        case _:
            return start + timedelta(seconds=_SPANS_S[name] * amount)


def _months_later(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise ExpressionError("the date lies outside the years 1 to 9999")
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def date_diff(interval: Operand, one: Operand, other: Operand) -> Operand:
    name, first, second = to_text(interval), to_datetime(one), to_datetime(other)
    check_interval(name)
    if first is None or second is None:
        return None
    match name:
        case "yyyy":
            return second.year - first.year
        case "m":
            return (second.year - first.year) * 12 + second.month - first.month
        case "ww":
            # Day 7 of the proleptic calendar was a Sunday, so weeks are runs of ordinals from it.
            return second.toordinal() // 7 - first.toordinal() // 7
        case _:
            microseconds = (second - first) // timedelta(microseconds=1)
            span = _SPANS_S[name] * 1_000_000
            return microseconds // span if microseconds >= 0 else -(-microseconds // span)


def check_interval(name: str) -> None:
    """Raise ExpressionError unless the name is one of an interval."""
    if name not in ("yyyy", "m", "ww") and name not in _SPANS_S:
        raise ExpressionError(f'interval must be {_INTERVALS}, not "{name[:60]}"')


def date_from_num(value: Operand) -> Operand:
    if is_empty(value):
        return None
    number = to_integer(value, "value")
    if number < 0:
        raise ExpressionError("the date lies before 1601")
    return FILETIME_ZERO + timedelta(microseconds=number // 10)


def num_from_date(value: Operand) -> Operand:
    one = single(value)
    tenth = 0
    if isinstance(one, str) and one:
        moment = parse_moment(one)
        instant, tenth = moment.utc, moment.tenth
    else:
        instant = to_datetime(one)
    if instant is None:
        return None
    ticks = (instant - FILETIME_ZERO) // timedelta(microseconds=1) * 10 + tenth
    if ticks < 0:
        raise ExpressionError("the date lies before 1601")
    return ticks


def format_date_time(
    context: Context, source: Operand, styles: Operand, input_format: Operand, output: Operand
) -> Operand:
    value, template = single(source), to_text(output)
    if isinstance(value, datetime):
        moment = Moment(as_utc(value).replace(tzinfo=None), timedelta())
        return bounded(write(moment, template))
    text = to_text_or_null(value)
    if not text:
        return None
    named = to_text(styles)
    chosen = styles_named(named) if named else DEFAULT_STYLES
    moment = read(text, to_text(input_format), chosen, context.now)
    return bounded(write(moment, template))


def _format_variant(given: Sequence[bool]) -> Variant:
    if len(given) == 3:
        return Variant(_format_without_styles, (0, 1, 2))
    return Variant(format_date_time, (0, 1, 2, 3))


def _format_without_styles(
    context: Context, source: Operand, input_format: Operand, output: Operand
) -> Operand:
    return format_date_time(context, source, None, input_format, output)


_HIRED = {"hired": "2012-03-16-07:00"}

FUNCTIONS = (
    Function(
        name="CDate",
        parameters=(Parameter("expression"),),
        implementation=c_date,
        summary="The instant that a text names: ISO 8601, month/day/year or RFC 1123. Without an "
        "offset it counts as UTC. Null and empty text give null.",
        examples=(Example('CDate("2021-06-30+08:00")', "6/29/2021 4:00:00 PM"),),
    ),
    Function(
        name="Now",
        parameters=(),
        implementation=now,
        needs_context=True,
        summary="The time at which the cycle began, in UTC.",
        examples=(),
    ),
    Function(
        name="DateAdd",
        parameters=(
            Parameter("interval"),
            Parameter("value", INTEGER),
            Parameter("dateTime", DATE_TIME),
        ),
        implementation=date_add,
        summary="A later date, or an earlier one for a negative value. Intervals: `yyyy` years, "
        "`m` months, `d` days, `ww` weeks, `h` hours, `n` minutes, `s` seconds. A day that the "
        "month lacks becomes its last.",
        examples=(
            Example('DateAdd("d", 7, CDate([hired]))', "3/23/2012 7:00:00 AM", _HIRED),
            Example('DateAdd("m", 1, CDate("2024-01-31"))', "2/29/2024 12:00:00 AM"),
        ),
    ),
    Function(
        name="DateDiff",
        parameters=(
            Parameter("interval"),
            Parameter("date1", DATE_TIME),
            Parameter("date2", DATE_TIME),
        ),
        implementation=date_diff,
        summary="How much later the second date is. `yyyy`, `m` and `ww` count boundaries in the "
        "calendar (weeks begin on Sunday), `d`, `h`, `n` and `s` whole spans of elapsed time.",
        examples=(
            Example('DateDiff("d", CDate("2021-08-18+08:00"), CDate("2021-08-31+08:00"))', "13"),
            Example('DateDiff("yyyy", CDate("2024-12-31"), CDate("2025-01-01"))', "1"),
        ),
    ),
    Function(
        name="DateFromNum",
        parameters=(Parameter("value", INTEGER),),
        implementation=date_from_num,
        summary="The instant behind a Windows file time (100 ns since 1601-01-01 UTC).",
        examples=(Example("DateFromNum(129699324000000000)", "1/1/2012 11:00:00 PM"),),
    ),
    Function(
        name="NumFromDate",
        parameters=(Parameter("value", DATE_TIME),),
        implementation=num_from_date,
        summary="The Windows file time (100 ns since 1601-01-01 UTC) of a date.",
        examples=(Example('NumFromDate("1970-01-01T00:00:00Z")', "116444736000000000"),),
    ),
    Function(
        name="FormatDateTime",
        parameters=(
            Parameter("source", DATE_TIME),
            Parameter("dateTimeStyles", is_required=False),
            Parameter("inputFormat"),
            Parameter("outputFormat"),
        ),
        implementation=format_date_time,
        variants=_format_variant,
        needs_context=True,
        summary="A date in one .NET format, written in another. The styles may be left out with "
        "their comma. A source that is a date already needs no reading, so that its input format "
        "does not matter. Null and empty text give null.",
        examples=(
            Example(
                'FormatDateTime("20150123105347.1Z", , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")',
                "2015-01-23",
            ),
            Example('FormatDateTime("7 Mar 2025", "d MMM yyyy", "dd.MM.yy")', "07.03.25"),
        ),
    ),
)
