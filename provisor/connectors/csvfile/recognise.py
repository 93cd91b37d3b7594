"""Files that say what they said when they were last read to the end need not be read again.

The watermark of a read is the hash of all that it depended on: each file's bytes, how they were
understood, and what had to be in them. Where that is the same, nothing has changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from provisor.connectors.csvfile.reader import OpenFile
from provisor.model.entries import System, Watermark, of_content

FORM: Final = 1
"""Of what is made of a row. Raise it when the same bytes come to mean other entries."""


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


def looked_ahead(files: Iterable[OpenFile]) -> list[tuple[str, str]]:
    """Return the files with their hashes, and go back to the beginning of each."""
    hashes = [(file, file.hash_ahead()) for file in files]
    for file, _ in hashes:
        file.check_there()
    return [(str(file.path), found) for file, found in hashes]
