"""What a page of the documentation shows: files, commands, and commands within sentences."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = re.compile(r"^( *)```(\w+) ?(\S*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
CAPITALS = re.compile(r"\b[A-Z]{3,}\b|…")
"""What stands for something else: `JOB`, `HASH`."""
INLINE = re.compile(r"(?<!`)`(provisor [^`\n]+)`(?!`)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A block of a page: a file if it has a name, else something in a language."""

    language: str
    name: str
    content: str


def blocks(page: str) -> Iterator[Shown]:
    """Yield the blocks of a page, in their order."""
    for found in BLOCK.finditer(page):
        yield _block(found)


def steps(page: str) -> Iterator[Shown]:
    """Yield the blocks of a page and the commands within its sentences, in their order."""
    at = 0
    for found in [*BLOCK.finditer(page), None]:
        between = page[at : found.start() if found else len(page)]
        for inline in INLINE.finditer(between):
            if not CAPITALS.search(inline[1]):
                yield Shown("sh", "", f"{inline[1]}\n")
        if found:
            yield _block(found)
            at = found.end()


def _block(found: re.Match[str]) -> Shown:
    indent, language, name, content = found.groups()
    lines = (line.removeprefix(indent) for line in content.splitlines(keepends=True))
    return Shown(language, name, "".join(lines))


def commands(page: str) -> Iterator[str]:
    """Yield every command of ours that a page shows, a line each."""
    for block in blocks(page):
        if block.language in ("sh", "console"):
            for line in block.content.replace("\\\n", " ").splitlines():
                typed = line.removeprefix("$ ").partition(" #")[0].strip()
                if typed.startswith("provisor "):
                    yield typed
    for found in INLINE.finditer(BLOCK.sub("", page)):
        yield found[1]


def words(typed: str) -> list[str]:
    """Return a command's words, up to where the shell does something with what it says."""
    found = shlex.split(typed, comments=True)
    ends = [n for n, word in enumerate(found) if word in ("|", "||", "&&", ">", ">>", "&")]
    return found[: min(ends, default=len(found))]
