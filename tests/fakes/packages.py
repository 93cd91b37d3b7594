"""Packages as pip leaves them: a folder on the path, with what says who brings what."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from provisor.connectors.installed import GROUP

EXAMPLE = Path(__file__).parents[2] / "examples" / "provisor-jsonlines"


def install(
    patch: pytest.MonkeyPatch, folder: Path, package: str, connectors: Mapping[str, str]
) -> Path:
    """Install a package that brings connectors; return what removes it when it is renamed."""
    record = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    record.mkdir(parents=True)
    about = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
    (record / "METADATA").write_text(about, encoding="utf-8")
    lines = [f"{name} = {value}" for name, value in connectors.items()]
    text = "\n".join([f"[{GROUP}]", *lines, ""])
    (record / "entry_points.txt").write_text(text, encoding="utf-8")
    _add_to_path(patch, folder)
    return record


def install_example(patch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Install the example as its own pyproject.toml says, its code from where it lies."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    connectors = cast("dict[str, str]", project["entry-points"][GROUP])
    record = install(patch, folder, project["name"], connectors)
    _add_to_path(patch, EXAMPLE)
    return record


def _add_to_path(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr(sys, "path", [str(folder), *sys.path])
    importlib.invalidate_caches()
