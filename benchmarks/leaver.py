"""How long somebody who leaves during a first cycle keeps the account: `FOLDER BASE STATS`.

`provisor run --watch` runs as administrators run it. Once some thousand people are in the target
the file is renamed that disables one of them, written just before, so that `settleFor` is waited
for; then the target is asked, every hundredth of a second, whether it was told.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from benchmarks.started import provisor, run
from benchmarks.world import FILES

CONFIGURATION = """
tenant: {{id: 6f1c2f9e-5d7c-4b52-9d0e-0d6c9a2f7b11}}
jobs:
  people:
    source:
      connector: csv
      settings: {{users: {users}, groups: {groups}, members: {members}, anchor: id}}
    target: {{connector: scim, settings: {{baseAddress: "{base}", token: "env:BENCHMARK_TOKEN"}}}}
    template: scim
    syncAll: true
    schedule: PT40M
"""
CREATED = 2_000
"""So many people are there before one leaves."""
PATIENCE_S = 240.0


def asked(stats: str) -> dict[str, int]:
    with urlopen(stats) as answer:
        return json.load(answer)["requests"]


def until(stats: str, method: str, count: int) -> None:
    """Wait until the target was asked so often for users."""
    ends = time.monotonic() + PATIENCE_S
    while asked(stats).get(f"{method} Users", 0) < count:
        if time.monotonic() > ends:
            raise SystemExit(f"the target was not asked to {method} {count} users")
        time.sleep(0.01)


def dismissed(people: Path) -> Path:
    """Write the file anew, beside the old one, with the first person disabled."""
    lines = people.read_text(encoding="utf-8").split("\n")
    assert lines[1].endswith(",true")
    lines[1] = lines[1].removesuffix(",true") + ",false"
    new = people.with_suffix(".new")
    new.write_text("\n".join(lines), encoding="utf-8", newline="")
    return new


def main(folder: Path, base: str, stats: str) -> None:
    os.environ["BENCHMARK_TOKEN"] = "benchmark"
    (folder / "provisor.yaml").write_text(
        CONFIGURATION.format(base=base, **FILES), encoding="utf-8"
    )
    run(provisor(folder, "init"))
    run(provisor(folder, "apply"))
    watching = subprocess.Popen(
        provisor(folder, "run", "people", "--watch"), stdout=subprocess.DEVNULL
    )
    try:
        until(stats, "POST", CREATED)
        new = dismissed(folder / FILES["users"])
        created = asked(stats)
        assert "PATCH Users" not in created, "the first one is to be the leaver's"
        began = time.monotonic()
        new.rename(folder / FILES["users"])
        until(stats, "PATCH", 1)
        took = time.monotonic() - began
        is_running = asked(stats) != created and watching.poll() is None
    finally:
        watching.kill()
        watching.wait()
    print(json.dumps({"seconds": took, "was running": is_running, "before": sum(created.values())}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
