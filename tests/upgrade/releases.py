"""Earlier versions of Provisor, installed as their users had them.

A version of the tables was released with the last commit that had it. What the repository changed
again before anybody could have it is left out.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
KINDS = ("sqlite", "postgresql")
MIGRATION = re.compile(r"v\d{4}\.py$")


@dataclass(frozen=True, slots=True)
class Release:
    commit: str
    sqlite: int
    postgresql: int
    """0: it knew no PostgreSQL."""

    def __str__(self) -> str:
        also = f", PostgreSQL {self.postgresql}" if self.postgresql else ""
        return f"{self.commit[:7]} (SQLite {self.sqlite}{also})"


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def _folder(kind: str) -> str:
    return f"provisor/store/{kind}/migrations"


def _migrations(commit: str, kind: str) -> list[str]:
    listed = _git("ls-tree", "--name-only", commit, f"{_folder(kind)}/").decode().splitlines()
    return sorted(path for path in listed if MIGRATION.search(path))


def releases() -> list[Release]:
    """Return the last version of each pair of tables, the oldest first, but for the present one."""
    folders = [_folder(kind) for kind in KINDS]
    changes = _git("log", "--format=%H", "--reverse", "--", *folders).decode().split()
    found: dict[tuple[int, int], Release] = {}
    for later in changes[1:]:
        commit = _git("rev-parse", f"{later}^").decode().strip()
        of_sqlite, of_postgresql = (_migrations(commit, kind) for kind in KINDS)
        if of_sqlite and _is_still_said(commit, of_sqlite[-1]):
            pair = (len(of_sqlite), len(of_postgresql))
            found[pair] = Release(commit, *pair)
    present = tuple(len(_migrations("HEAD", kind)) for kind in KINDS)
    return [release for pair, release in found.items() if pair != present]


def _is_still_said(commit: str, path: str) -> bool:
    return _git("show", f"{commit}:{path}").decode() == (ROOT / path).read_text("utf-8")


def install(release: Release, where: Path) -> Path:
    """Build a release's wheel, install it with what its lock names; return its interpreter."""
    place = where / release.commit[:12]
    source, python = place / "source", place / "venv" / "bin" / "python"
    if (place / "done").exists():
        return python
    source.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(_git("archive", release.commit))) as archive:
        archive.extractall(source, filter="data")
    lock = re.sub(
        r" *\\\n( *--hash=\S+( \\\n)?)*", "\n", (source / "requirements.lock").read_text()
    )
    (place / "constraints.txt").write_text(lock)
    do = [sys.executable, "-m"]
    _run(*do, "build", "--wheel", "--no-isolation", "--outdir", str(place), str(source))
    _run(*do, "venv", str(place / "venv"))
    (wheel,) = place.glob("*.whl")
    extra = "[postgresql]" if release.postgresql else ""
    _run(str(python), "-m", "pip", "install", "--quiet", "--constraint",
         str(place / "constraints.txt"), f"{wheel}{extra}")  # fmt: skip
    (place / "done").touch()
    return python


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{' '.join(command)}\n{ended.stdout}\n{ended.stderr}"
