"""Regular expressions as .NET means them, run by the `regex` package (spec: expression 8).

Matching is bounded in time: by a proof, where the pattern is simple and the text short, or else by
a clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import Protocol, TypeAlias, cast

import regex

from provisor.expressions.context import LENGTH_MAX, REGEX_TIMEOUT_S, RESULT_MAX
from provisor.expressions.dotnet_pattern import PLAIN, REGEX, NotPlain, translate
from provisor.expressions.errors import RESULT_TOO_LONG, ExpressionError

EXPANSIONS_MAX = 400_000
"""Parts of a replacement template, times matches, in one call."""


class Match(Protocol):
    """What `re` and `regex` have in common."""

    def start(self, group: int | str = 0, /) -> int: ...
    def end(self, group: int | str = 0, /) -> int: ...
    def span(self, group: int | str = 0, /) -> tuple[int, int]: ...
    def group(self, group: int | str = 0, /) -> str | None: ...


class _Engine(Protocol):
    def sub(self, replacement: str, string: str, /) -> str: ...
    def search(self, string: str, pos: int = 0, /) -> Match | None: ...
    def finditer(self, string: str, /) -> Iterator[Match]: ...


class _TimedEngine(Protocol):
    def search(
        self, string: str, pos: int = 0, /, *, timeout: float | None = None
    ) -> Match | None: ...
    def finditer(
        self, string: str, /, *, overlapped: bool = False, timeout: float | None = None
    ) -> Iterator[Match]: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready to run. Two patterns are equal when their .NET texts are."""

    text: str
    timed: _TimedEngine = field(compare=False)
    plain: _Engine | None = field(compare=False)
    """The standard library's engine, for ASCII text; None where it would differ."""
    groups: dict[str, int] = field(compare=False)
    """.NET numbers by name; unnamed groups by their number as text."""
    length_max: int = field(compare=False)
    """The longest text on which a search is known to end soon without a clock."""
    may_be_empty: bool = field(compare=False)
    """Some match may have no characters."""

    def search(self, text: str) -> Match | None:
        """Return the first match, None without one. Raises ExpressionError when out of time."""
        if len(text) <= self.length_max:
            plain = self.plain if self.plain is not None and text.isascii() else self.timed
            return plain.search(text)
        try:
            return self.timed.search(text, timeout=REGEX_TIMEOUT_S)
        except TimeoutError as error:
            raise self._out_of_time() from error

    def matches(self, text: str) -> Iterator[Match]:
        """Yield all matches, empty ones included. Raises ExpressionError when out of time."""
        is_quick = len(text) <= self.length_max
        plain = self.plain if self.plain is not None and text.isascii() else self.timed
        try:
            if self.may_be_empty:
                yield from _matches_apart(plain, text) if is_quick else self._timed_apart(text)
            elif is_quick:
                yield from plain.finditer(text)
            else:
                yield from self.timed.finditer(text, timeout=REGEX_TIMEOUT_S)
        except TimeoutError as error:
            raise self._out_of_time() from error

    def _timed_apart(self, text: str) -> Iterator[Match]:
        """Return what `_matches_apart` does, in one run or two of the clock. Raises TimeoutError.

        Few patterns find something else at a place where they found nothing; for those one match
        is looked for at every character.
        """
        found = list(self.timed.finditer(text, timeout=REGEX_TIMEOUT_S))
        if all(one.start() != two.start() for one, two in pairwise(found)):
            yield from found
            return
        at = 0
        for match in self.timed.finditer(text, overlapped=True, timeout=REGEX_TIMEOUT_S):
            if match.start() >= at:
                yield match
                at = match.end()

    def number(self, group: str) -> int:
        """Return the .NET number of a group. Raises ExpressionError where there is none."""
        if group == "0":
            return 0
        if group not in self.groups:
            raise ExpressionError(
                f'the pattern "{self.text[:60]}" has no group named "{group[:60]}"'
            )
        return self.groups[group]

    def replace(self, text: str, template: str) -> str:
        """Replace every match as .NET's Regex.Replace does.

        Raises ExpressionError when out of time, or when the result would be too long.
        """
        pieces = template_of(self, template)
        return _joined(text, self._expansions(text, pieces))

    def _expansions(
        self, text: str, pieces: Sequence[Piece]
    ) -> Iterator[tuple[tuple[int, int], str]]:
        """Yield each match's span and replacement, within a bound on all of the work together."""
        work = 0
        for match in self.matches(text):
            work += len(pieces)
            if work > EXPANSIONS_MAX:
                raise ExpressionError("the replacement has too many parts for so many matches")
            yield match.span(), expand(pieces, match, text)

    def substitution(self, template: str) -> Substitution | None:
        """Return what replaces as `replace` does, for short ASCII text only, and without a clock.

        None where there is no such short cut.
        """
        pieces = template_of(self, template)
        written = _plain_template(pieces)
        if self.plain is None or written is None or self.may_be_empty:
            return None
        grown = sum(len(piece) if isinstance(piece, str) else 1 for piece in pieces)
        length_max = min(self.length_max, RESULT_MAX // (1 + grown) - 1)
        return Substitution(self.plain.sub, written, length_max)

    def replace_group(self, text: str, group: str, replacement: str) -> str:
        """Replace what one group matched, in every match in which it takes part."""
        name = _name_of(self.number(group))
        spans = (m.span(name) for m in self.matches(text))
        return _joined(text, ((span, replacement) for span in spans if span != (-1, -1)))

    def first(self, text: str, group: str) -> str | None:
        """Return what one group matched in the first match, None where it took no part."""
        name = _name_of(self.number(group))
        match = self.search(text)
        return None if match is None else match.group(name)

    def _out_of_time(self) -> ExpressionError:
        return ExpressionError(
            f'the pattern "{self.text[:60]}" needs more than {REGEX_TIMEOUT_S:g} s on this text'
        )


def _matches_apart(engine: _Engine | _TimedEngine, text: str) -> Iterator[Match]:
    """Yield matches as .NET goes on behind an empty one: at the next character.

    Python's engines try once more at the same place for one that is not empty.
    """
    at = 0
    while at <= len(text):
        match = engine.search(text, at)
        if match is None:
            return
        yield match
        at = match.end() + (match.end() == match.start())


@dataclass(frozen=True, slots=True)
class Substitution:
    """`run(template, text)` replaces all matches in ASCII text of at most `length_max`."""

    run: Callable[[str, str], str]
    template: str
    length_max: int


def _name_of(number: int) -> int | str:
    return f"g{number}" if number else 0


def _joined(text: str, changes: Iterator[tuple[tuple[int, int], str]]) -> str:
    pieces: list[str] = []
    at = total = 0
    for (start, end), new in changes:
        if start < at:  # a group inside a look-around can lie outside its own match
            continue
        pieces += (text[at:start], new)
        total += start - at + len(new)
        at = end
        if total > RESULT_MAX:
            break
    if not pieces:
        return text
    pieces.append(text[at:])
    if total + len(text) - at > RESULT_MAX:
        raise _too_long()
    return "".join(pieces)


# --- Replacement templates ---------------------------------------------------------------------

Piece: TypeAlias = str | int
"""Literal text, or a group's number; negative numbers are not groups but what is around."""


class _Around(IntEnum):
    """Pieces that are no group; negative, as no group's number is."""

    BEFORE = -1
    AFTER = -2
    ALL = -3


_SUBSTITUTION = re.compile(r"\$(?:([$&`'+_])|([0-9]+)|\{([A-Za-z0-9_]+)\})", re.ASCII)
_MARKS: dict[str, Piece] = {
    "$": "$",
    "&": 0,
    "`": _Around.BEFORE,
    "'": _Around.AFTER,
    "_": _Around.ALL,
}


@lru_cache(maxsize=512)
def _template(template: str, groups: frozenset[tuple[str, int]]) -> tuple[Piece, ...]:
    by_name = dict(groups)
    numbers = {0, *by_name.values()}
    pieces: list[Piece] = []
    at = 0
    for match in _SUBSTITUTION.finditer(template):
        mark, digits, name = match.groups()
        piece: Piece | None
        if mark is not None:
            piece = max(numbers) if mark == "+" else _MARKS[mark]
        else:
            piece = _group_of(digits or name, by_name, numbers)
        if piece is not None:  # what no group bears stays as it is written
            pieces += (template[at : match.start()], piece)
            at = match.end()
    pieces.append(template[at:])
    return tuple(piece for piece in pieces if piece != "")


def _group_of(name: str, by_name: dict[str, int], numbers: set[int]) -> int | None:
    if name.isdigit() and len(name) < 10:
        return int(name) if int(name) in numbers else None
    return by_name.get(name)


def template_of(pattern: Pattern, template: str) -> tuple[Piece, ...]:
    """Return the pieces of a replacement template; `$` before nothing known is literal."""
    if "$" not in template:
        return (template,) if template else ()
    return _template(template, frozenset(pattern.groups.items()))


def _plain_template(pieces: Sequence[Piece]) -> str | None:
    """Return the template as the standard library writes it, None where it cannot."""
    if any(isinstance(piece, int) and piece < 0 for piece in pieces):
        return None
    return "".join(
        piece.replace("\\", r"\\") if isinstance(piece, str) else rf"\g<{_name_of(piece)}>"
        for piece in pieces
    )


def expand(pieces: Sequence[Piece], match: Match, text: str) -> str:
    """Return the replacement for one match. A group that took no part counts as ""."""
    written: list[str] = []
    total = 0
    for piece in pieces:
        match piece:
            case str():
                part = piece
            case _Around.BEFORE:
                part = text[: match.start()]
            case _Around.AFTER:
                part = text[match.end() :]
            case _Around.ALL:
                part = text
            case _:
                part = match.group(_name_of(piece)) or ""
        total += len(part)
        if total > RESULT_MAX:
            raise _too_long()
        written.append(part)
    return "".join(written)


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """Return the .NET pattern ready to run.

    Raises ExpressionError for what .NET refuses, for balancing groups, and for patterns that are
    too large.
    """
    if len(text) > LENGTH_MAX:
        raise ExpressionError(f"a regular expression is longer than {LENGTH_MAX} characters")
    read = translate(text, REGEX)
    try:
        timed = cast(_TimedEngine, regex.compile(read.written, regex.V1))
    except (regex.error, OverflowError, RecursionError) as error:
        raise ExpressionError(
            f'the regular expression "{text[:60]}" is not understood: {error}'
        ) from error
    return Pattern(
        text, timed, _plain(text), read.groups, read.length_max, may_be_empty=read.may_be_empty
    )


def _plain(text: str) -> _Engine | None:
    try:
        return cast(_Engine, re.compile(translate(text, PLAIN).written, re.ASCII))
    except (NotPlain, re.error, OverflowError, RecursionError):
        return None


def _too_long() -> ExpressionError:
    message = f"the replaced text is longer than {RESULT_MAX} characters"
    return ExpressionError(message, limit=RESULT_TOO_LONG)
