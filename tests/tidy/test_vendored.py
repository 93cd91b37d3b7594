"""What other people made and we hand on: exactly as written down, with licence, and no more."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.tidy.repository import ROOT

FOLDERS = ("provisor/console/static/vendor", "tests/browser/vendor")
BESIDE = {"vendor.json", "tabler-LICENSE.txt"}


def packages(folder: str) -> list[dict[str, Any]]:
    return json.loads((ROOT / folder / "vendor.json").read_text(encoding="utf-8"))["packages"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_is_what_its_makers_published(folder: str) -> None:
    for package in packages(folder):
        for name, about in package["files"].items():
            content = (ROOT / folder / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == about["sha256"], (
                f"{name} of {package['name']} was changed: scripts/vendor fetches it anew"
            )


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_lies_there_that_is_not_written_down(folder: str) -> None:
    known = {name for package in packages(folder) for name in package["files"]} | BESIDE
    there = {
        path.relative_to(ROOT / folder).as_posix()
        for path in Path(ROOT / folder).rglob("*")
        if path.is_file()
    }
    assert there <= known


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_package_brings_its_licence_and_a_reason(folder: str) -> None:
    for package in packages(folder):
        assert package["licence"] in {"MIT", "0BSD", "MPL-2.0"}
        assert package["why"].endswith(".")
        brings = any("LICENSE" in name for name in package["files"])
        assert brings or package["name"] == "@tabler/core"  # whose package has none


def test_no_page_has_script_or_style_that_its_policy_would_have_to_excuse() -> None:
    inline = re.compile(r"""\sstyle\s*=|\son[a-z]+\s*=\s*["']|<style|javascript:|hx-on""")
    for path in (ROOT / "provisor/console/templates").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not inline.search(text), f"{path}: {inline.search(text)}"
        for script in re.findall(r"<script\b[^>]*>", text):
            assert re.search(r"src=|type=.application/json|nonce=", script), f"{path}: {script}"


def test_no_page_and_no_style_asks_another_host() -> None:
    console = ROOT / "provisor/console"
    ours = [*console.glob("templates/*.html"), *console.glob("static/own/*")]
    for path in ours:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert "://" not in line.replace("http://www.w3.org/2000/svg", ""), f"{path}: {line}"
