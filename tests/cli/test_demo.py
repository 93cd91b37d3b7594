"""The demonstration is true, and leaves nothing behind that was not asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from provisor.demo import target
from tests.cli.workspace import PATIENCE_S


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "provisor", "demo", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=4 * PATIENCE_S,
        check=False,
    )


def test_everything_it_says_is_so(tmp_path: Path) -> None:
    played = demo(tmp_path, "--keep", "kept", "--seed", "11")

    assert played.returncode == 0, played.stderr
    assert "Nobody was removed" in played.stdout
    assert "all of it is so" in played.stdout
    assert (tmp_path / "kept" / "provisor.yaml").exists()
    again = demo(tmp_path, "--keep", "kept")
    assert again.returncode == 2
    assert "is not empty" in again.stderr


def test_without_its_server_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> object:
        return None if name == "waitress" else find_spec(name)

    monkeypatch.setattr(target, "find_spec", find)

    with (
        pytest.raises(target.TargetMissing, match=r"pip install 'provisor\[demo\]'"),
        target.serve(),
    ):
        pass
