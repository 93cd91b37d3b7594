"""`provisor`, and `python -m provisor`."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from provisor.cli.main import run

if TYPE_CHECKING:
    from provisor.cli.workspace import Workspace


def open_lazily(folder: Path, *, creates: bool = False) -> AbstractAsyncContextManager[Workspace]:
    """Open a workspace; only now is everything imported that one needs."""
    from provisor.app import open_workspace

    return open_workspace(folder, creates=creates)


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:], open_lazily))


if __name__ == "__main__":
    main()
