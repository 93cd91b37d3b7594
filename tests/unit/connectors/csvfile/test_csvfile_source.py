"""What CSV files say, however they are written; and where exactly they cannot be read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisor.connectors.csvfile.reader import CHUNK_BYTES
from provisor.connectors.csvfile.settings import CsvSettings, parse
from provisor.connectors.csvfile.source import CsvSource
from provisor.errors import Unreachable
from provisor.model.entries import (
    Anchor,
    Entry,
    EntryKey,
    Page,
    ReadFault,
    Receipt,
    Reference,
    Seen,
)

USERS = "id,userName,familyName,manager,accountEnabled\n"


class Clock:
    """Time that passes when someone sleeps, and a file that somebody writes meanwhile."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)
        self.slept: list[float] = []
        self.touches: list[Path] = []
        """Each is written during one of the next sleeps."""

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
            self.time += timedelta(seconds=seconds)
            if self.touches:
                age(self.touches.pop(), self, 0)


def age(path: Path, clock: Clock, seconds: float) -> None:
    """Let a file have been written so many seconds ago."""
    at = int((clock.now().timestamp() - seconds) * 1e9)
    os.utime(path, ns=(at, at))


class Folder:
    """A folder with files, all written an hour ago, and a source that reads them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.required: dict[str, frozenset[str]] = {}

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        age(path, self.clock, 3600)
        return path

    def source(self, **raw: object) -> CsvSource:
        settings = parse({"users": "users.csv", **raw}, self.path)
        assert isinstance(settings, CsvSettings), settings
        return CsvSource(settings, self.clock, self.required)

    def read(self, **raw: object) -> tuple[dict[str, Entry], list[ReadFault], Receipt]:
        return asyncio.run(whole(self.source(**raw)))

    def users(self, content: str | bytes, **raw: object) -> dict[str, Entry]:
        """Return what one file of users says, in which nothing is wrong."""
        self.write("users.csv", content)
        entries, faults, receipt = self.read(**raw)
        assert not faults
        assert not receipt.void
        return entries

    def refusal(self, **raw: object) -> str:
        with pytest.raises(Unreachable) as refused:
            self.read(**raw)
        assert refused.value.code == "SourceReadIncomplete"
        assert str(self.path) not in str(refused.value)
        return str(refused.value)


async def whole(source: CsvSource) -> tuple[dict[str, Entry], list[ReadFault], Receipt]:
    entries: dict[str, Entry] = {}
    faults: list[ReadFault] = []
    receipt: Receipt | None = None
    async for part in source.pull(None):
        match part:
            case Page(changes, _, found):
                entries |= {c.entry.anchor: c.entry for c in changes if isinstance(c, Seen)}
                faults.extend(found)
            case Receipt():
                receipt = part
    assert receipt is not None
    return entries, faults, receipt


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_default_columns_have_canonical_names_and_types(folder: Folder) -> None:
    header = "id,userName,givenName,familyName,displayName,mail,department,jobTitle,manager"
    users = folder.users(
        f"{header},accountEnabled,costCenter\n"
        "7,ada@x.org,Ada,Lovelace,Ada Lovelace,ada@y.org,Engines,Countess,8,true,C 1\n"
    )
    assert users["7"] == Entry(
        "User",
        Anchor("7"),
        {
            "objectId": "7",
            "userPrincipalName": "ada@x.org",
            "givenName": "Ada",
            "surname": "Lovelace",
            "displayName": "Ada Lovelace",
            "mail": "ada@y.org",
            "department": "Engines",
            "jobTitle": "Countess",
            "manager": Reference("User", Anchor("8")),
            "accountEnabled": True,
            "costCenter": "C 1",
        },
    )


def test_an_anchor_by_another_name_is_the_object_id_too(folder: Folder) -> None:
    users = folder.users("personNo,mail\n7,ada@x.org\n", anchor="personNo")
    assert users["7"].attributes == {"personNo": "7", "objectId": "7", "mail": "ada@x.org"}


def test_an_object_id_of_its_own_is_not_overwritten(folder: Folder) -> None:
    users = folder.users("personNo,id\n7,guid\n", anchor="personNo")
    assert users["7"].attributes == {"personNo": "7", "objectId": "guid"}


def test_columns_can_be_renamed_and_left_out(folder: Folder) -> None:
    named = {"login": "userPrincipalName", "shoeSize": None}
    users = folder.users("id,login,shoeSize\n7,ada,36\n", attributes=named)
    assert users["7"].attributes == {"objectId": "7", "userPrincipalName": "ada"}


def test_an_empty_cell_is_no_value_unless_it_is_meant_to_be_one(folder: Folder) -> None:
    content = USERS + "7,,,,\n"
    assert folder.users(content)["7"].attributes == {"objectId": "7"}
    assert folder.users(content, emptyAsNull=False)["7"].attributes == {
        "objectId": "7",
        "userPrincipalName": "",
        "surname": "",
    }


def test_white_space_is_kept(folder: Folder) -> None:
    users = folder.users("id,displayName,manager\n 7 , Ada  L. , 8\n")
    assert users[" 7 "].attributes == {
        "objectId": " 7 ",
        "displayName": " Ada  L. ",
        "manager": Reference("User", Anchor(" 8")),
    }


@pytest.mark.parametrize(
    ("cell", "value"),
    [("true", True), ("TRUE", True), ("1", True), ("yes", True), ("False", False), (" 0 ", False)],
)
def test_account_enabled_is_a_boolean(folder: Folder, cell: str, value: bool) -> None:
    users = folder.users(f"id,accountEnabled\n7,{cell}\n")
    assert users["7"].attributes["accountEnabled"] is value


def test_an_account_neither_enabled_nor_disabled_is_a_fault(folder: Folder) -> None:
    folder.write("users.csv", "id,accountEnabled\n7,perhaps\n8,true\n")
    entries, faults, receipt = folder.read()
    assert set(entries) == {"8"}
    assert [(f.where, f.anchor) for f in faults] == [("users.csv, line 2", "7")]
    assert "write true or false" in receipt.void["User"]


def test_cells_with_several_values_are_split(folder: Folder) -> None:
    content = "id,mail,proxyAddresses\n7,a;b,x;;y\n8,a,x\n9,a,;\n"
    every = folder.users(content, multiValueSeparator=";")
    assert every["7"].attributes["mail"] == ("a", "b")
    assert every["7"].attributes["proxyAddresses"] == ("x", "y")
    assert every["8"].attributes["mail"] == "a"
    assert "proxyAddresses" not in every["9"].attributes

    chosen = folder.users(content, multiValueSeparator=";", multiValued=["proxyAddresses"])
    assert chosen["7"].attributes["mail"] == "a;b"
    assert chosen["8"].attributes["proxyAddresses"] == ("x",)

    kept = folder.users(content, multiValueSeparator=";", emptyAsNull=False)
    assert kept["7"].attributes["proxyAddresses"] == ("x", "", "y")


def test_an_id_and_a_manager_are_never_split(folder: Folder) -> None:
    users = folder.users("id,manager\na;b,c;d\n", multiValueSeparator=";")
    assert users["a;b"].attributes["manager"] == Reference("User", Anchor("c;d"))


PEOPLE = "id,displayName\n1,Zoë\n2,Łukasz; „Łuk”\n"


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [
        ("utf-8", ""),
        ("utf-8", "\ufeff"),
        ("utf-16", ""),
        ("utf-16-le", "\ufeff"),
        ("utf-8-sig", ""),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_encoding_and_line_end_says_the_same(
    folder: Folder, encoding: str, bom: str, end: str
) -> None:
    content = (bom + PEOPLE.replace("\n", end)).encode(encoding)
    users = folder.users(content, encoding=encoding)
    assert users["2"].attributes["displayName"] == "Łukasz; „Łuk”"


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "\x1f", "é"])
def test_any_character_can_be_the_delimiter(folder: Folder, delimiter: str) -> None:
    quoted = f'id{delimiter}displayName\n1{delimiter}"a{delimiter}b"\n'
    users = folder.users(quoted, delimiter=delimiter)
    assert users["1"].attributes["displayName"] == f"a{delimiter}b"


def test_quotes_can_be_others_or_none(folder: Folder) -> None:
    other = folder.users("id,displayName\n1,'a ''b'', c'\n", quote="'")
    assert other["1"].attributes["displayName"] == "a 'b', c"
    none = folder.users('id,displayName\n1,"a\n', quote="")
    assert none["1"].attributes["displayName"] == '"a'


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_the_file_has_them(folder: Folder, end: str) -> None:
    lines = ["id,displayName", '1,"a', "", 'b"', "2,x,y", '3,"c', 'd",z', "4,ok", "5"]
    folder.write("users.csv", end.join(lines) + end)
    entries, faults, _ = folder.read()
    assert set(entries) == {"1", "4"}
    assert [fault.where for fault in faults] == [
        "users.csv, line 5",
        "users.csv, line 6",
        "users.csv, line 9",
    ]


def test_lines_far_down_are_counted_too(folder: Folder) -> None:
    row = '{},"several\nlines"\n'
    rows = [row.format(number) for number in range(CHUNK_BYTES // 10)]
    lines = 1 + 2 * len(rows)
    for broken, message in (
        (b"x,\xff\n", "this is not utf-8"),
        (b"x\0,y\n", "NUL"),
        (b"x,y", "cut short"),
        (b'x,"y\n', "unexpected end of data"),
    ):
        content = ("id,displayName\n" + "".join(rows)).encode()
        folder.write("users.csv", content + broken)
        refusal = folder.refusal()
        assert refusal.startswith(f"users.csv, line {lines + 1}: ")
        assert message in refusal


def test_a_file_longer_than_a_chunk_is_read_whole(folder: Folder) -> None:
    count = CHUNK_BYTES // 8
    rows = "".join(f"{number},Æ{number}\r\n" for number in range(count))
    users = folder.users("id,displayName\r\n" + rows)
    assert len(users) == count
    assert users["77"].attributes["displayName"] == "Æ77"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("userName,mail", "there is no column 'id'"),
        ("ID,mail", "there is no column 'id'; is it 'ID',"),
        ("id;mail", "or is the delimiter another?"),
        ("id,mail,mail", "the column 'mail' is there 2 times"),
        ("id,mail,", "a column has no name"),
        ("id,userName,userPrincipalName", "both are userPrincipalName"),
        ("id,surename", "no column is surname (is it 'surename'?), which the schema reads"),
    ],
)
def test_a_header_is_refused_with_what_is_wrong(folder: Folder, header: str, message: str) -> None:
    folder.write("users.csv", f"{header}\n")
    folder.required = {"User": frozenset({"surname"} if "surename" in header else ())}
    refusal = folder.refusal()
    assert refusal.startswith("users.csv, line 1: ")
    assert message in refusal


def test_all_headers_are_refused_at_once(folder: Folder) -> None:
    folder.write("users.csv", "login\n")
    folder.write("groups.csv", "id,members\n")
    folder.write("members.csv", "group,person\n")
    refusal = folder.refusal(groups="groups.csv", members="members.csv")
    assert "users.csv, line 1: there is no column 'id'" in refusal
    assert "groups.csv, line 1: memberships are read from the file" in refusal
    assert "members.csv, line 1: there is no column 'member'" in refusal


def test_members_that_are_mapped_need_a_file(folder: Folder) -> None:
    folder.write("users.csv", "id\n")
    folder.write("groups.csv", "id\n")
    folder.required = {"Group": frozenset({"members"})}
    assert "set members" in folder.refusal(groups="groups.csv")


def test_what_is_computed_needs_no_column(folder: Folder) -> None:
    folder.write("users.csv", "id\n1\n")
    folder.required = {"User": frozenset({"IsSoftDeleted", "objectId"})}
    assert set(folder.read()[0]) == {"1"}


def test_several_files_are_read_as_one(folder: Folder) -> None:
    folder.write("eu.csv", "id,mail\n1,a\n2,b\n")
    folder.write("us.csv", "mail,id\nc,3\nd,2\n")
    entries, faults, receipt = folder.read(users=["eu.csv", "us.csv"])
    assert {anchor: entry.attributes["mail"] for anchor, entry in entries.items()} == {
        "1": "a",
        "2": "b",
        "3": "c",
    }
    assert [fault.where for fault in faults] == ["us.csv, line 3"]
    assert receipt.rows == {"User": 3}
    assert "earlier row has this id" in receipt.void["User"]


def test_empty_lines_at_the_end_are_no_rows(folder: Folder) -> None:
    assert set(folder.users("id\n1\n\n\n")) == {"1"}


# members


MEMBERS = {"groups": "groups.csv", "members": "members.csv"}


def organisation(folder: Folder, users: str, groups: str, members: str) -> None:
    folder.write("users.csv", users)
    folder.write("groups.csv", groups)
    folder.write("members.csv", members)


def test_a_member_is_a_user_before_it_is_a_group_before_it_is_unknown(folder: Folder) -> None:
    organisation(
        folder,
        "id\n1\n2\n",
        "id\n1\n3\n",
        "group,member\n3,1\n3,2\n1,3\n1,9\n",
    )
    entries: dict[tuple[str, str], Entry] = {}

    async def story() -> None:
        async for part in folder.source(**MEMBERS).pull(None):
            if isinstance(part, Page):
                for change in part.changes:
                    assert isinstance(change, Seen)
                    entries[change.entry.kind, change.entry.anchor] = change.entry

    asyncio.run(story())
    assert entries["Group", "3"].attributes["members"] == (user("1"), user("2"))
    assert entries["Group", "1"].attributes["members"] == (nested("3"), user("9"))


def user(anchor: str) -> Reference:
    return Reference("User", Anchor(anchor))


def nested(anchor: str) -> Reference:
    return Reference("Group", Anchor(anchor))


def test_a_column_can_say_what_a_member_is(folder: Folder) -> None:
    organisation(folder, "id\n1\n", "id\n1\n", "type,group,member\nGROUP,1,1\nuser,1,1\n")
    entries, faults, _ = folder.read(**MEMBERS)
    assert entries["1"].attributes["members"] == (nested("1"), user("1"))
    assert not faults


def test_columns_of_members_can_have_other_names(folder: Folder) -> None:
    organisation(folder, "id\n1\n", "id\n5\n", "GroupNo;PersonNo;more\n5;1;x\n".replace(";", ","))
    named = {"group": "GroupNo", "member": "PersonNo"}
    entries, _, _ = folder.read(**MEMBERS, membership=named)
    assert entries["5"].attributes["members"] == (user("1"),)


def test_a_group_without_a_members_file_says_nothing_of_members(folder: Folder) -> None:
    organisation(folder, "id\n1\n", "id\n5\n", "")
    entries, _, _ = folder.read(groups="groups.csv")
    assert entries["5"].attributes == {"objectId": "5"}


def test_a_group_whose_members_are_in_doubt_is_held_back_and_others_are_shown(
    folder: Folder,
) -> None:
    organisation(
        folder,
        "id\n1\n2\n",
        "id\n5\n6\n7\n8\n",
        "group,member,type\n5,1,user\n6,,user\n7,1,robot\n8,1,user\n8,1,user\n9,1,user\n",
    )
    entries, faults, receipt = folder.read(**MEMBERS)
    assert set(entries) == {"1", "2", "5"}
    assert {(fault.where, fault.anchor) for fault in faults} == {
        ("members.csv, line 3", "6"),
        ("members.csv, line 4", "7"),
        ("members.csv, line 6", "8"),
        ("members.csv, line 7", "9"),
    }
    assert set(receipt.void) == {"Group"}
    assert receipt.void["Group"].endswith("and 3 rows more")


def test_a_row_that_may_belong_to_any_group_holds_all_back(folder: Folder) -> None:
    organisation(folder, "id\n1\n", "id\n5\n6\n", "group,member\n5,1\n6\n")
    entries, faults, receipt = folder.read(**MEMBERS)
    assert set(entries) == {"1"}
    assert [fault.where for fault in faults] == ["members.csv, line 3"]
    assert set(receipt.void) == {"Group"}


def test_while_a_users_row_cannot_be_read_a_group_among_members_may_be_that_user(
    folder: Folder,
) -> None:
    organisation(folder, "id,x\n1,a\n6\n", "id\n5\n6\n7\n", "group,member\n5,6\n7,1\n")
    entries, _, receipt = folder.read(**MEMBERS)
    assert set(entries) == {"1", "6", "7"}, "5 is held back: its member 6 may be a user"
    assert set(receipt.void) == {"User", "Group"}

    organisation(
        folder, "id,x\n1,a\n6\n", "id\n5\n6\n7\n", "group,member,type\n5,6,group\n7,1,user\n"
    )
    entries, _, receipt = folder.read(**MEMBERS)
    assert entries["5"].attributes["members"] == (nested("6"),)
    assert set(receipt.void) == {"User"}


def test_while_a_groups_row_cannot_be_read_a_stranger_among_members_may_be_that_group(
    folder: Folder,
) -> None:
    organisation(folder, "id\n1\n", "id,x\n5,a\n6\n7,a\n", "group,member\n5,6\n7,1\n")
    entries, _, receipt = folder.read(**MEMBERS)
    assert set(entries) == {"1", "7"}
    assert set(receipt.void) == {"Group"}


# receipts


def test_a_receipt_names_exactly_this_content(folder: Folder) -> None:
    organisation(folder, "id\n1\n", "id\n5\n", "group,member\n5,1\n")
    _, _, receipt = folder.read(**MEMBERS)
    assert receipt.is_atomic
    assert not receipt.has_manifest
    assert receipt.digest == folder.read(**MEMBERS)[2].digest
    folder.write("members.csv", "group,member\n")
    assert receipt.digest != folder.read(**MEMBERS)[2].digest


def test_a_file_is_waited_for_until_nobody_has_written_it_for_a_while(folder: Folder) -> None:
    path = folder.write("users.csv", "id\n1\n")
    age(path, folder.clock, 0.5)
    folder.clock.touches = [path]
    assert set(folder.read(settleFor=2)[0]) == {"1"}
    assert folder.clock.slept == [pytest.approx(1.5), pytest.approx(2)]


def test_a_file_that_never_settles_is_not_waited_for_for_ever(folder: Folder) -> None:
    path = folder.write("users.csv", "id\n1\n")
    age(path, folder.clock, 0)
    folder.clock.touches = [path] * 1000
    assert "goes on changing" in folder.refusal(settleFor=2)
    assert sum(folder.clock.slept) <= 32


def test_a_file_from_the_future_is_not_waited_for(folder: Folder) -> None:
    path = folder.write("users.csv", "id\n1\n")
    age(path, folder.clock, -86400)
    assert "in the future" in folder.refusal(settleFor=2)
    assert not folder.clock.slept
    assert set(folder.read(settleFor=0)[0]) == {"1"}


def test_a_file_exchanged_before_it_was_opened_is_not_read(folder: Folder) -> None:
    path = folder.write("users.csv", "id\n1\n")

    class Exchanged(CsvSource):
        async def _settled(self) -> Mapping[Path, object]:  # pyright: ignore[reportIncompatibleMethodOverride]
            looked = await super()._settled()
            folder.write("new.csv", "id\n2\n").replace(path)
            return looked

    settings = parse({"users": "users.csv"}, folder.path)
    assert isinstance(settings, CsvSettings)
    with pytest.raises(Unreachable, match="changed while it was read"):
        asyncio.run(whole(Exchanged(settings, folder.clock)))


def test_of_a_file_rewritten_while_it_is_read_nothing_new_is_mixed_in(folder: Folder) -> None:
    rows = "".join(f"{number:07},old\n" for number in range(CHUNK_BYTES // 4))
    path = folder.write("users.csv", "id,mail\n" + rows)
    shown: set[object] = set()

    async def story() -> None:
        async for part in folder.source().pull(None):
            if isinstance(part, Page):
                shown.update(
                    c.entry.attributes["mail"] for c in part.changes if isinstance(c, Seen)
                )
                with path.open("r+b") as file:
                    file.write(b"id,mail\n" + rows.replace("old", "new").encode())

    with pytest.raises(Unreachable, match="changed while it was read"):
        asyncio.run(story())
    assert shown == {"old"}


def test_who_is_on_a_row_that_cannot_be_read_is_neither_there_nor_not(folder: Folder) -> None:
    folder.write("users.csv", "id,mail\n1,a\n2\n")
    source = folder.source()
    found = asyncio.run(source.fetch(EntryKey("User", Anchor("1"))))
    assert found is not None
    with pytest.raises(Unreachable, match=r"users.csv, line 3"):
        asyncio.run(source.fetch(EntryKey("User", Anchor("2"))))
    assert asyncio.run(source.fetch(EntryKey("Group", Anchor("2")))) is None


def test_the_system_is_the_files_and_the_view_is_how_they_are_read(folder: Folder) -> None:
    system = folder.source(**MEMBERS).system
    assert str(folder.path / "users.csv") in system.identity
    assert folder.source(**MEMBERS, settleFor=9, emptyAsNull=False).system == system
    assert folder.source(**MEMBERS, delimiter=";").system.identity == system.identity
    assert folder.source(**MEMBERS, delimiter=";").system.view != system.view
    assert folder.source(**MEMBERS, anchor="mail").system.view != system.view
    assert folder.source(groups="groups.csv").system.view != system.view
    assert folder.source(groups="groups.csv").system.identity == system.identity
