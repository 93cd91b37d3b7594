"""Plain text that is as easy to read as to pipe: tables, times, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import click

CONTROLS = dict.fromkeys((*range(32), 127, *range(128, 160)), "�")


def say(text: str = "") -> None:
    """Write a result, on standard output."""
    click.echo(text)


def tell(text: str) -> None:
    """Write what is said along the way, on standard error."""
    click.echo(text, err=True)


def clean(text: str) -> str:
    """Return a text from outside without what would steer a terminal."""
    return text.translate(CONTROLS)


def table(rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """Return rows in aligned columns, two spaces between them."""
    cells = [[clean(cell) for cell in row] for row in rows]
    if not cells:
        return ""
    columns = max(len(row) for row in cells)
    widths = [
        max((width(row[n]) for row in cells if n < len(row)), default=0) for n in range(columns)
    ]
    lines = [
        "  ".join(cell + " " * (widths[n] - width(cell)) for n, cell in enumerate(row)).rstrip()
        for row in cells
    ]
    return "\n".join(indent + line for line in lines)


def width(text: str) -> int:
    """Return how many columns a text takes: two for wide letters, none for combining marks."""
    if text.isascii():
        return len(text)

    import unicodedata  # a megabyte of tables, loaded only where a letter asks for them

    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(1 for letter in text if unicodedata.combining(letter))


def moment(at: datetime | None) -> str:
    """Return a time as people and machines read it, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at else "never"


def span(duration: timedelta) -> str:
    """Return a duration in its two largest units."""
    seconds = int(duration.total_seconds())
    if seconds < 60:
        return f"{duration.total_seconds():.1f} s" if seconds < 10 else f"{seconds} s"
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in units:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2])


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 object`, `2 objects`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
