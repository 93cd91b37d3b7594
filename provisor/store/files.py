"""Files that only their owner may read."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o600


def create_private(path: Path) -> None:
    """Create an empty file unless there is one. Raises OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))


def replace_private(path: Path, content: bytes) -> None:
    """Write a file, all of it or none, and have it on the disk. Raises OSError."""
    passing = path.with_name(path.name + ".new")
    passing.unlink(missing_ok=True)
    handle = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    passing.replace(path)
