"""A hundred thousand people: in bounded memory, and without a question where nothing changed.

Takes minutes, so it runs only with PROVISOR_E2E_LARGE=1; PROVISOR_E2E_LARGE_PEOPLE says how many.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.endtoend.company import Company
from tests.endtoend.site import JOB, Site
from tests.endtoend.targets import Hard

PEOPLE = int(os.environ.get("PROVISOR_E2E_LARGE_PEOPLE", "100000"))
GROUPS = max(PEOPLE // 500, 10)
MEMORY_MAX_KIB = 500 * 1000 * 1000 // 1024
PATIENCE_S = 3600.0

pytestmark = [
    pytest.mark.skipif(not os.environ.get("PROVISOR_E2E_LARGE"), reason="takes minutes"),
    pytest.mark.timeout(2 * PATIENCE_S),
]


@dataclass(frozen=True, slots=True)
class Measured:
    """A command that ran in a process of its own."""

    code: int
    out: str
    peak_kib: int
    """The most memory that it ever had in use."""


def measured(site: Site, *arguments: str) -> Measured:
    """Type a command, and watch its memory until it ends."""
    peak = 0
    with site.process(*arguments) as process:
        while True:
            peak = max(peak, _peak_kib(process.pid))
            try:
                out, err = process.communicate(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
            return Measured(process.returncode, out + err, peak)


def _peak_kib(pid: int) -> int:
    """Return the high-water mark of a process, which the system keeps for it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[Hard]:
    """Return our server, that keeps its log in a file only."""
    with Hard.run(tmp_path / "access.jsonl", "--forget") as hard:
        yield hard


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_hundred_thousand_people_stay_within_the_memory(tmp_path: Path, forgetful: Hard) -> None:
    site = Site(tmp_path, forgetful, Company(tmp_path, PEOPLE, GROUPS))

    first = measured(site, "run", JOB)
    assert first.code == 0, first.out
    assert len(forgetful.says("Group")) == GROUPS + 1
    site.nobody_is_there_twice()
    mark = site.mark
    quiet = measured(site, "run", JOB)
    asked = site.since(mark)
    site.company.edit(*site.company.some(PEOPLE // 100), job_title="Eine von hundert")
    mark = site.mark
    changed = measured(site, "run", JOB)

    print([run.peak_kib for run in (first, quiet, changed)])  # noqa: T201 - shown when it fails
    assert quiet.code == changed.code == 0
    assert [one for one in asked if one.is_write or one.is_about_one] == []
    assert len(site.sent(mark)) == PEOPLE // 100
    for run in (first, quiet, changed):
        assert run.peak_kib < MEMORY_MAX_KIB
