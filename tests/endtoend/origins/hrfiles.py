"""An organisation in HR files, each of which is written in one step, or is spoiled."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from provisor.demo.organisation import Organisation, files
from tests.endtoend.spoiling import (
    Spoil,
    cut,
    cut_after_a_row,
    exchanged,
    header_only,
    without_column,
    without_zeros,
)
from tests.endtoend.staff import Staff

PEOPLE, GROUPS, MEMBERS = "people.csv", "groups.csv", "members.csv"
SOURCE = """\
      connector: csv
      settings:
        users: "{folder}/people.csv"
        groups: "{folder}/groups.csv"
        members: "{folder}/members.csv"
        anchor: id
        settleFor: PT0S
"""


class Files:
    """Implements `Origin`."""

    deletes_softly = True
    tells_deletions = True
    steps = ()
    away_code = 5

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "hr"
        self.folder.mkdir()
        self.source = SOURCE.format(folder=self.folder)

    def found(self, staff: Staff) -> None:
        for name, text in files(Organisation(staff.people, staff.groups)).items():
            self._put(name, text.encode())

    def become(self, before: Staff, after: Staff) -> None:
        self.found(after)

    def anchors(self, staff: Staff) -> Mapping[str, str]:
        return {id: id for id in (*staff.people, *staff.groups)}

    def restart(self) -> None:
        """Nobody serves files."""

    def stop(self) -> None:
        self.folder.rename(f"{self.folder}.away")

    def start(self) -> None:
        Path(f"{self.folder}.away").rename(self.folder)

    @contextmanager
    def cut_after(self, step: int) -> Generator[None]:
        yield

    def back_up(self) -> Callable[[], None] | None:
        kept = shutil.copytree(self.folder, f"{self.folder}.kept", dirs_exist_ok=True)

        def restore() -> None:
            for file in Path(kept).iterdir():
                self._put(file.name, file.read_bytes())

        return restore

    def lies(self) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
        every: dict[str, Spoil] = {
            "ends in the middle of a line": cut(0.5),
            "is empty": lambda _: b"",
            "is missing": lambda _: None,
            "has a header and no more": header_only,
            "is in another encoding": lambda whole: whole.decode().encode("utf-16"),
            "is in a code page": lambda whole: whole.decode().encode("cp1252", "replace"),
            "tells each line twice": _twice,
        }
        of_people: dict[str, Spoil] = {
            "ends after a line": cut_after_a_row(0.6),
            "lacks a column": without_column("manager"),
            "calls ids logins, and logins ids": exchanged("id", "userName"),
            "went through a spreadsheet": without_zeros,
            "is what another file says": lambda _: (self.folder / MEMBERS).read_bytes(),
            "names the same ids again, for others": _same_ids,
        }
        told = [
            *(
                (file, how, spoil)
                for file in (PEOPLE, GROUPS, MEMBERS)
                for how, spoil in every.items()
            ),
            *((PEOPLE, how, spoil) for how, spoil in of_people.items()),
            (MEMBERS, "ends after a line", cut_after_a_row(0.4)),
        ]
        return {f"{file} {how}": partial(self._spoiled, file, spoil) for file, how, spoil in told}

    @contextmanager
    def _spoiled(self, file: str, spoil: Spoil) -> Generator[None]:
        whole = (self.folder / file).read_bytes()
        content = spoil(whole)
        if content is None:
            (self.folder / file).unlink()
        else:
            self._put(file, content)
        try:
            yield
        finally:
            self._put(file, whole)

    def _put(self, name: str, content: bytes) -> None:
        unfinished = self.folder / f".{name}.unfinished"
        unfinished.write_bytes(content)
        unfinished.replace(self.folder / name)


def _twice(whole: bytes) -> bytes:
    header, _, rows = whole.partition(b"\n")
    return header + b"\n" + rows + rows


def _same_ids(whole: bytes) -> bytes:
    """Append rows in which known ids are given to people whom nobody knows."""
    rows = whole.splitlines(keepends=True)
    return whole + b"".join(row.replace(b"@", b".x@") for row in rows[1:40])
