"""Regular expressions as .NET means them, run by the `regex` package (spec: expression 8).

A pattern is read completely and written anew, so that nothing reaches the other engine that means
something else there. .NET numbers unnamed groups before named ones, so every group is given the
name of its .NET number. Matching is bounded in time: by a proof, or else by a clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol, TypeAlias, cast

import regex

from provisor.expressions.context import LENGTH_MAX, REGEX_TIMEOUT_S, RESULT_MAX
from provisor.expressions.errors import ExpressionError

NESTING_MAX = 50
EXPANDED_MAX = 20_000
"""Characters and classes once every counted repetition is written out; `regex` does that."""

STEPS_WITHOUT_CLOCK = 10_000_000
"""A search that provably ends within so many steps needs no clock, which costs microseconds."""


class Match(Protocol):
    """What `re` and `regex` have in common."""

    def start(self, group: int | str = 0, /) -> int: ...
    def end(self, group: int | str = 0, /) -> int: ...
    def span(self, group: int | str = 0, /) -> tuple[int, int]: ...
    def group(self, group: int | str = 0, /) -> str | None: ...


class _Engine(Protocol):
    def sub(self, replacement: str, string: str, /) -> str: ...
    def search(self, string: str, /) -> Match | None: ...
    def finditer(self, string: str, /) -> Iterator[Match]: ...


class _TimedEngine(Protocol):
    def search(self, string: str, /, *, timeout: float | None = None) -> Match | None: ...
    def finditer(self, string: str, /, *, timeout: float | None = None) -> Iterator[Match]: ...


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
        if len(text) <= self.length_max:
            plain = self.plain if self.plain is not None and text.isascii() else self.timed
            yield from plain.finditer(text)
            return
        try:
            yield from self.timed.finditer(text, timeout=REGEX_TIMEOUT_S)
        except TimeoutError as error:
            raise self._out_of_time() from error

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
        return _joined(text, ((m.span(), expand(pieces, m, text)) for m in self.matches(text)))

    def substitution(self, template: str) -> Substitution | None:
        """Return what replaces as `replace` does, for short ASCII text only, and without a clock.

        None where there is no such short cut.
        """
        pieces = template_of(self, template)
        written = _plain_template(pieces)
        if self.plain is None or written is None:
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
        raise ExpressionError(f"the replaced text is longer than {RESULT_MAX} characters")
    return "".join(pieces)


# --- Replacement templates ---------------------------------------------------------------------

Piece: TypeAlias = str | int
"""Literal text, or a group's number; the names below are numbers that no group has."""

_BEFORE, _AFTER, _LAST, _ALL = -1, -2, -3, -4
_SUBSTITUTION = re.compile(r"\$(?:([$&`'+_])|([0-9]+)|\{([A-Za-z0-9_]+)\})", re.ASCII)
_MARKS: dict[str, Piece] = {"$": "$", "&": 0, "`": _BEFORE, "'": _AFTER, "+": _LAST, "_": _ALL}


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
    if not pieces:
        return ""
    written: list[str] = []
    for piece in pieces:
        match piece:
            case str():
                written.append(piece)
            case -1:
                written.append(text[: match.start()])
            case -2:
                written.append(text[match.end() :])
            case -4:
                written.append(text)
            case _:
                written.append(match.group(_name_of(piece)) or "")
        if sum(map(len, written)) > RESULT_MAX:
            raise ExpressionError(f"the replaced text is longer than {RESULT_MAX} characters")
    return "".join(written)


# --- Reading a pattern -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tameness:
    """How long a search can take at most: a proof where the pattern is simple enough for one.

    With `loops` repetitions of variable length over single characters, side by side, there are at
    most length ** loops ways to match from each position, for each way through the alternatives.
    """

    loops: int = 0
    paths: int = 1
    is_provable: bool = True

    def length_max(self, weight: int) -> int:
        """Return the longest text on which a search stays below the limit, -1 for none.

        `weight` is the length of the pattern, written out: what one way to match costs at most.
        """
        if not self.is_provable or self.loops > 6:
            return -1
        steps = STEPS_WITHOUT_CLOCK / (self.paths * max(1, weight))
        return int(steps ** (1 / (self.loops + 1))) - 1


@dataclass(frozen=True, slots=True)
class _Options:
    ignores_case: bool = False
    is_multiline: bool = False
    is_single_line: bool = False
    names_only: bool = False
    is_spaced: bool = False


@dataclass(frozen=True, slots=True)
class _Numbering:
    """Group numbers, known only after the whole pattern has been read."""

    numbers: frozenset[int]
    by_name: dict[str, int]


_Part: TypeAlias = str | Callable[[_Numbering], str]


@dataclass(frozen=True, slots=True)
class _Read:
    """Some of a pattern, rewritten."""

    parts: tuple[_Part, ...] = ()
    weight: int = 0
    tameness: Tameness = Tameness()
    is_single: bool = False
    """One character or class: repeating it cannot explode."""

    def then(self, other: _Read) -> _Read:
        tame = Tameness(
            self.tameness.loops + other.tameness.loops,
            min(self.tameness.paths * other.tameness.paths, STEPS_WITHOUT_CLOCK),
            self.tameness.is_provable and other.tameness.is_provable,
        )
        return _Read(self.parts + other.parts, self.weight + other.weight, tame)


class _NotPlain(Exception):
    """The standard library's engine cannot say this."""


class _Dialect(Protocol):
    @property
    def is_plain(self) -> bool: ...

    def fold(self, atom: str) -> str: ...


@dataclass(frozen=True, slots=True)
class _Regex:
    """How the `regex` package wants it."""

    is_plain: bool = False

    def fold(self, atom: str) -> str:
        return f"(?i-f:{atom})"  # without f, as .NET never lets ß match SS


@dataclass(frozen=True, slots=True)
class _Plain:
    """How the standard library wants it, for ASCII text."""

    is_plain: bool = True

    def fold(self, atom: str) -> str:
        return f"(?i:{atom})"


_CLASSES = {
    "d": r"\p{Nd}",
    "w": r"\p{L}\p{Mn}\p{Nd}\p{Pc}",
    "s": r"\f\n\r\t\v\x85\p{Z}",
}
_CONTROLS = {"a": 7, "b": 8, "t": 9, "r": 13, "v": 11, "f": 12, "n": 10, "e": 27}
_CATEGORY = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfson]?")
_BLOCKS = {
    "IsGreek": "GreekandCoptic",
    "IsCombiningMarksforSymbols": "CombiningDiacriticalMarksforSymbols",
}
_GROUP_NAME = re.compile(r"(\w+)", re.UNICODE)
_COUNT = re.compile(r"\{([0-9]{1,10})(,([0-9]{1,10})?)?\}", re.ASCII)
_OPTIONS = re.compile(r"\?([imnsx]*(?:-[imnsx]+)?)([:)])")
_LOOKS = ("?=", "?!", "?<=", "?<!")


class _Reader:
    """Reads one pattern from left to right, one method for each thing that may stand there."""

    def __init__(self, text: str, dialect: _Dialect) -> None:
        self.text = text
        self.at = 0
        self.dialect = dialect
        self.next_number = 1
        self.explicit: set[int] = set()
        self.names: list[str] = []
        self.nesting = 0

    def error(self, message: str) -> ExpressionError:
        return ExpressionError(
            f'the regular expression "{self.text[:60]}" is wrong at position {self.at}: {message}'
        )

    def peek(self, prefix: str) -> bool:
        return self.text.startswith(prefix, self.at)

    def take(self) -> str:
        if self.at >= len(self.text):
            raise self.error("it ends too early")
        self.at += 1
        return self.text[self.at - 1]

    # -- alternatives, sequences, repetitions

    def alternatives(self, options: _Options) -> tuple[_Read, int]:
        """Read up to a closing parenthesis or the end; also return how many there are."""
        self.nesting += 1
        if self.nesting > NESTING_MAX:
            raise self.error(f"groups nest deeper than {NESTING_MAX}")
        whole, count = _Read(), 1
        paths, loops = 0, 0
        branch = _Read()
        while True:
            if self.at >= len(self.text) or self.peek(")"):
                break
            if self.peek("|"):
                self.at += 1
                paths, loops = paths + branch.tameness.paths, max(loops, branch.tameness.loops)
                whole, branch = whole.then(branch).then(_Read(("|",))), _Read()
                count += 1
                continue
            option = _OPTIONS.match(self.text, self.at + 1) if self.peek("(") else None
            if option and option[2] == ")":
                options = self.changed(options, option[1])
                self.at = option.end()
                continue
            branch = branch.then(self.repetition(options))
        self.nesting -= 1
        paths, loops = paths + branch.tameness.paths, max(loops, branch.tameness.loops)
        whole = whole.then(branch)
        if whole.weight > EXPANDED_MAX:
            raise self.error(f"written out it is longer than {EXPANDED_MAX} characters")
        tame = Tameness(loops, min(paths, STEPS_WITHOUT_CLOCK), whole.tameness.is_provable)
        return replace(whole, tameness=tame), count

    def repetition(self, options: _Options) -> _Read:
        atom = self.atom(options)
        if not atom.parts:
            return atom
        self.skip_blanks(options)
        count = self.count()
        if count is None:
            return atom
        least, most, written = count
        if self.peek("?"):
            self.at += 1
            written += "?"
        self.skip_blanks(options)
        if self.count() is not None:
            raise self.error("a repetition of a repetition needs a group around the first")
        weight = atom.weight * max(1, least, most or 0)
        if weight > EXPANDED_MAX:
            raise self.error(f"written out it is longer than {EXPANDED_MAX} characters")
        loops = atom.tameness.loops + (least != most)
        tame = Tameness(loops, atom.tameness.paths, atom.is_single)
        return _Read((*atom.parts, written), weight, tame)

    def count(self) -> tuple[int, int | None, str] | None:
        """Read a repetition count: least, most (None: no limit) and how it is written."""
        mark = self.text[self.at : self.at + 1]
        if mark and mark in "*+?":
            self.at += 1
            return int(mark == "+"), 1 if mark == "?" else None, mark
        match = _COUNT.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        if most is not None and most < least:
            raise self.error("a repetition counts down")
        return least, most, match[0]

    def skip_blanks(self, options: _Options) -> None:
        """Skip comments, and in mode x blanks and lines after #."""
        while True:
            if self.peek("(?#"):
                end = self.text.find(")", self.at)
                if end < 0:
                    raise self.error("a comment is not closed")
                self.at = end + 1
            elif options.is_spaced and self.text[self.at : self.at + 1].isspace():
                self.at += 1
            elif options.is_spaced and self.peek("#"):
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end + 1
            else:
                return

    # -- single things

    def atom(self, options: _Options) -> _Read:
        self.skip_blanks(options)
        if self.at >= len(self.text) or self.text[self.at] in "|)":
            return _Read()
        if self.count_follows():
            raise self.error("a repetition of nothing")
        option = _OPTIONS.match(self.text, self.at + 1) if self.peek("(") else None
        if option and option[2] == ")":
            return _Read()  # the caller sees it next, and it holds to the end of the group
        character = self.take()
        match character:
            case "(":
                return self.group(options)
            case "[":
                return self.character_class(options)
            case "\\":
                return self.escape(options)
            case ".":
                return _one("(?s:.)" if options.is_single_line else "[^\\n]")
            case "^":
                return _place("(?m:^)" if options.is_multiline else "^")
            case "$":
                return _place("(?m:$)" if options.is_multiline else r"(?=\n?\Z)")
            case _:
                return self.literal(character, options)

    def count_follows(self) -> bool:
        return self.text[self.at] in "*+?" or _COUNT.match(self.text, self.at) is not None

    def literal(self, character: str, options: _Options) -> _Read:
        if options.ignores_case and character.lower() != character.upper():
            return _one(self.dialect.fold(_escaped(character)))
        return _one(_escaped(character))

    def group(self, options: _Options) -> _Read:
        if not self.peek("?"):
            if options.names_only:
                return self.body("(?:", options)
            number = self.next_number
            self.next_number += 1
            self.explicit.add(number)
            return self.body(f"(?P<g{number}>", options)
        changed = _OPTIONS.match(self.text, self.at)
        if changed:
            self.at = changed.end()
            return self.body("(?:", self.changed(options, changed[1]))
        for look in _LOOKS:
            if self.peek(look):
                self.at += len(look)
                return _untame(self.body(f"({look}", options))
        if self.peek("?>"):
            self.at += 2
            return _untame(self.body("(?>", options))
        if self.peek("?("):
            self.at += 1
            return self.conditional(options)
        if self.peek("?<") or self.peek("?'"):
            return self.named_group(options)
        raise self.error("there is no such group in .NET")

    def named_group(self, options: _Options) -> _Read:
        closing = ">" if self.text[self.at + 1] == "<" else "'"
        self.at += 2
        name = _GROUP_NAME.match(self.text, self.at)
        if name is None:
            raise self.error("a group's name is missing")
        self.at = name.end()
        if self.peek("-"):
            raise self.error("balancing groups are not supported")
        if self.take() != closing:
            raise self.error(f"a group's name should end in {closing}")
        return self.body(self.declare(name[1]), options)

    def declare(self, name: str) -> _Part:
        if name.isdigit():
            if len(name) > 9 or name.startswith("0"):
                raise self.error("there is no such group number")
            self.explicit.add(int(name))
            return f"(?P<g{int(name)}>"
        if name[0].isdigit():
            raise self.error("a group's name begins with a digit")
        if name not in self.names:
            self.names.append(name)
        return lambda numbering: f"(?P<g{numbering.by_name[name]}>"

    def body(self, opening: _Part, options: _Options) -> _Read:
        inner, _ = self.alternatives(options)
        if not self.peek(")"):
            raise self.error("a group is not closed")
        self.at += 1
        return _Read((opening, *inner.parts, ")"), inner.weight + 1, inner.tameness)

    def conditional(self, options: _Options) -> _Read:
        """Read `(?(name)yes|no)` or `(?(look)yes|no)`, from the inner parenthesis on."""
        named = re.compile(r"\((\w+)\)").match(self.text, self.at)
        condition: _Read
        if named:
            self.at = named.end()
            condition = _Read((self.known_or_look(named[1]),))
        else:
            self.at += 1
            look = next((look for look in _LOOKS if self.peek(look)), "?=")
            self.at += len(look) if self.peek(look) else 0
            condition = self.body(f"({look}", options)
        inner, count = self.alternatives(options)
        if count > 2:
            raise self.error("a condition has more than two branches")
        if not self.peek(")"):
            raise self.error("a group is not closed")
        self.at += 1
        weight = condition.weight + inner.weight + 1
        return _untame(_Read(("(?", *condition.parts, *inner.parts, ")"), weight))

    def known_or_look(self, name: str) -> _Part:
        def written(numbering: _Numbering) -> str:
            number = _numbered(name, numbering)
            return f"(g{number})" if number is not None else f"(?={_escaped(name)})"

        return written

    def changed(self, options: _Options, letters: str) -> _Options:
        on, _, off = letters.partition("-")
        fields = {
            "i": "ignores_case",
            "m": "is_multiline",
            "s": "is_single_line",
            "n": "names_only",
            "x": "is_spaced",
        }
        changes = {fields[letter]: True for letter in on}
        changes |= {fields[letter]: False for letter in off}
        return replace(options, **changes)

    # -- escapes

    def escape(self, options: _Options) -> _Read:
        character = self.take()
        if character in "AGbB":
            return _place(f"\\{character}") if character != "G" else self.not_plain(r"\G")
        if character == "Z":
            return _place(r"(?=\n?\Z)")
        if character == "z":
            return _place(r"\Z")
        if character in "dwsDWS":
            return _one(self.shorthand(character))
        if character in "pP":
            return _one(self.fold(f"[{self.category(character)}]", options))
        if character == "k":
            return self.named_reference(options)
        if character in "123456789":
            return self.numbered_reference(character, options)
        return self.literal(self.escaped_character(character), options)

    def not_plain(self, place: str) -> _Read:
        if self.dialect.is_plain:
            raise _NotPlain
        return _place(place)

    def shorthand(self, letter: str) -> str:
        if self.dialect.is_plain:
            return f"\\{letter}"
        inside = _CLASSES[letter.lower()]
        return f"[{inside}]" if letter.islower() else f"[^{inside}]"

    def fold(self, atom: str, options: _Options) -> str:
        return self.dialect.fold(atom) if options.ignores_case else atom

    def category(self, letter: str) -> str:
        """Read `{Lu}` after \\p: a general category or a block, as in .NET."""
        if self.dialect.is_plain:
            raise _NotPlain
        match = re.compile(r"\{([A-Za-z0-9-]+)\}").match(self.text, self.at)
        if match is None:
            raise self.error("a category such as {Lu} is missing")
        name = match[1]
        if _CATEGORY.fullmatch(name) is None:
            if not name.startswith("Is"):
                raise self.error(f"there is no category {name}")
            name = f"Block={_BLOCKS.get(name, name[2:])}"
            try:
                regex.compile(f"\\p{{{name}}}")
            except regex.error as error:
                raise self.error(f"there is no block {match[1]}") from error
        self.at = match.end()
        return f"\\{letter}{{{name}}}"

    def named_reference(self, options: _Options) -> _Read:
        match = re.compile(r"<(\w+)>|'(\w+)'").match(self.text, self.at)
        if match is None:
            raise self.error("a name in angle brackets is missing")
        self.at = match.end()
        name = match[1] or match[2]

        def written(numbering: _Numbering) -> str:
            number = _numbered(name, numbering)
            if number is None:
                raise self.error(f"there is no group {name} to refer to")
            return self.fold(f"(?P=g{number})", options)

        return _untame(_Read((written,), 1))

    def numbered_reference(self, first: str, options: _Options) -> _Read:
        """Read `\\1`: a group where one bears the number, else an octal character as in .NET."""
        match = re.compile(r"[0-9]{0,2}", re.ASCII).match(self.text, self.at)
        digits = first + (match[0] if match else "")
        self.at += len(digits) - 1

        def written(numbering: _Numbering) -> str:
            if int(digits) in numbering.numbers:
                return self.fold(f"(?P=g{int(digits)})", options)
            octal = re.compile(r"[0-7]{2,3}").match(digits)
            if len(digits) == 1 or octal is None:
                raise self.error(f"there is no group {digits} to refer to")
            return _escaped(chr(int(octal[0], 8) & 0xFF)) + digits[octal.end() :]

        return _untame(_Read((written,), 1))

    def escaped_character(self, character: str) -> str:
        if character in _CONTROLS:
            return chr(_CONTROLS[character])
        lengths = {"x": 2, "u": 4}
        if character in lengths:
            return chr(self.code(r"[0-9A-Fa-f]", lengths[character], 16))
        if character == "0":
            match = re.compile(r"[0-7]{0,2}").match(self.text, self.at)
            digits = match[0] if match else ""
            self.at += len(digits)
            return chr(int(digits or "0", 8))
        if character == "c":
            control = self.take().upper()
            if not "@" <= control <= "_":
                raise self.error("there is no such control character")
            return chr(ord(control) - 64)
        if character.isalnum() or character == "_":
            raise self.error(f"there is no escape \\{character}")
        return character

    def code(self, digit: str, length: int, base: int) -> int:
        match = re.compile(f"{digit}{{{length}}}", re.ASCII).match(self.text, self.at)
        if match is None:
            raise self.error(f"{length} digits are missing")
        self.at = match.end()
        return int(match[0], base)

    # -- classes

    def character_class(self, options: _Options) -> _Read:
        return _one(self.fold(self.class_text(0), options))

    def class_text(self, level: int) -> str:
        """Read a class from behind its opening bracket; subtraction as .NET has it, at the end."""
        if level > NESTING_MAX:
            raise self.error(f"classes nest deeper than {NESTING_MAX}")
        negation = "^" if self.peek("^") else ""
        self.at += len(negation)
        pieces: list[str] = []
        subtracted = ""
        is_first = True
        while is_first or not self.peek("]"):
            if self.peek("-[") and not is_first:
                if self.dialect.is_plain:
                    raise _NotPlain
                self.at += 2
                subtracted = self.class_text(level + 1)
                if not self.peek("]"):
                    raise self.error("a subtraction must be the last thing in its class")
                break
            pieces.append(self.class_item())
            is_first = False
        self.at += 1
        text = f"[{negation}{''.join(pieces)}]"
        return f"[{text}--{subtracted}]" if subtracted else text

    def class_item(self) -> str:
        first = self.class_character()
        is_range = self.peek("-") and not self.peek("-]") and not self.peek("-[")
        if not is_range or self.at + 1 >= len(self.text):
            return _escaped(first) if len(first) == 1 else first
        if len(first) > 1:
            if self.peek("-\\") or self.text[self.at + 1] != "]":
                raise self.error("a range cannot begin with a class")
            return first
        self.at += 1
        last = self.class_character()
        if len(last) > 1:
            raise self.error("a range cannot end in a class")
        if last < first:
            raise self.error("a range runs backwards")
        return f"{_escaped(first)}-{_escaped(last)}"

    def class_character(self) -> str:
        """Read one character, or a class such as \\d already in the other engine's spelling."""
        character = self.take()
        if character != "\\":
            return character
        character = self.take()
        if character in "dwsDWS":
            if self.dialect.is_plain:
                return f"\\{character}"
            inside = _CLASSES[character.lower()]
            return inside if character.islower() else f"[^{inside}]"
        if character in "pP":
            return self.category(character)
        if character in "123456789":
            match = re.compile(r"[0-7]{1,3}").match(self.text, self.at - 1)
            if match is None:
                raise self.error(f"there is no escape \\{character}")
            self.at += len(match[0]) - 1
            return chr(int(match[0], 8) & 0xFF)
        return self.escaped_character(character)


def _numbered(name: str, numbering: _Numbering) -> int | None:
    if name.isdigit() and len(name) < 10:
        return int(name) if int(name) in numbering.numbers else None
    return numbering.by_name.get(name)


def _escaped(text: str) -> str:
    """Write literal text so that neither engine finds anything special in it."""
    return "".join(c if c.isalnum() or c in "_@" else f"\\U{ord(c):08x}" for c in text)


def _one(written: str) -> _Read:
    return _Read((written,), 1, is_single=True)


def _place(written: str) -> _Read:
    return _Read((written,), 1, is_single=True)


def _untame(read: _Read) -> _Read:
    return replace(read, tameness=replace(read.tameness, is_provable=False), is_single=False)


def _translate(text: str, dialect: _Dialect) -> tuple[str, dict[str, int], int]:
    reader = _Reader(text, dialect)
    whole, _ = reader.alternatives(_Options())
    if reader.at < len(text):
        raise reader.error("a parenthesis closes nothing")
    by_name: dict[str, int] = {}
    number = reader.next_number
    for name in reader.names:  # named groups come after all unnamed ones
        while number in reader.explicit:
            number += 1
        by_name[name] = number
        reader.explicit.add(number)
    numbering = _Numbering(frozenset(reader.explicit), by_name)
    written = "".join(part if isinstance(part, str) else part(numbering) for part in whole.parts)
    groups = by_name | {str(number): number for number in numbering.numbers}
    return written, groups, whole.tameness.length_max(whole.weight)


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """Return the .NET pattern ready to run.

    Raises ExpressionError for what .NET refuses, for balancing groups, and for patterns that are
    too large.
    """
    if len(text) > LENGTH_MAX:
        raise ExpressionError(f"a regular expression is longer than {LENGTH_MAX} characters")
    written, groups, length_max = _translate(text, _Regex())
    try:
        timed = cast(_TimedEngine, regex.compile(written, regex.V1))
    except (regex.error, OverflowError, RecursionError) as error:
        raise ExpressionError(
            f'the regular expression "{text[:60]}" is not understood: {error}'
        ) from error
    return Pattern(text, timed, _plain(text), groups, length_max)


def _plain(text: str) -> _Engine | None:
    try:
        written, _, _ = _translate(text, _Plain())
        return cast(_Engine, re.compile(written, re.ASCII))
    except (_NotPlain, re.error, OverflowError, RecursionError):
        return None
