"""Files that say what they said when they were last read to the end are not read again."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from provisor.connectors.csvfile import recognise
from provisor.connectors.csvfile.reader import OpenFile
from provisor.connectors.csvfile.recognise import Ahead
from provisor.connectors.csvfile.settings import CsvSettings, Format, parse
from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import Page, Receipt, Watermark
from tests.unit.connectors.csvfile.test_csvfile_source import USERS, Folder, age


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def since(folder: Folder, **raw: object) -> Watermark:
    """Return the watermark of a whole read."""
    watermark = folder.read(**raw)[2].watermark
    assert watermark is not None
    return watermark


def again(folder: Folder, watermark: Watermark, **raw: object) -> Page | Receipt:
    """Return the one thing that is said of what came after a watermark."""

    async def read() -> Page | Receipt:
        (part,) = [part async for part in folder.source(**raw).pull(watermark)]
        return part

    return asyncio.run(read())


def test_files_that_say_what_they_said_are_not_read_again(folder: Folder) -> None:
    folder.write("users.csv", f"{USERS}1,ada,Lovelace,,true\n")
    watermark = since(folder)
    age(folder.path / "users.csv", folder.clock, 60)

    found = again(folder, watermark)

    assert found == Receipt(is_snapshot=False, rows={}, watermark=watermark)


@pytest.mark.parametrize("name", ["users.csv", "groups.csv", "members.csv", "manifest.json"])
def test_files_are_read_as_a_whole_where_any_of_them_says_something_else(
    folder: Folder, name: str
) -> None:
    raw = {"groups": "groups.csv", "members": "members.csv", "manifest": "manifest.json"}
    folder.write("users.csv", f"{USERS}1,ada,Lovelace,,true\n")
    folder.write("groups.csv", "id,displayName\ng,Staff\n")
    folder.write("members.csv", "group,member\ng,1\n")
    rows = {n: {"rows": 1} for n in ("users.csv", "groups.csv", "members.csv")}
    folder.write("manifest.json", json.dumps({"files": rows}))
    watermark = since(folder, **raw)
    content = (folder.path / name).read_bytes()

    folder.write(
        name, content.replace(b"\n", b"\r\n") if name != "manifest.json" else content + b"\n"
    )

    with pytest.raises(WatermarkExpired):
        again(folder, watermark, **raw)


def test_files_are_read_as_a_whole_where_they_are_understood_otherwise(folder: Folder) -> None:
    folder.write("users.csv", f"{USERS}1,ada,Lovelace,,true\n")
    watermark = since(folder)

    with pytest.raises(WatermarkExpired):
        again(folder, watermark, anchor="userName")
    folder.required = {"User": frozenset({"userName"})}
    with pytest.raises(WatermarkExpired):
        again(folder, watermark)


def test_files_with_a_row_amiss_are_read_again(folder: Folder) -> None:
    folder.write("users.csv", f"{USERS}1,ada,Lovelace,,true\n1,ben,Babbage,,true\n")

    assert folder.read()[2].watermark is None


def test_a_file_that_is_replaced_while_it_is_recognised_is_not_believed(folder: Folder) -> None:
    path = folder.write("users.csv", f"{USERS}1,ada,Lovelace,,true\n")
    watermark = since(folder)
    file = OpenFile(path, csv_format(folder))
    folder.write("other.csv", f"{USERS}2,ben,Babbage,,true\n").replace(path)

    with pytest.raises(Unreachable, match="changed while it was read"):
        Ahead().look([file])
    file.close()
    with pytest.raises(WatermarkExpired):
        again(folder, watermark)


def test_who_asks_again_has_only_those_files_hashed_that_are_others_by_now(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognise, "AT_REST_NS", 0)
    people = folder.write("users.csv", f"{USERS}1,ada,Lovelace,,true\n")
    groups = folder.write("groups.csv", "id,displayName\n")
    ahead, before = Ahead(), hashes(folder, Ahead(), people, groups)
    assert hashes(folder, ahead, people, groups) == before

    monkeypatch.setattr(OpenFile, "hash_ahead", read_as_new)
    assert hashes(folder, ahead, people, groups) == before
    folder.write("new.csv", f"{USERS}2,ben,Babbage,,true\n").replace(people)
    assert hashes(folder, ahead, people, groups) == [(str(people), "new"), before[1]]


def test_a_file_that_was_just_written_is_hashed_each_time(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognise, "AT_REST_NS", 3_600_000_000_000)
    path, ahead = folder.write("users.csv", f"{USERS}1,ada,Lovelace,,true\n"), Ahead()
    hashes(folder, ahead, path)

    monkeypatch.setattr(OpenFile, "hash_ahead", read_as_new)
    assert hashes(folder, ahead, path) == [(str(path), "new")]


def read_as_new(_: OpenFile) -> str:
    return "new"


def hashes(folder: Folder, ahead: Ahead, *paths: Path) -> list[tuple[str, str]]:
    with ExitStack() as stack:
        files = [stack.enter_context(closing(OpenFile(p, csv_format(folder)))) for p in paths]
        return ahead.look(files)


def csv_format(folder: Folder) -> Format:
    settings = parse({"users": "users.csv"}, folder.path)
    assert isinstance(settings, CsvSettings)
    return settings.format
