"""Makes the files of an organisation, in a process of its own: `FOLDER PEOPLE`."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.told import telling
from benchmarks.world import found

if __name__ == "__main__":
    with telling():
        found(Path(sys.argv[1]), int(sys.argv[2]))
