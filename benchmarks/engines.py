"""The product beside engines that others have published: people a second of the processor.

Each engine gets an environment of its own in `.venv-engines`, built the first time; one that cannot
be had on this machine is left out, and the row says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import ROUNDS, Row, busy, place, subject
from benchmarks.world import Taken, prepare, stub, timed

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = ROOT / ".venv-engines"
GOAL = 3.0


@dataclass(frozen=True)
class Engine:
    name: str
    module: str
    requires: tuple[str, ...]
    python: tuple[int, int]
    """The oldest that it runs on."""


ENGINES = (
    Engine(
        "diffsync 2.2.3",
        "with_diffsync",
        ("diffsync==2.2.3", "httpx==0.28.1", "structlog==26.1.0"),
        (3, 11),
    ),
    Engine("g2g-scim-sync 1.0.0", "with_g2g", ("g2g-scim-sync==1.0.0",), (3, 12)),
)


def published(people: int) -> list[Row]:
    """Row 1, beside who else there is: all of them do the same first cycle, in turn."""
    environments = {engine: built(engine) for engine in ENGINES}
    at_hand = {engine: python for engine, python in environments.items() if python is not None}
    taken = dict[Engine | None, list[Taken]]()
    with place(people) as folder, stub() as target:
        for _ in range(ROUNDS):
            prepare(folder)
            target.forget()
            taken.setdefault(None, []).append(subject(folder, target))
            for engine, python in at_hand.items():
                target.forget()
                module = f"benchmarks.published.{engine.module}"
                one = timed(module, folder, target.base, python=python)
                if one.told["users"] != people:
                    raise RuntimeError(f"{engine.name} has brought {one.told['users']} people")
                taken.setdefault(engine, []).append(one)
    return [_row(people, taken, [e.name for e in ENGINES if e not in at_hand])]


def _row(people: int, taken: dict[Engine | None, list[Taken]], missing: Sequence[str]) -> Row:
    ours = busy(taken.pop(None))
    theirs = {engine.name: busy(runs) for engine, runs in taken.items() if engine is not None}
    told = [f"{name} {spent / people * 1e6:.0f} µs" for name, spent in theirs.items()]
    told += [f"{name} is not to be had here" for name in missing]
    figures = f"{ours / people * 1e6:.0f} µs of the processor a person; {', '.join(told)}"
    ratio = min(theirs.values(), default=0.0) / ours
    what = "published engines : first cycle, of the processor"
    return Row(what, figures, ratio, f"≥ {GOAL:g}", ratio >= GOAL)


def built(engine: Engine) -> str | None:
    """Return the interpreter of an engine's environment; None where there is none to be had."""
    folder = ENVIRONMENTS / engine.module
    interpreter, stamp = folder / "bin" / "python", folder / "built-from"
    if stamp.exists() and stamp.read_text() == repr(engine):
        return str(interpreter)
    base = next(_interpreters(engine.python), None)
    if base is None:
        return None
    print(f"building {folder.relative_to(ROOT)}: {engine.name}", flush=True)
    make = [base, "-m", "venv", "--clear", str(folder)]
    install = [str(interpreter), "-m", "pip", "install", "-q", *engine.requires]
    try:
        for command in (make, install):
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    stamp.write_text(repr(engine))
    return str(interpreter)


def _interpreters(oldest: tuple[int, int]) -> Iterator[str]:
    """Yield the interpreters of this machine that are new enough: this one, what the path names,
    and what pyenv keeps."""
    names = [f"python3.{minor}" for minor in range(oldest[1], 15)]
    found = [sys.executable, *filter(None, map(shutil.which, names))]
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in [*found, *map(str, sorted(kept.glob("3.*/bin/python")))]:
        asked = f"import sys; sys.exit(sys.version_info < {oldest})"
        if not subprocess.run([candidate, "-c", asked], capture_output=True).returncode:
            yield candidate
