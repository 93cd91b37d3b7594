"""Documents say what is there: every dependency has its reason, every link its page."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest

from tests.tidy.repository import ROOT, files, text

PAGES = [name for name in files() if name.endswith(".md")]
FRAGMENTS = [n for n in files() if n.startswith("changes/") and n != "changes/README.md"]
KINDS = ("added", "changed", "fixed", "removed", "security")
LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def project() -> dict[str, Any]:
    """Return the project table of pyproject.toml."""
    return cast(dict[str, Any], tomllib.loads(text("pyproject.toml"))["project"])


def name_of(requirement: str) -> str:
    """Return the package that a requirement names, as the lock spells it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def required() -> set[str]:
    """Return every package that somebody installs with Provisor, for whatever purpose."""
    extras = cast(dict[str, list[str]], project()["optional-dependencies"])
    named = [*project()["dependencies"], *(one for extra in extras.values() for one in extra)]
    return {name_of(requirement) for requirement in named} - {"provisor"}


def headings(page: str) -> set[str]:
    """Return what links into a page may name after the #."""
    titles = re.findall(r"^#+ +(.+)$", CODE.sub("", text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_dependency_has_a_reason() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \|", text("docs/dependencies.md"), re.MULTILINE)
    explained = {name_of(name) for name, reason in rows if len(reason.split()) >= 4}

    assert required() - explained == set(), "these have no reason in docs/dependencies.md"
    assert explained - required() == set(), "docs/dependencies.md explains what is not used"


def test_the_lock_holds_every_dependency_with_hashes() -> None:
    blocks = re.split(r"\n(?=[a-z0-9])", text("requirements.lock"))
    hashed = {name_of(block) for block in blocks if "==" in block and "--hash=sha256:" in block}

    assert required() <= hashed, "run `make lock`"
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_pages_that_exist(page: str) -> None:
    for link in LINK.findall(CODE.sub("", text(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = (ROOT / Path(page).parent / path).resolve() if path else ROOT / page
        assert target.exists(), f"{page} links to {link}"
        if heading and target.suffix == ".md":
            found = headings(target.relative_to(ROOT).as_posix())
            assert heading in found, f"{page} links to {link}, but there is no such heading"


@pytest.mark.parametrize("name", FRAGMENTS)
def test_changelog_fragments_are_well_formed(name: str) -> None:
    """See changes/README.md."""
    assert re.fullmatch(rf"changes/[a-z][a-z0-9-]*\.({'|'.join(KINDS)})\.md", name), name
    content = text(name)
    assert content.endswith("\n"), f"{name} does not end with a line break"
    assert not content.startswith(("#", "-", "*", " ")), f"{name} is a sentence, not a list"
    assert re.match(r"[A-Z`]", content), f"{name} begins with a capital"
    assert content.rstrip().endswith("."), f"{name} ends with a full stop"
    assert len(content.split()) <= 120, f"{name} is longer than anybody reads"


def test_the_readme_begins_with_what_to_type() -> None:
    assert "make demo" in text("README.md")
    assert "make test" in text("README.md")


def test_every_target_of_the_makefile_is_explained() -> None:
    targets = re.findall(r"^([a-z-]+):(.*)$", text("Makefile"), re.MULTILINE)
    silent = {name for name, rest in targets if "##" not in rest} - {"system-packages"}
    assert not silent
