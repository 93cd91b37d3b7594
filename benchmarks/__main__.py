"""`make bench`: the product beside the bare limits, in one run on one machine.

`python -m benchmarks [PEOPLE] [ROW …]`: 10,000 people and every row, unless it is told otherwise.
Ratios are what counts: both sides ran here, in turn. The results are in `RESULTS.md` beside this;
rows that were not measured again stay there with the day and the load of their own.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import directory, engines, growth, pages, rows
from benchmarks.rows import Row

PEOPLE = 10_000
RESULTS = Path(__file__).with_name("RESULTS.md")
MEASURES: Mapping[str, Callable[[int], list[Row]]] = {
    "initial": rows.initial,
    "latency": lambda people: rows.initial(min(people, 10_000), latency_ms=20),
    "published": lambda people: engines.published(min(people, 10_000)),
    "rate": lambda people: rows.throttled(),
    "later": rows.later,
    "preview": rows.preview,
    "leaver": lambda people: rows.leaver(100_000),
    "start": lambda people: rows.start(),
    "ldap": lambda people: directory.both(),
    "pages": lambda people: [pages.row()],
}
LONG: Mapping[str, Callable[[int], list[Row]]] = {
    "growth": lambda people: growth.growth([s for s in growth.SIZES if s <= max(people, 10_000)]),
}
"""What is measured only when it is asked for: up to a million people."""
BESIDES = (
    ("Mapping: compiled, walked, and written by hand", "benchmarks.mapping", ()),
    ("API: how soon it answers while a cycle runs", "benchmarks.api", ("20000",)),
    ("Console: how long pages take", "benchmarks.pages", ()),
    ("Store: what an object costs", "benchmarks.store", ("20000",)),
    ("Store: PostgreSQL beside SQLite", "benchmarks.pgstore", ("20000",)),
)


def machine() -> str:
    """Describe the machine as far as it tells about speed."""
    return (
        f"{os.cpu_count()} processors ({_model()}, {platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown")


def measured(people: int, wanted: Sequence[str]) -> list[Row]:
    found: list[Row] = []
    asked = {**MEASURES, **LONG} if wanted else MEASURES
    for name, measure in asked.items():
        if not wanted or name in wanted:
            for row in measure(people):
                print(line(row), flush=True)
                found.append(row)
    return found


def line(row: Row) -> str:
    mark = "reached" if row.is_reached else "not reached"
    return f"{row.what:<42}{row.ratio:>10.2f}   {row.goal:<10} {mark:<12} {row.figures}"


HEAD = ("| What | Measured | To reach | | Figures | When |", "|---|---|---|---|---|---|")


def table(found: Sequence[Row], when: str, before: str) -> list[str]:
    """Return the table, with the rows of an earlier one that were not measured again."""
    known = {line.split(" | ")[0]: line for line in before.splitlines() if line.startswith("| ")}
    known.pop(HEAD[0].split(" | ")[0], None)
    for r in found:
        is_reached = "yes" if r.is_reached else "no"
        cells = (r.what, f"{r.ratio:.2f}", r.goal, is_reached, r.figures, when)
        known[f"| {r.what}"] = f"| {' | '.join(cells)} |"
    return [*HEAD, *known.values()]


def sections(text: str) -> list[str]:
    """Return what stands below the table of an earlier run."""
    _, mark, rest = text.partition("\n## ")
    return ["", *f"## {rest}".splitlines()] if mark else []


def beside(title: str, module: str, arguments: Sequence[str]) -> list[str]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    text = done.stdout.rstrip() or done.stderr.rstrip()
    print(f"\n{title}\n{text}", flush=True)
    return ["", f"## {title}", "", "```", text, "```"]


def main(arguments: Sequence[str]) -> int:
    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    wanted = [argument for argument in arguments if not argument.isdigit()]
    people = numbers[0] if numbers else PEOPLE
    before = RESULTS.read_text(encoding="utf-8") if wanted and RESULTS.exists() else ""
    head = f"Measured on {machine()}."
    when = f"{datetime.now(UTC):%Y-%m-%d}, {people:,} people, load {os.getloadavg()[0]:.1f}"
    found = measured(people, wanted)
    lines = ["# Results", "", head, "", *table(found, when, before)]
    if wanted:
        lines += sections(before)
    else:
        for title, module, more in BESIDES:
            lines += beside(title, module, more)
    RESULTS.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
