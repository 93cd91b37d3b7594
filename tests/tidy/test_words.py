"""The repository speaks of the project alone: not of who wrote it, where, or from what."""

from __future__ import annotations

import re

import pytest

from tests.tidy.repository import OTHERS, files, text

FORBIDDEN = {
    "the time in which somebody worked": re.compile(
        r"\b(this|that|another|an? (earlier|later)|the (next|previous|last|first)|each|my|our)"
        r" (working )?sessions?\b(?! (token|cookie|key|id|factory|object))|\bsessions that\b",
        re.IGNORECASE,
    ),
    "a number in somebody's tracker": re.compile(
        r"\b(issue|ticket|bug|PR|pull request)s? ?(no\.? ?)?#?\d+\b|\bGH-\d+\b", re.IGNORECASE
    ),
    "a path of one machine": re.compile(r"(?<![\w.:/-])/(work|tmp|root|home/\w+)/\S"),
    "a tool of a workplace": re.compile(
        r"\bfarm-|\.library\b|\bshared/(spec|skeleton|worlds|\w+\.md)"
    ),
    "the host of a registry": re.compile(
        r"\bpypi\.org|\bpythonhosted\.org|\bregistry\.npmjs\.org|\bnpmjs\.com|\bdeb\.debian\.org",
        re.IGNORECASE,
    ),
}
SPEAKS_OF_THEM = {"tests/tidy/test_words.py"}


def offences(line: str) -> list[str]:
    """Return what a line speaks of that it should not."""
    return [what for what, pattern in FORBIDDEN.items() if pattern.search(line)]


def test_the_repository_speaks_of_the_project_alone() -> None:
    found = [
        f"{name}:{number}: {what}: {line.strip()[:120]}"
        for name in files()
        if name not in {*SPEAKS_OF_THEM, "requirements.lock"} and not name.startswith(OTHERS)
        for number, line in enumerate(text(name).splitlines(), 1)
        for what in offences(line)
    ]
    assert not found, "\n".join(found)


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert "://" not in text("requirements.lock")


@pytest.mark.parametrize(
    "line",
    [
        "as an earlier session found",
        "see issue 12",
        "(ticket #7)",
        "open('/tmp/x')",
        "/work/main/provisor",
        "https://pypi.org/simple",
    ],
)
def test_the_test_sees_what_it_looks_for(line: str) -> None:
    assert offences(line)


@pytest.mark.parametrize(
    "line",
    [
        "async with aiohttp.ClientSession() as session:",
        "the session token expires",
        'emails[type eq "work"].value',
        "${HOME}/tmp",
        "https://example.com/work/1",
    ],
)
def test_the_test_lets_honest_words_through(line: str) -> None:
    assert not offences(line)
