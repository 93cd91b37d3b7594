"""Reading .NET patterns and writing them anew for another engine (spec: expression 8).

A pattern is read completely, so that nothing reaches the other engine that means something else
there. .NET numbers unnamed groups before named ones, so every group is given the name of its .NET
number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import regex

from provisor.expressions.errors import ExpressionError

NESTING_MAX = 50
EXPANDED_MAX = 20_000
"""Characters and classes once every counted repetition is written out; `regex` does that."""

STEPS_WITHOUT_CLOCK = 10_000_000
"""A search that provably ends within so many steps needs no clock, which costs microseconds."""


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
    width: int = 0
    """The fewest characters that it matches."""

    def then(self, other: _Read) -> _Read:
        tame = Tameness(
            self.tameness.loops + other.tameness.loops,
            min(self.tameness.paths * other.tameness.paths, STEPS_WITHOUT_CLOCK),
            self.tameness.is_provable and other.tameness.is_provable,
        )
        width = self.width + other.width
        return _Read(self.parts + other.parts, self.weight + other.weight, tame, width=width)


class NotPlain(Exception):
    """The standard library's engine cannot say this."""


class Dialect(Protocol):
    @property
    def is_plain(self) -> bool: ...

    def fold(self, atom: str) -> str: ...

    def fold_class(self, text: str) -> str: ...


_ALONE = "µıİſͅςϐϑϕϖϰϱϵẛι" + "".join(map(chr, range(0x1C80, 0x1C89)))
"""Letters that no other is equal to without case, as .NET compares what they become in lower case;
for the `regex` package ı is an i, and ς a σ."""
_SHARED = frozenset(c.upper().lower() for c in _ALONE) | {"i", "s"}


@dataclass(frozen=True, slots=True)
class _Regex:
    """How the `regex` package wants it."""

    is_plain: bool = False

    def fold(self, atom: str) -> str:
        return f"(?i-f:{atom})"  # without f, as .NET never lets ß match SS

    def fold_class(self, text: str) -> str:
        return f"(?:(?![{_ALONE}]){self.fold(text)}|(?=[{_ALONE}]){text})"


@dataclass(frozen=True, slots=True)
class _Plain:
    """How the standard library wants it, for ASCII text."""

    is_plain: bool = True

    def fold(self, atom: str) -> str:
        return f"(?i:{atom})"

    def fold_class(self, text: str) -> str:
        return self.fold(text)


_CLASSES = {
    "d": r"\p{Nd}",
    "w": r"\p{L}\p{Mn}\p{Nd}\p{Pc}",
    "s": r"\f\n\r\t\v\x85\p{Z}",
}
# The engine's own \b counts more marks among the letters of a word.
_WORD = rf"[{_CLASSES['w']}\u200c\u200d]"
_BOUNDARY = f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))"
_NO_BOUNDARY = f"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))"
_CONTROLS = {"a": 7, "b": 8, "t": 9, "r": 13, "v": 11, "f": 12, "n": 10, "e": 27}
_CATEGORY = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfson]?")
_BLOCKS = {
    "IsGreek": "GreekandCoptic",
    "IsCombiningMarksforSymbols": "CombiningDiacriticalMarksforSymbols",
}
_GROUP_NAME = re.compile(r"(\w+)", re.UNICODE)
_COUNT = re.compile(r"\{([0-9]{1,10})(,([0-9]{1,10})?)?\}", re.ASCII)
_OPTIONS = re.compile(r"\?([imnsxIMNSX+-]*)([:)])")
_OPTION_NAMES = {
    "i": "ignores_case",
    "m": "is_multiline",
    "s": "is_single_line",
    "n": "names_only",
    "x": "is_spaced",
}
_NO_OPTIONS = "options cannot be set in the branches of a condition that is no group"
_BLOCK = re.compile("Is[A-Za-z0-9]+(-[A-Z]|-1Supplement)?")
_ANGLED = re.compile(r"<(\w+)>|'(\w+)'")
_LOOKS = ("?=", "?!", "?<=", "?<!")


class _Reader:
    """Reads one pattern from left to right, one method for each thing that may stand there."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self.text = text
        self.at = 0
        self.dialect = dialect
        self.next_number = 1
        self.explicit: set[int] = set()
        self.names: list[str] = []
        self.nesting = 0
        self.sets_options = False

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
        """Read up to a closing parenthesis or the end; also return how many there are.

        Leaves in `sets_options` whether options are set right within, not deeper.
        """
        sets_options = False
        self.nesting += 1
        if self.nesting > NESTING_MAX:
            raise self.error(f"groups nest deeper than {NESTING_MAX}")
        whole, count = _Read(), 1
        paths, loops = 0, 0
        widths: list[int] = []
        branch = _Read()
        while True:
            if self.at >= len(self.text) or self.peek(")"):
                break
            if self.peek("|"):
                self.at += 1
                paths, loops = paths + branch.tameness.paths, max(loops, branch.tameness.loops)
                widths.append(branch.width)
                whole, branch = whole.then(branch).then(_Read(("|",))), _Read()
                count += 1
                continue
            option = _OPTIONS.match(self.text, self.at + 1) if self.peek("(") else None
            sets_options |= option is not None and option[0] != "?:"
            if option and option[2] == ")":
                options = self.changed(options, option[1])
                self.at = option.end()
                continue
            branch = branch.then(self.repetition(options))
        self.nesting -= 1
        self.sets_options = sets_options
        paths, loops = paths + branch.tameness.paths, max(loops, branch.tameness.loops)
        whole = whole.then(branch)
        if whole.weight > EXPANDED_MAX:
            raise self.error(f"written out it is longer than {EXPANDED_MAX} characters")
        tame = Tameness(loops, min(paths, STEPS_WITHOUT_CLOCK), whole.tameness.is_provable)
        return replace(whole, tameness=tame, width=min([*widths, branch.width])), count

    def repetition(self, options: _Options) -> _Read:
        atom = self.atom(options)
        if not atom.parts:
            return atom
        self.skip_blanks(options)
        count = self.count()
        if count is None:
            return atom
        least, most, written = count
        self.skip_blanks(options)
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
        return _Read((*atom.parts, written), weight, tame, width=atom.width * least)

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
        if not options.ignores_case or character in _ALONE:
            return _one(_escaped(character))
        lower, upper = character.lower(), character.upper()
        if lower == upper:
            return _one(_escaped(character))
        # Both forms, where another letter has come to share one of them: i and ı, σ and ς.
        if lower in _SHARED and not self.dialect.is_plain:
            return _one(f"[{_escaped(lower)}{_escaped(upper)}]")
        return _one(self.dialect.fold(_escaped(character)))

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
                return replace(_untame(self.body(f"({look}", options)), width=0)
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
        parts = (opening, *inner.parts, ")")
        return _Read(parts, inner.weight + 1, inner.tameness, width=inner.width)

    def conditional(self, options: _Options) -> _Read:
        """Read `(?(name)yes|no)` or `(?(look)yes|no)`, from the inner parenthesis on."""
        named = re.compile(r"\((\w+)\)").match(self.text, self.at)
        if named:
            self.at = named.end()
            condition = _Read()
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
        if named:
            condition = _Read((self.known_or_look(named[1], sets_options=self.sets_options),))
        elif self.sets_options:
            raise self.error(_NO_OPTIONS)
        weight = condition.weight + inner.weight + 1
        return _untame(_Read(("(?", *condition.parts, *inner.parts, ")"), weight))

    def known_or_look(self, name: str, *, sets_options: bool) -> _Part:
        def written(numbering: _Numbering) -> str:
            number = _numbered(name, numbering)
            if number is not None:
                return f"(g{number})"
            if name.isdigit():
                raise self.error(f"there is no group {name} to ask for")
            if sets_options:
                raise self.error(_NO_OPTIONS)
            return f"(?={_escaped(name)})"

        return written

    def changed(self, options: _Options, letters: str) -> _Options:
        changes: dict[str, bool] = {}
        is_on = True
        for letter in letters.lower():
            if letter in "+-":
                is_on = letter == "+"
            else:
                changes[_OPTION_NAMES[letter]] = is_on
        return replace(options, **changes)

    # -- escapes

    def escape(self, options: _Options) -> _Read:
        character = self.take()
        if character in "AGbB":
            return self.place(character)
        if character == "Z":
            return _place(r"(?=\n?\Z)")
        if character == "z":
            return _place(r"\Z")
        if character in "dwsDWS":
            return _one(self.shorthand(character))
        if character in "pP":
            return _one(f"[{self.category(character, options)}]")
        if character == "k":
            return self.named_reference(options)
        if character in "123456789":
            return self.numbered_reference(character, options)
        if character in "<'" and _ANGLED.match(self.text, self.at - 1):
            self.at -= 1
            return self.named_reference(options)
        return self.literal(self.escaped_character(character), options)

    def place(self, letter: str) -> _Read:
        if letter == "G" and self.dialect.is_plain:
            raise NotPlain
        if letter not in "bB":
            return _place(f"\\{letter}")
        if self.dialect.is_plain:  # whose \B does not hold in empty text
            return _place(r"\b" if letter == "b" else r"(?!\b)")
        return _place(_BOUNDARY if letter == "b" else _NO_BOUNDARY)

    def shorthand(self, letter: str) -> str:
        if self.dialect.is_plain:
            return f"\\{letter}"
        inside = _CLASSES[letter.lower()]
        return f"[{inside}]" if letter.islower() else f"[^{inside}]"

    def fold(self, atom: str, options: _Options) -> str:
        return self.dialect.fold(atom) if options.ignores_case else atom

    def category(self, letter: str, options: _Options) -> str:
        """Read `{Lu}` after \\p: a general category or a block, as in .NET."""
        if self.dialect.is_plain:
            raise NotPlain
        match = re.compile(r"\{([A-Za-z0-9-]+)\}").match(self.text, self.at)
        if match is None:
            raise self.error("a category such as {Lu} is missing")
        name = match[1]
        if options.ignores_case and name in ("Lu", "Ll", "Lt"):
            name = "LC"  # in .NET all letters that have a case then
        elif _CATEGORY.fullmatch(name) is None:
            if _BLOCK.fullmatch(name) is None:
                raise self.error(f"there is no category {name}")
            name = f"Block={_BLOCKS.get(name, name[2:])}"
            try:
                regex.compile(f"\\p{{{name}}}")
            except regex.error as error:
                raise self.error(f"there is no block {match[1]}") from error
        self.at = match.end()
        return f"\\{letter}{{{name}}}"

    def named_reference(self, options: _Options) -> _Read:
        match = _ANGLED.match(self.text, self.at)
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
            character = _escaped(chr(int(octal[0], 8) & 0xFF))
            return self.fold(character, options) + digits[octal.end() :]

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
        text = self.class_text(0, options)
        return _one(self.dialect.fold_class(text) if options.ignores_case else text)

    def class_text(self, level: int, options: _Options) -> str:
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
                    raise NotPlain
                self.at += 2
                subtracted = self.class_text(level + 1, options)
                if not self.peek("]"):
                    raise self.error("a subtraction must be the last thing in its class")
                break
            pieces.append(self.class_item(options))
            is_first = False
        self.at += 1
        text = f"[{negation}{''.join(pieces)}]"
        return f"[{text}--{subtracted}]" if subtracted else text

    def class_item(self, options: _Options) -> str:
        first = self.class_character(options)
        is_range = self.peek("-") and not self.peek("-]") and not self.peek("-[")
        if not is_range or self.at + 1 >= len(self.text):
            return _escaped(first) if len(first) == 1 else first
        if len(first) > 1:
            return first  # the hyphen behind a class stands for itself
        self.at += 1
        last = self.class_character(options)
        if len(last) > 1:
            raise self.error("a range cannot end in a class")
        if last < first:
            raise self.error("a range runs backwards")
        return f"{_escaped(first)}-{_escaped(last)}"

    def class_character(self, options: _Options) -> str:
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
            return self.category(character, options)
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
    return _Read((written,), 1, is_single=True, width=1)


def _place(written: str) -> _Read:
    return _Read((written,), 1, is_single=True)


def _untame(read: _Read) -> _Read:
    return replace(read, tameness=replace(read.tameness, is_provable=False), is_single=False)


@dataclass(frozen=True, slots=True)
class Translation:
    """A pattern as another engine takes it."""

    written: str
    groups: dict[str, int]
    """.NET numbers by name; unnamed groups by their number as text."""
    length_max: int
    """As Pattern.length_max."""
    may_be_empty: bool
    """Some match may have no characters."""


def translate(text: str, dialect: Dialect) -> Translation:
    """Return the pattern in a dialect.

    Raises ExpressionError for what .NET refuses and NotPlain for what the dialect cannot say.
    """
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
    length_max = whole.tameness.length_max(whole.weight)
    return Translation(written, groups, length_max, whole.width == 0)


REGEX: Dialect = _Regex()
PLAIN: Dialect = _Plain()
