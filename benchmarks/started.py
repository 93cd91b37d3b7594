"""Times how long a cold process takes: `FOLDER status` or `FOLDER pass`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

CONFIGURATION = """
tenant: {id: 6f1c2f9e-5d7c-4b52-9d0e-0d6c9a2f7b11}
jobs:
  people:
    source: {connector: csv, settings: {users: people.csv, anchor: id}}
    target: {connector: scim, settings: {baseAddress: "http://127.0.0.1:9/", token: secret}}
    template: scim
    syncAll: true
"""


def provisor(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "provisor", "--workspace", str(folder), *arguments]


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main(folder: Path, what: str) -> None:
    if not (folder / "provisor.yaml").exists():
        (folder / "provisor.yaml").write_text(CONFIGURATION, encoding="utf-8")
        run(provisor(folder, "init"))
        run(provisor(folder, "apply"))
    command = provisor(folder, "status") if what == "status" else [sys.executable, "-c", "pass"]
    run(command)
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run(command)
    wall = time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"wall": wall, "processor": processor, "peak": after.ru_maxrss / 1024}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
