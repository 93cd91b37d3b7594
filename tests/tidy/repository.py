"""What is in the repository: its files, and the Python among them, parsed once."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where there is no git (an unpacked archive) these are passed over.
BUILT = {
    ".git",
    ".venv",
    ".venv-clients",
    "build",
    "dist",
    "__pycache__",
    ".hypothesis",
    ".pytest_cache",
}

OTHERS = ("provisor/console/static/vendor/", "tests/browser/vendor/")
"""What other people made and we hand on as it is: what they say is theirs."""


@cache
def files() -> tuple[str, ...]:
    """Return the paths of all files that are ours, those not added yet included."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        names = listed.stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = [
            path.relative_to(ROOT).as_posix()
            for path in ROOT.rglob("*")
            if not BUILT & set(path.parts)
        ]
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


@cache
def text(name: str) -> str:
    """Return what a file says; nothing, if it is no text."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def tree(name: str) -> ast.Module:
    """Return a Python file, parsed."""
    return ast.parse(text(name), filename=name)


def python(*folders: str) -> list[str]:
    """Return the paths of the Python files under these folders; of all, if none is given."""
    return [
        name
        for name in files()
        if name.endswith(".py") and (not folders or name.split("/")[0] in folders)
    ]
