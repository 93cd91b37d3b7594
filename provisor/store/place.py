"""Where a workspace's store is: in a file, or in a database with an address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from provisor.errors import StoreFailed

STORE, ADDRESS, VARIABLE = "provisor.db", "provisor.store", "PROVISOR_STORE"
SCHEMES = ("postgresql", "postgres")
Place: TypeAlias = Path | str
"""A file, or the address of a database."""


def place_of(folder: Path, environ: Mapping[str, str]) -> Place:
    """Return where the store of a workspace is: what PROVISOR_STORE says, else what the file
    provisor.store in its folder says, else the file provisor.db there. Raises StoreFailed."""
    said = environ.get(VARIABLE, "").strip()
    try:
        said = said or (folder / ADDRESS).read_text("utf-8").strip()
    except FileNotFoundError:
        return folder / STORE
    except (OSError, UnicodeDecodeError) as error:
        raise StoreFailed(f"{folder / ADDRESS} cannot be read: {error}") from error
    return parse_place(said)


def parse_place(said: str) -> Place:
    """Return what somebody means who names a store. Raises StoreFailed."""
    scheme, is_address, _ = said.partition("://")
    if not is_address:
        return Path(said)
    if scheme not in SCHEMES:
        raise StoreFailed(
            f"a store is a file, or is at an address that begins with postgresql://; {scheme}://"
            " is neither"
        )
    return said


def shown(place: Place) -> str:
    """Return a place as it may be told: without the password that an address may have."""
    if isinstance(place, Path):
        return str(place)
    parts = urlsplit(place)
    at = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{at}{parts.hostname or ''}{port}{parts.path}"


def shown_within(place: Place, folder: Path) -> str:
    """Return a place as it is told to who knows the folder."""
    return place.name if isinstance(place, Path) and place.parent == folder else shown(place)
