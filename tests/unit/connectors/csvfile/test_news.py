"""Files that say little new are read by what is new; it is what a read of the whole would find."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from provisor.connectors.csvfile import settings as csv_settings
from provisor.connectors.csvfile.memory import Memory
from provisor.connectors.csvfile.source import CsvSource
from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import Entry, EntryKey, Page, Receipt, Seen, Watermark
from provisor.testing.reading import LateClock

HEADER = "id,displayName,manager\n"
Row: TypeAlias = tuple[str, str, str] | str


class Drawer:
    """Documents, kept in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    async def document(self, owner: str, name: str) -> bytes | None:
        return self.kept.get((owner, name))

    async def put_document(self, owner: str, name: str, content: bytes) -> None:
        self.kept[owner, name] = content


class Firm:
    """Files, and what a job knows of them."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder, self.drawer = folder, Drawer()
        self.settings = {"users": "users.csv", "settleFor": 0, **settings}
        self.known: dict[EntryKey, Entry] = {}
        self.watermark: Watermark | None = None
        self.shown = 0

    def write(self, content: str | bytes, name: str = "users.csv") -> None:
        raw = content if isinstance(content, bytes) else content.encode()
        (self.folder / name).write_bytes(raw)

    def source(self) -> CsvSource:
        parsed = csv_settings.parse(self.settings, self.folder)
        assert isinstance(parsed, csv_settings.CsvSettings)
        memory = Memory(self.drawer, "app", parsed.format.encoding)
        return CsvSource(parsed, LateClock(), {"User": frozenset({"displayName"})}, memory=memory)

    def read_whole(self) -> Receipt:
        self.known, receipt = asyncio.run(self._read(None))
        self.watermark = receipt.watermark
        return receipt

    def read_news(self) -> Receipt:
        """Read what is new since the last read. Raises WatermarkExpired, Unreachable."""
        found, receipt = asyncio.run(self._read(self.watermark))
        self.known, self.shown = {**self.known, **found}, len(found)
        self.watermark = receipt.watermark
        return receipt

    async def _read(self, since: Watermark | None) -> tuple[dict[EntryKey, Entry], Receipt]:
        found: dict[EntryKey, Entry] = {}
        ends: list[Receipt] = []
        async for part in self.source().pull(since):
            match part:
                case Page(changes):
                    entries = [one.entry for one in changes if isinstance(one, Seen)]
                    found |= {EntryKey(one.kind, one.anchor): one for one in entries}
                case Receipt():
                    ends.append(part)
        return found, ends[0]


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm(tmp_path)


def names(known: Mapping[EntryKey, Entry]) -> dict[str, object]:
    return {key.anchor: entry.attributes["displayName"] for key, entry in known.items()}


def test_only_rows_that_are_new_are_shown(firm: Firm) -> None:
    firm.write(HEADER + "".join(f"{n},Nobody {n},\n" for n in range(500)))
    firm.read_whole()
    rows = [f"{n},Nobody {n},\n" for n in range(500)]
    rows[123] = "123,Ada,7\n"
    firm.write(HEADER + "".join([*reversed(rows), "500,Bob,\n"]))

    receipt = firm.read_news()

    assert firm.shown == 2
    assert names(firm.known)["123"] == "Ada"
    assert names(firm.known)["500"] == "Bob"
    assert not receipt.is_snapshot
    firm.write(HEADER + "".join([*rows, "500,Eve,\n"]))
    firm.read_news()  # from what the last one left, not from what the first did
    assert (firm.shown, names(firm.known)["500"]) == (1, "Eve")


def test_what_a_plan_has_read_does_not_make_the_cycle_after_it_read_all(firm: Firm) -> None:
    firm.write(HEADER + "1,Ada,\n2,Bob,\n")
    firm.read_whole()
    before, known = firm.watermark, firm.known
    firm.write(HEADER + "1,Ada,\n2,Eve,\n")
    firm.read_news()

    firm.watermark, firm.known = before, known
    firm.read_news()

    assert names(firm.known) == {"1": "Ada", "2": "Eve"}


UNSURE = {
    "somebody is gone": "1,Ada,\n",
    "somebody is gone, and somebody else has come": "1,Ada,\n3,Eve,\n",
    "an id stands in two rows": "1,Ada,\n2,Bob,\n2,Eve,\n",
    "somebody takes the id of another": "1,Ada,\n1,Bob,\n",
    "a row is there twice": "1,Ada,\n2,Bob,\n2,Bob,\n",
    "a new row is there twice": "1,Ada,\n2,Bob,\n3,Eve,\n3,Eve,\n",
    "a cell holds a line end": '1,Ada,\n2,"Bob\nEve",\n',
    "a row has no id": "1,Ada,\n2,Bob,\n,Eve,\n",
    "a row has too few cells": "1,Ada,\n2,Bob\n",
    "a line is empty": "1,Ada,\n\n2,Bob,\n",
    "the file ends with an empty line": "1,Ada,\n2,Bob,\n\n",
    "a carriage return stands alone": "1,Ada,\n2,Bob,\r3,Eve,\n",
    "the last line does not end": "1,Ada,\n2,Bob,\n3,Eve",
    "there is a NUL": "1,Ada,\n2,B\0b,\n",
    "a quotation mark is not closed": '1,Ada,\n2,"Bob,\n',
}


@pytest.mark.parametrize("rows", UNSURE.values(), ids=UNSURE.keys())
def test_where_lines_do_not_tell_the_whole_is_read(firm: Firm, rows: str) -> None:
    firm.write(HEADER + "1,Ada,\n2,Bob,\n")
    firm.read_whole()
    firm.write(HEADER + rows)

    with pytest.raises(WatermarkExpired):
        firm.read_news()


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + HEADER.encode() + b"1,Ada,\n2,Eve,\n",
        b"id,manager,displayName\n1,Ada,\n2,Eve,\n",
        HEADER.encode() + b"1,Ada,\n2,\xff,\n",
        b"",
    ],
    ids=["a byte order mark", "another header", "another encoding", "nothing"],
)
def test_another_form_of_file_is_read_as_a_whole(firm: Firm, content: bytes) -> None:
    firm.write(HEADER + "1,Ada,\n2,Bob,\n")
    firm.read_whole()
    firm.write(content)

    with pytest.raises(WatermarkExpired):
        firm.read_news()


def test_what_is_remembered_and_damaged_is_not_believed(firm: Firm) -> None:
    firm.write(HEADER + "1,Ada,\n2,Bob,\n")
    firm.read_whole()
    firm.drawer.kept = dict.fromkeys(firm.drawer.kept, b"damaged")
    firm.write(HEADER + "1,Ada,\n2,Eve,\n")

    with pytest.raises(WatermarkExpired):
        firm.read_news()


def with_groups(folder: Path) -> Firm:
    firm = Firm(folder, groups="groups.csv", members="members.csv")
    firm.write(HEADER + "1,Ada,\n2,Bob,\n")
    firm.write("id,displayName\ng,Staff\n", "groups.csv")
    firm.write("group,member\ng,1\n", "members.csv")
    firm.read_whole()
    return firm


def test_groups_that_are_as_they_were_are_not_shown(tmp_path: Path) -> None:
    firm = with_groups(tmp_path)
    firm.write(HEADER + "1,Ada,\n2,Eve,\n3,Cyd,\n")

    firm.read_news()

    assert firm.shown == 2


def test_memberships_that_changed_are_read_as_a_whole(tmp_path: Path) -> None:
    firm = with_groups(tmp_path)
    firm.write("group,member\ng,2\n", "members.csv")

    with pytest.raises(WatermarkExpired):
        firm.read_news()


def test_a_user_who_comes_with_the_id_of_a_group_may_be_a_member_somewhere(tmp_path: Path) -> None:
    firm = with_groups(tmp_path)
    firm.write(HEADER + "1,Ada,\n2,Bob,\ng,Gus,\n")

    with pytest.raises(WatermarkExpired):
        firm.read_news()


def test_a_manifest_vouches_for_what_is_new_too(tmp_path: Path) -> None:
    firm = Firm(tmp_path, manifest="manifest.json")
    firm.write(HEADER + "1,Ada,\n2,Bob,\n")
    firm.write('{"files": {"users.csv": {"rows": 2}}}', "manifest.json")
    firm.read_whole()
    firm.write(HEADER + "1,Ada,\n2,Eve,\n3,Cyd,\n")

    with pytest.raises(WatermarkExpired, match="3 rows where its manifest says 2"):
        firm.read_news()
    firm.write('{"files": {"users.csv": {"rows": 3}}}', "manifest.json")
    firm.read_news()

    assert names(firm.known) == {"1": "Ada", "2": "Eve", "3": "Cyd"}


# whatever two files say

CELL = st.text(st.sampled_from('ab"\n\r,é '), max_size=3)
PLAIN = st.text(st.sampled_from("abé "), max_size=3)
MANAGER = st.sampled_from(["", "1", "2"])
BROKEN = st.text(st.sampled_from('1,"\n\r\0a'), max_size=6)
PEOPLE = st.dictionaries(st.sampled_from("123456"), st.tuples(CELL | PLAIN, MANAGER), max_size=5)


@st.composite
def two_files(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Draw what a file says, and what it says after it was edited: mostly with care."""
    before = draw(PEOPLE)
    after = {**before, **draw(PEOPLE)}
    for id in draw(st.sampled_from([set[str](), set[str](), set(before)])):
        after.pop(id, None)
    rows: list[Row] = [(id, *rest) for id, rest in draw(st.permutations([*after.items()]))]
    rows += draw(st.just([]) | st.just([]) | st.lists(BROKEN, max_size=2))
    return [(id, *rest) for id, rest in before.items()], rows


ENDS = st.sampled_from(["\n", "\r\n"])


def text_of(rows: list[Row], end: str) -> str:
    """Write rows as a spreadsheet would, or as they stand."""
    lines: list[str] = []
    for row in rows:
        if isinstance(row, str):
            lines.append(row)
        else:
            quoted = [
                f'"{c.replace(chr(34), chr(34) * 2)}"' if set(c) & set('",\r\n') else c for c in row
            ]
            lines.append(",".join(quoted))
    return HEADER + "".join(line + end for line in lines)


@settings(max_examples=200, deadline=None)
@given(two_files(), ENDS, ENDS)
@example(([("1", "a", ""), ("2", "b", "")], [("1", "a", ""), ("2", "a", "1")]), "\n", "\n")
@example(([("1", "a", "")], ['1,a"b,"c', '",']), "\n", "\n")
def test_what_is_new_makes_the_same_of_what_was_known_as_the_whole_does(
    files: tuple[list[Row], list[Row]], old_end: str, new_end: str
) -> None:
    before, after = files
    with TemporaryDirectory() as folder:
        firm, plain = Firm(Path(folder)), Firm(Path(folder))
        firm.write(text_of(before, old_end))
        try:
            assume(firm.read_whole().watermark is not None)
            firm.write(text_of(after, new_end))
            firm.read_news()
        except (WatermarkExpired, Unreachable):
            return

        event("news")
        receipt = plain.read_whole()

        assert firm.known == plain.known
        assert firm.watermark == receipt.watermark
        assert not receipt.void
