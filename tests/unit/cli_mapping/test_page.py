"""What docs/mappings.md shows at the prompt is what is shown there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from provisor.__main__ import open_lazily
from provisor.cli.main import Session, provisor
from provisor.engine.whatif import Effect
from tests.tidy.repository import text

PAGE = text("docs/mappings.md")
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files() -> Iterator[tuple[str, str]]:
    for _, name, content in BLOCK.findall(PAGE):
        if name:
            yield name, content


def shown() -> list[tuple[str, str]]:
    """Return every command of the page with what it says there."""
    found: list[tuple[str, str]] = []
    for language, _, content in BLOCK.findall(PAGE):
        if language == "console":
            for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
                typed, _, output = part.partition("\n")
                found.append((typed, output))
    return found


@pytest.mark.parametrize(("typed", "output"), shown())
def test_what_the_page_shows_is_true(
    typed: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in files():
        Path(name).write_text(content)
    Path("people.csv").write_text("id,userName\n")
    words = shlex.split(typed)

    told = CliRunner().invoke(provisor, words[1:], obj=Session(open_lazily), standalone_mode=False)

    assert words[0] == "provisor"
    assert told.stdout == output, told.stderr


def test_the_page_explains_every_effect() -> None:
    missing = [one.value for one in Effect if f"`{one.value}`" not in PAGE]
    assert missing == []
