"""What administrators read about CSV files is so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from provisor.connectors.csvfile import manifest
from provisor.connectors.csvfile.settings import KEYS

PAGE = (Path(__file__).parents[4] / "docs/connectors/csv.md").read_text(encoding="utf-8")
FILES = [Path("people.csv"), Path("groups.csv"), Path("members.csv")]


def block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return next(found for found in blocks if containing in found)


def test_every_setting_is_explained_and_no_other() -> None:
    table = PAGE.split("## Settings")[1].split("###")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == sorted(
        KEYS, key=lambda name: table.index(f"| `{name}` |")
    )


@pytest.mark.parametrize(("language", "containing"), [("text", "  people.csv"), ("json", "rows")])
def test_the_manifests_shown_are_manifests(language: str, containing: str) -> None:
    said = manifest.parse(block(language, containing).encode(), Path("manifest"), FILES)
    assert set(said) == {file.name for file in FILES}


def test_the_export_shown_writes_files_that_agree_with_their_manifest(tmp_path: Path) -> None:
    script = tmp_path / "provisor-export"
    script.write_text(block("sh", "sha256sum"))
    exporter = tmp_path / "hr-export"
    exporter.write_text('#!/bin/sh\nfor file in "$2" "$4" "$6"; do echo id > "$file"; done\n')
    exporter.chmod(0o755)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    search = f"{tmp_path}:/usr/bin:/bin"
    for _ in range(2):
        subprocess.run(["sh", script, inbox], check=True, env={"PATH": search})
    assert {path.name for path in inbox.iterdir()} == {
        *(file.name for file in FILES),
        "manifest.sha256",
    }
    content = (inbox / "manifest.sha256").read_bytes()
    assert set(manifest.parse(content, Path("manifest.sha256"), FILES)) == {f.name for f in FILES}
