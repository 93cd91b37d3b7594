"""Files that say what they said when they were last read to the end need not be read again.

The watermark of a read is the hash of all that it depended on: each file's bytes, how they were
understood, and what had to be in them. Where that is the same, nothing has changed since.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from provisor.connectors.csvfile.reader import Identity, OpenFile
from provisor.model.entries import System, Watermark, of_content

FORM: Final = 1
"""Of what is made of a row. Raise it when the same bytes come to mean other entries."""
AT_REST_NS: Final = 2_000_000_000
"""The coarsest that file systems write times."""


def mark(
    system: System, required: Mapping[str, frozenset[str]], hashes: Iterable[tuple[str, str]]
) -> Watermark:
    """Return what names a read of these files, given by path and hash."""
    needed = sorted((kind, *sorted(names)) for kind, names in required.items())
    content = repr((FORM, system.identity, system.view, needed, list(hashes)))
    return of_content(hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest())


def read_so_far(files: Iterable[OpenFile]) -> list[tuple[str, str]]:
    """Return the files with the hashes of what was read of each."""
    return [(str(file.path), file.sha256()) for file in files]


class Ahead:
    """Hashes of files that are read ahead of what is made of them; who asks again and again while
    a long cycle runs has only those hashed that are others by now."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Identity, str]] = {}

    def look(self, files: Iterable[OpenFile]) -> list[tuple[str, str]]:
        """Return the files with their hashes, and go back to the beginning of each."""
        hashes = [(file, self._hash(file)) for file in files]
        for file, _ in hashes:
            file.check_there()
        return [(str(file.path), found) for file, found in hashes]

    def _hash(self, file: OpenFile) -> str:
        identity, found = self._known.get(file.path, (None, ""))
        if identity == file.identity:
            return found
        # Whoever writes into a file in the very moment of its last change leaves no trace in its
        # times; once that is over any write does.
        is_at_rest = time.time_ns() - file.identity.changed_ns > AT_REST_NS
        found = file.hash_ahead()
        if is_at_rest:
            self._known[file.path] = file.identity, found
        return found
