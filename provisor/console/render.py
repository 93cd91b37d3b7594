"""From values to HTML: the templates, and how numbers, times and spans are written in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct
from starlette.responses import HTMLResponse, Response

from provisor.console import words
from provisor.graph.wire.base import MIN_VALUE, duration_of, instant_text
from provisor.graph.wire.overview import CycleExecution

STATIC = Path(__file__).parent / "static"
EDITOR = (
    "@codemirror/state", "@codemirror/view", "@codemirror/language", "@codemirror/commands",
    "@codemirror/streamparser", "@codemirror/autocomplete", "@codemirror/lint", "@lezer/common",
    "@lezer/highlight", "style-mod", "w3c-keyname", "crelt", "@marijn/find-cluster-break",
)  # fmt: skip
"""Packages whose modules name one another."""
HTMX = '{"allowEval":false,"includeIndicatorStyles":false,"historyCacheSize":0}'


@cache
def environment() -> Environment:
    """Return the templates. Everything is escaped; a name that is not given is an error."""
    made = Environment(
        loader=PackageLoader("provisor.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # The library types these as what it brings along itself.
    filters, tests = cast(dict[str, object], made.filters), cast(dict[str, object], made.tests)
    known = cast(dict[str, object], made.globals)
    filters.update(
        when=when,
        ago=ago,
        number=number,
        span=span,
        lasts=lasts,
        plural=plural,
        ended=ended,
        camel=camel,
        short=short,
        said=said,
    )
    tests.update(instant=_is_instant, struct=_is_struct)
    known.update(
        static=static, words=words, htmx_settings=HTMX, points=points, editor_modules=editor_modules
    )
    return made


def page(template: str, status: int, values: Mapping[str, object]) -> Response:
    return HTMLResponse(environment().get_template(template).render(values), status)


@cache
def static(name: str) -> str:
    """Return the address of a file that pages need; it changes when the file does."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/console/static/{digest}/{name}"


@cache
def editor_modules() -> Mapping[str, Mapping[str, str]]:
    """Return where the browser finds the modules that the editor is made of."""
    at = "vendor/codemirror"
    return {
        "imports": {
            name: static(f"{at}/{name.removeprefix('@').replace('/', '-')}.js") for name in EDITOR
        }
    }


def is_set(instant: datetime | None) -> bool:
    """False for the instant that Graph writes where there is none."""
    return instant is not None and instant != MIN_VALUE


def when(instant: datetime | None) -> Markup:
    """Return an instant as an element: UTC for whoever reads it as it is, and on hover; the script
    of the page writes it in the reader's own zone."""
    return _time(instant, "at")


def ago(instant: datetime | None) -> Markup:
    """As `when`, told as how long ago it was, or how soon it will be."""
    return _time(instant, "ago")


def _time(instant: datetime | None, form: str) -> Markup:
    if instant is None or not is_set(instant):
        return Markup('<span class="text-secondary">never</span>')
    utc = instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}" data-form="{}">{}</time>').format(
        instant_text(instant), utc, form, utc
    )


def number(value: float) -> str:
    return f"{value:,}"


def plural(count: int, word: str) -> str:
    """Return a number with its noun: `1 object`, `2 objects`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def ended(text: str) -> str:
    """Return a message as a sentence beside others: messages have no full stop of their own."""
    return f"{text}." if text and text[-1] not in ".!?:" else text


def span(seconds: float) -> str:
    """Return a duration in the two units that say most of it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    said = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(said[:2])


def lasts(duration: str | timedelta) -> str:
    """Return an ISO 8601 duration in words."""
    known = duration_of(duration) if isinstance(duration, str) else duration
    return "never" if known > timedelta(days=3_650) else span(known.total_seconds())


def said(value: object) -> str:
    """Return a value of the source as people read it."""
    if isinstance(value, list):
        return ", ".join(said(one) for one in cast(list[object], value))
    return "(none)" if value is None else str(value)


def short(text: str, length: int = 60) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def camel(name: str) -> str:
    """Return a property's name as Graph spells it."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def points(cycles: Sequence[CycleExecution]) -> list[list[float | None]]:
    """Return what the charts of cycles show, oldest first: times, then a row for each line.

    None stands where nothing was measured.
    """
    shown = list(reversed(cycles))
    spent = [dict(one.spent.parts) if one.spent else {} for one in shown]
    return [
        [one.time_began.timestamp() for one in shown],
        [one.count_imported for one in shown],
        [one.count_exported for one in shown],
        [one.count_escrowed for one in shown],
        [round(one.seconds, 3) for one in shown],
        *([known.get(part) for known in spent] for part in words.PARTS),
    ]


def _is_instant(value: object) -> bool:
    return isinstance(value, datetime)


def _is_struct(value: object) -> bool:
    return isinstance(value, Struct)
