"""The example of a connector in a package of its own keeps the promises, by its own tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.fakes.packages import EXAMPLE


def test_the_example_passes_the_suite_that_it_imports() -> None:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=EXAMPLE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    passed = re.search(r"(\d+) passed", told.stdout)
    assert passed is not None
    assert int(passed[1]) > 30
