"""What whoever writes the files says of them: how many rows they have, or their hash."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from provisor.connectors.csvfile.reader import incomplete

HASHED = re.compile(r"(?P<hash>[0-9a-fA-F]{64}) [ *](?P<name>.+)")
"""A line as `sha256sum` writes it."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a manifest says of one file; None where it does not say."""

    rows: int | None = None
    sha256: str | None = None


Manifest = Mapping[str, Vouched]
"""By the name of the file, without its folders."""


def parse(content: bytes, path: Path, files: Sequence[Path]) -> Manifest:
    """Return what a manifest says, in JSON or as `sha256sum` writes it.

    It is to name every one of the files. Raises Unreachable.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise incomplete(f"{path.name} is not UTF-8; write it anew") from error
    manifest = _json(text, path) if text.lstrip().startswith("{") else _hashes(text, path)
    for file in files:
        if file.name not in manifest:
            message = f"{path.name} does not name {file.name}; let it vouch for every file"
            raise incomplete(message)
    return manifest


def check(file: Path, vouched: Vouched, *, rows: int | None = None, sha256: str = "") -> None:
    """Raise Unreachable if what was found in a file is not what its manifest says."""
    way_out = "copy both again, the manifest last"
    if vouched.sha256 is not None and sha256 and sha256 != vouched.sha256.lower():
        raise incomplete(f"{file.name} is not what its manifest vouches for; {way_out}")
    if vouched.rows is not None and rows is not None and rows != vouched.rows:
        message = f"{file.name} has {rows} rows where its manifest says {vouched.rows}; {way_out}"
        raise incomplete(message)


def _hashes(text: str, path: Path) -> Manifest:
    manifest: dict[str, Vouched] = {}
    for number, line in enumerate(text.splitlines(), 1):
        found = HASHED.fullmatch(line)
        if found is None:
            message = f"{path.name}, line {number}: write JSON, or what sha256sum writes"
            raise incomplete(message)
        _add(manifest, Path(found["name"]).name, Vouched(sha256=found["hash"]), path)
    return manifest


def _json(text: str, path: Path) -> Manifest:
    form = f'{path.name} is to look like {{"files": {{"people.csv": {{"rows": 2000}}}}}}'
    try:
        whole: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise incomplete(f"{form}: {error}") from error
    files = cast("Mapping[str, object]", whole).get("files") if isinstance(whole, dict) else None
    if not isinstance(files, dict):
        raise incomplete(form)
    manifest: dict[str, Vouched] = {}
    for name, said in cast("Mapping[str, object]", files).items():
        vouched = _vouched(cast("Mapping[str, object]", said)) if isinstance(said, dict) else None
        if vouched is None:
            raise incomplete(f"{path.name}: {name} needs rows, or sha256, or both; {form}")
        _add(manifest, Path(name).name, vouched, path)
    return manifest


def _vouched(said: Mapping[str, object]) -> Vouched | None:
    rows, sha256 = said.get("rows"), said.get("sha256")
    if rows is None and sha256 is None:
        return None
    if isinstance(rows, bool) or not isinstance(rows, int | None):
        return None
    if not isinstance(sha256, str | None) or not re.fullmatch("([0-9a-fA-F]{64})?", sha256 or ""):
        return None
    return Vouched(rows, sha256 or None)


def _add(manifest: dict[str, Vouched], name: str, vouched: Vouched, path: Path) -> None:
    if manifest.setdefault(name, vouched) != vouched:
        raise incomplete(f"{path.name} says two things of {name}; let it say one")
