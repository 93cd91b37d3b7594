"""Writes the troubleshooting pages into the folder that is named."""

from __future__ import annotations

import sys
from pathlib import Path

from provisor.graph.troubleshooting import write_pages

if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
