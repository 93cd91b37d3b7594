"""`provisor`, and `python -m provisor`."""

from __future__ import annotations

import gc
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from provisor.cli.main import run

if TYPE_CHECKING:
    from provisor.cli.glimpse import Glimpse
    from provisor.cli.workspace import Tools, Workspace


class Lazily:
    """The way into the composition root; everything is imported when it is gone."""

    def __call__(
        self, folder: Path, *, creates: bool = False, tenant: str = ""
    ) -> AbstractAsyncContextManager[Workspace]:
        from provisor.app.workspace import open_workspace

        return open_workspace(folder, creates=creates, tenant=tenant)

    def glimpse(self, folder: Path, tenant: str = "") -> Glimpse | None:
        from provisor.app.glimpse import glimpse

        return glimpse(folder, tenant)

    def tools(self) -> Tools:
        from provisor.app.checks import tools

        return tools()


open_lazily = Lazily()


GARBAGE = (20_000, 50, 100)


def collect_rarely() -> None:
    """Look for garbage in circles seldom: objects that are carried through hold values, and leave
    none. Python's own way takes a twentieth of a cycle for it."""
    gc.set_threshold(*GARBAGE)


def main() -> None:
    """Run the command line and exit."""
    collect_rarely()
    sys.exit(run(sys.argv[1:], open_lazily))


if __name__ == "__main__":
    main()
