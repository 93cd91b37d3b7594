"""Break each law's cure in turn, and see that the law notices.

    python -m tests.mutants [part of a name ...]

Each mutant lives in a copy of its own; the working tree is not touched. Exits 1 if one survives,
or if its place in the code is not there any more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("provisor", "tests", "pyproject.toml")
WORKERS = int(os.environ.get("WORKERS", "2"))
GIVEN_UP_AFTER_S = 240.0
"""A law that runs so long on a broken engine hangs in it: that is noticed too."""
TESTS_FAILED = 1  # of pytest's exit codes: all others say that it could not run them


@dataclass(frozen=True, slots=True)
class Verdict:
    mutant: Mutant
    fate: str
    seconds: float
    words: str = ""

    @property
    def is_well(self) -> bool:
        return self.fate == "killed"


def main(wanted: list[str]) -> int:
    chosen = [m for m in MUTANTS if not wanted or any(w in m.name for w in wanted)]
    began = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        verdicts = list(map(_told, pool.map(_try, chosen)))
    unwell = [v for v in verdicts if not v.is_well]
    seconds = time.monotonic() - began
    sys.stdout.write(f"{len(verdicts) - len(unwell)} of {len(verdicts)} killed, {seconds:.0f} s\n")
    for verdict in unwell:
        sys.stdout.write(f"\n{verdict.fate}: {verdict.mutant.name}\n{verdict.words}\n")
    return 1 if unwell or not verdicts else 0


def _told(verdict: Verdict) -> Verdict:
    line = f"{verdict.fate:9} {verdict.seconds:5.1f} s  {verdict.mutant.name}\n"
    sys.stdout.write(line)
    sys.stdout.flush()
    return verdict


def _try(mutant: Mutant) -> Verdict:
    began = time.monotonic()
    with _copied() as copy:
        missing = [e for e in mutant.edits if not _break(copy / e.file, e.old, e.new)]
        if missing:
            words = "\n".join(f"{e.file} does not hold exactly once: {e.old}" for e in missing)
            return Verdict(mutant, "misplaced", 0.0, words)
        fate, words = _judge(copy, mutant)
    return Verdict(mutant, fate, time.monotonic() - began, words)


@contextmanager
def _copied() -> Generator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            source, copy = ROOT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        yield Path(folder)


def _break(file: Path, old: str, new: str) -> bool:
    text = file.read_text("utf-8") if file.exists() else ""
    if text.count(old) != 1:
        return False
    file.write_text(text.replace(old, new), "utf-8")
    return True


def _judge(copy: Path, mutant: Mutant) -> tuple[str, str]:
    laws = [f"tests/simulation/{law}" for law in mutant.law.split()]
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "tests.mutants.profile"]
    command += ["--hypothesis-profile=mutants", f"--hypothesis-seed={os.environ.get('SEED', '1')}"]
    command += ["-p", "no:cacheprovider", "--timeout=0", *laws]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=GIVEN_UP_AFTER_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "killed", "it hung"
    words = "\n".join(done.stdout.splitlines()[-5:])
    if done.returncode == TESTS_FAILED:
        return "killed", words
    return ("survived" if done.returncode == 0 else "failed"), words + done.stderr[-2000:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
