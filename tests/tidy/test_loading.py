"""What the commands that are typed most load: each module costs every start its time.

Whoever adds one to these lists measures what it costs: `python -m benchmarks start`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provisor.store.sqlite.store import SqliteStore

HELP = {"provisor.__main__", "provisor.cli", "provisor.cli.main"}
STATUS = HELP | {
    "provisor.app",
    "provisor.app.glimpse",
    "provisor.cli.commands",
    "provisor.cli.commands.status",
    "provisor.cli.exits",
    "provisor.cli.glimpse",
    "provisor.cli.guard",
    "provisor.cli.places",
    "provisor.cli.render",
    "provisor.cli.shape",
    "provisor.errors",
    "provisor.model",
    "provisor.model.cycles",
    "provisor.model.jobs",
    "provisor.planner",
    "provisor.planner.schedule",
    "provisor.settings",
    "provisor.settings.applied",
    "provisor.settings.leaves",
    "provisor.store",
    "provisor.store.errors",
    "provisor.store.files",
    "provisor.store.glimpse",
    "provisor.store.owners",
    "provisor.store.place",
    "provisor.store.sql",
    "provisor.store.sql.documents",
    "provisor.store.sql.transaction",
    "provisor.store.sqlite",
    "provisor.store.sqlite.connect",
    "provisor.store.sqlite.opening",
}
LIBRARIES = {"click", "msgspec"}
"""Of others' packages. `typing_extensions` is taken by msgspec where it is installed."""
SLOW = {"asyncio", "json", "logging", "secrets", "ssl", "unicodedata"}
"""Of Python's own."""

CODE = """
import sys
from provisor.__main__ import open_lazily, run
assert run(sys.argv[1:], open_lazily) == 0
print(*sys.modules, file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", CODE, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(ended.stderr.split())


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith("provisor.")}


def strange(modules: set[str]) -> set[str]:
    """Return whose packages are neither ours nor Python's, nor brought by the environment."""
    roots = {name.partition(".")[0] for name in modules}
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    idle = {name.partition(".")[0] for name in bare.stdout.split()}
    return roots - sys.stdlib_module_names - idle - {"provisor", "typing_extensions"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    SqliteStore(tmp_path / "provisor.db").close()
    return tmp_path


def test_help_loads_the_table_of_commands_and_no_command() -> None:
    modules = loaded("--help")

    assert ours(modules) == HELP
    assert strange(modules) == {"click"}
    assert not modules & SLOW


def test_a_status_loads_what_reads_and_lists_jobs_and_nothing_that_runs_them(
    workspace: Path,
) -> None:
    modules = loaded("--workspace", str(workspace), "status")

    assert ours(modules) == STATUS
    assert strange(modules) == LIBRARIES
    assert not modules & SLOW
