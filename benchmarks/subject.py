"""One cycle, timed from its first read to its last commit, in a process of its own.

`python -m benchmarks.subject FOLDER BASE cycle|reconcile`
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from benchmarks.told import telling
from benchmarks.world import run
from provisor.__main__ import collect_rarely


def main(folder: str, base: str, kind: str) -> None:
    collect_rarely()
    with telling() as said:
        cycle = asyncio.run(run(Path(folder), base, reconciles=kind == "reconcile"))
        said["result"] = cycle.result
        said["exported"] = cycle.counts.exported
        said["imported"] = cycle.counts.imported
        said["error"] = cycle.error.message if cycle.error else ""


if __name__ == "__main__":
    main(*sys.argv[1:])
