"""What is wrong in the files of a workspace, where, and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong."""

    file: str
    line: int
    """0 where a line says nothing."""
    path: str
    """Where inside the file: `jobs.people.schedule`; empty for the whole."""
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        where = f"{place}: {self.path}" if self.path else place
        return f"{where}: {self.message}"


class Invalid(Exception):
    """The configuration cannot be used, for all of these reasons."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Problems:
    """Collects what is wrong in one file. Paths are tuples of keys and indexes."""

    file: Path
    lines: dict[tuple[str, ...], int] = field(default_factory=dict[tuple[str, ...], int])
    found: list[Problem] = field(default_factory=list[Problem])

    def add(self, path: Sequence[str], message: str) -> None:
        self.found.append(Problem(str(self.file), self.line(path), ".".join(path), message))

    def line(self, path: Sequence[str]) -> int:
        """Return where `path` stands, or what it would stand in."""
        known = (self.lines.get(tuple(path[:end])) for end in range(len(path), 0, -1))
        return next((line for line in known if line), 1 if self.lines else 0)

    def raise_any(self) -> None:
        """Raise Invalid if something was found."""
        if self.found:
            raise Invalid(self.found)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `did you mean …?`, or what there is."""
    names = sorted(known)
    near = get_close_matches(word, names, 1)
    if not near:
        folded = {name.lower(): name for name in names}
        near = [folded[n] for n in get_close_matches(word.lower(), folded, 1)]
    if near:
        return f"did you mean {near[0]}?"
    return f"there are {', '.join(names)}" if names else "there are none"
