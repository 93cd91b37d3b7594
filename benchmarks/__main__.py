"""`make bench`: every benchmark in turn, each beside its bare limit, and the results in a file.

Ratios are what counts: both sides ran on this machine, in this run.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PARTS = (
    ("Mapping: compiled, walked, and written by hand", ("benchmarks.mapping",)),
    ("Store: what an object costs", ("benchmarks.store", "20000")),
    ("Cycles: CSV files to a SCIM server", ("benchmarks.cycles", "10000")),
)
RESULTS = Path(__file__).with_name("RESULTS.md")


def machine() -> str:
    """Describe the machine as far as it tells about speed."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"load {load:.1f} at the start"
    )


def main() -> int:
    lines = ["# Results", "", f"{datetime.now(UTC):%Y-%m-%d}, {machine()}.", ""]
    status = 0
    for title, (module, *arguments) in PARTS:
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        status = status or done.returncode
        text = done.stdout.rstrip() or done.stderr.rstrip()
        print(f"{title}\n{text}\n", flush=True)
        lines += [f"## {title}", "", "```", text, "```", ""]
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
