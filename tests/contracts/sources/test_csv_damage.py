"""No damage to real files makes anybody look gone, or a group look smaller.

Damage that leaves a perfectly valid file (a cut exactly between two rows) cannot be seen in the
file itself: only a manifest gives it away, and behind that the guard, which weighs how much goes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from provisor.errors import Unreachable
from provisor.model.entries import Page, Seen
from provisor.testing.organisation import ORGANISATION, key
from provisor.testing.reading import (
    Read,
    check_fetch_never_denies,
    check_no_false_absence,
    read,
    run,
    take,
)
from tests.contracts.sources.subjects import CsvSubject

EVERYONE = {key(entry): entry for entry in ORGANISATION}
FILES = ("users.csv", "groups.csv", "members.csv")

Damage = Callable[[bytes], bytes]


@pytest.fixture
def csv(tmp_path: Path) -> CsvSubject:
    subject = CsvSubject(tmp_path)
    run(subject.hold(*ORGANISATION))
    return subject


@pytest.fixture
def vouched(tmp_path: Path) -> CsvSubject:
    """Return files with a manifest that holds their hashes."""
    subject = CsvSubject(tmp_path, manifest="manifest.sha256")
    run(subject.hold(*ORGANISATION))
    hashes = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in FILES}
    lines = "".join(f"{found}  {name}\n" for name, found in hashes.items())
    (tmp_path / "manifest.sha256").write_text(lines)
    return subject


async def check(subject: CsvSubject) -> Read:
    found = await read(subject.source)
    check_no_false_absence(EVERYONE, found)
    await check_fetch_never_denies(EVERYONE, subject.source)
    return found


def is_row_end(content: bytes, at: int) -> bool:
    """Tell whether a cut there leaves whole rows: the one cut that a file alone cannot show."""
    inside = content[:at].count(b'"') % 2 == 1
    return at > 0 and content[at - 1 : at] == b"\n" and not inside


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_anywhere_within_a_row_proves_nothing(csv: CsvSubject, name: str) -> None:
    path = csv.folder / name
    whole = path.read_bytes()
    for at in range(len(whole)):
        if is_row_end(whole, at):
            continue
        path.write_bytes(whole[:at])
        found = run(check(csv))
        assert found.receipt is None, f"cut at byte {at}"
        assert found.error is not None
        assert found.error.code == "SourceReadIncomplete"
        assert name in str(found.error)


@pytest.mark.parametrize("name", FILES)
def test_with_a_manifest_a_file_cut_anywhere_shows_nothing_at_all(
    vouched: CsvSubject, name: str
) -> None:
    path = vouched.folder / name
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at])
        found = run(check(vouched))
        assert found.receipt is None, f"cut at byte {at}"
        assert not found.pages


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_between_rows_shows_what_is_left_in_it(csv: CsvSubject, name: str) -> None:
    """And says so with a receipt: this is what the manifest and the guard are for."""
    path = csv.folder / name
    whole = path.read_bytes()
    cuts = [at for at in range(1, len(whole)) if is_row_end(whole, at)]
    assert len(cuts) >= 3
    for at in cuts:
        path.write_bytes(whole[:at])
        found = run(read(csv.source))
        assert found.receipt is not None
        assert found.receipt.rows == {
            "User": len(found.kind("User")),
            "Group": len(found.kind("Group")),
        }
        assert not found.receipt.has_manifest


def swapped(before: bytes, after: bytes) -> Damage:
    def damage(content: bytes) -> bytes:
        assert before in content
        return content.replace(before, after, 1)

    return damage


FATAL: dict[str, Damage] = {
    "empty": lambda content: b"",
    "blank lines only": lambda content: b"\n\n",
    "no final newline": lambda content: content[:-1],
    "half of it": lambda content: content[: len(content) // 2],
    "one byte of another encoding": lambda content: content + b"\xe9,\xe9\n",
    "another encoding": lambda content: content.decode().encode("utf-16"),
    "a NUL byte": lambda content: content + b"u\0,x\n",
    "a block that was never written": lambda content: content + bytes(512) + b"\n",
    "another delimiter": lambda content: content.replace(b",", b";"),
    "a quote never closed": lambda content: content + b'"u9,Zoe\n',
    "a quote closed too early": lambda content: content + b'"u9"x,Zoe\n',
    "a cell too long": lambda content: content + b"u9," + b"x" * 200_000 + b"\n",
    "a line without an end": lambda content: content + b"x" * 5_000_000,
    "a page of an unhappy server": lambda content: b"<!doctype html>\n<p>502 Bad Gateway\n",
    "a column dropped from the header": lambda content: content.split(b",", 1)[1],
    "a column there twice": lambda content: b"id,id," + content,
    "a column without a name": lambda content: b"," + content,
    "the header lost": lambda content: content.split(b"\n", 1)[1],
}

MALFORMED: dict[str, tuple[str, int, Damage]] = {
    "a user with a cell too few": ("users.csv", 7, swapped(b"u5,Eve,", b"u5,Eve")),
    "a user with a cell too many": ("users.csv", 7, swapped(b"u5,Eve,", b"u5,Eve,,")),
    "a user without an id": ("users.csv", 7, swapped(b"u5,", b",")),
    "a user whose id is blank": ("users.csv", 7, swapped(b"u5,", b"  ,")),
    "a user with the id of another": ("users.csv", 7, swapped(b"u5,", b"u1,")),
    "a user there twice": ("users.csv", 8, swapped(b"u5,Eve,\n", b"u5,Eve,\nu5,Eve,\n")),
    "an empty line among users": ("users.csv", 3, swapped(b"\nu2", b"\n\nu2")),
    "two users run together": ("users.csv", 6, swapped(b"u2\nu5", b"u2u5")),
    "a group with a cell too few": ("groups.csv", 3, swapped(b"g2,", b"g2")),
    "a group with a cell too many": ("groups.csv", 3, swapped(b"g2,", b"g2,,")),
    "a group without an id": ("groups.csv", 3, swapped(b"g2,", b",")),
    "a group there twice": ("groups.csv", 3, swapped(b"g2,", b"g1,")),
    "an empty line among groups": ("groups.csv", 3, swapped(b"\ng2", b"\n\ng2")),
    "a member with a cell too few": ("members.csv", 3, swapped(b"g1,u2", b"g1u2")),
    "a member with a cell too many": ("members.csv", 3, swapped(b"g1,u2", b"g1,u2,")),
    "a member of nothing": ("members.csv", 3, swapped(b"g1,u2", b",u2")),
    "a member who is nobody": ("members.csv", 3, swapped(b"g1,u2", b"g1,")),
    "a member who is blank": ("members.csv", 3, swapped(b"g1,u2", b"g1, ")),
    "a member there twice": ("members.csv", 3, swapped(b"g1,u2", b"g1,u1")),
    "an empty line among members": ("members.csv", 3, swapped(b"\ng1,u2", b"\n\ng1,u2")),
    "two members run together": ("members.csv", 2, swapped(b"u1\ng1", b"u1g1")),
}

VALID: dict[str, tuple[str, Damage]] = {
    "names of columns exchanged": ("users.csv", swapped(b"id,displayName", b"displayName,id")),
    "a user taken out": ("users.csv", swapped(b"u5,Eve,\n", b"")),
    "all users taken out": ("users.csv", lambda content: content.split(b"\n", 1)[0] + b"\n"),
    "a group taken out": ("groups.csv", swapped(b"g2,Everyone\n", b"")),
    "a member taken out": ("members.csv", swapped(b"g1,u2\n", b"")),
    "all members taken out": ("members.csv", lambda content: b"group,member\n"),
    "a member exchanged": ("members.csv", swapped(b"g1,u2", b"g1,u9")),
    "an empty line at the end": ("users.csv", lambda content: content + b"\n"),
}


@pytest.mark.parametrize("damage", FATAL.values(), ids=FATAL)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_fails_as_a_whole_fails_the_read(
    csv: CsvSubject, name: str, damage: Damage
) -> None:
    path = csv.folder / name
    path.write_bytes(damage(path.read_bytes()))
    found = run(check(csv))
    assert found.receipt is None
    assert found.error is not None
    assert found.error.code == "SourceReadIncomplete"
    assert name in str(found.error)
    assert not found.kind("Group"), "groups are shown only once everything has been read"


@pytest.mark.parametrize(("name", "line", "damage"), MALFORMED.values(), ids=MALFORMED)
def test_a_row_that_fails_voids_the_receipt_of_its_kind_and_the_others_go_on(
    csv: CsvSubject, name: str, line: int, damage: Damage
) -> None:
    path = csv.folder / name
    path.write_bytes(damage(path.read_bytes()))
    found = run(check(csv))
    kind = "User" if name == "users.csv" else "Group"
    assert found.receipt is not None
    # Whose row of a user is lost nobody knows: a group among members may as well be that user.
    assert {kind} <= set(found.receipt.void) <= {kind, "Group"}
    assert found.faults[0].where == f"{name}, line {line}"
    assert found.receipt.void[kind].startswith(found.faults[0].where)
    assert len(found.kind("User")) >= 3


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", FATAL.values(), ids=FATAL)
def test_with_a_manifest_nothing_of_a_damaged_file_is_shown(
    vouched: CsvSubject, name: str, damage: Damage
) -> None:
    path = vouched.folder / name
    path.write_bytes(damage(path.read_bytes()))
    found = run(check(vouched))
    assert found.receipt is None
    assert not found.pages


QUIET = {**{what: (name, damage) for what, (name, _, damage) in MALFORMED.items()}, **VALID}


@pytest.mark.parametrize(("name", "damage"), QUIET.values(), ids=QUIET)
def test_a_manifest_gives_away_even_damage_that_leaves_a_valid_file(
    vouched: CsvSubject, name: str, damage: Damage
) -> None:
    path = vouched.folder / name
    path.write_bytes(damage(path.read_bytes()))
    found = run(check(vouched))
    assert found.receipt is None
    assert not found.pages


@pytest.mark.parametrize(
    ("name", "rows"), [("users.csv", 6), ("users.csv", 4), ("groups.csv", 2), ("members.csv", 0)]
)
def test_a_manifest_that_counts_other_rows_ends_the_read(
    tmp_path: Path, name: str, rows: int
) -> None:
    subject = CsvSubject(tmp_path, manifest="manifest.json")
    run(subject.hold(*ORGANISATION))
    counts = {"users.csv": 5, "groups.csv": 3, "members.csv": 6} | {name: rows}
    said = {"files": {file: {"rows": count} for file, count in counts.items()}}
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    found = run(check(subject))
    assert found.receipt is None
    assert f"{name} has" in str(found.error)
    assert not found.kind("Group")


def test_a_manifest_that_agrees_is_named_in_the_receipt(vouched: CsvSubject) -> None:
    found = run(check(vouched))
    assert found.receipt is not None
    assert found.receipt.has_manifest
    assert found.entries == EVERYONE


@pytest.mark.parametrize(
    "said",
    [
        "",
        "not a manifest",
        "{",
        "{}",
        "[]",
        '{"files": []}',
        '{"files": {"users.csv": 5}}',
        '{"files": {"users.csv": {}}}',
        '{"files": {"users.csv": {"rows": true}}}',
        '{"files": {"users.csv": {"rows": "5"}}}',
        '{"files": {"users.csv": {"sha256": "5"}}}',
        '{"files": {"users.csv": {"rows": 5}}}',
        '{"files": {"users.csv": {"rows": 5}, "folder/users.csv": {"rows": 4}}}',
        "0" * 64 + "  users.csv\n",
        "\ud800",
    ],
)
def test_a_manifest_that_does_not_vouch_for_everything_ends_the_read(
    vouched: CsvSubject, said: str
) -> None:
    path = vouched.folder / "manifest.sha256"
    path.write_bytes(said.encode("utf-8", "surrogatepass"))
    found = run(check(vouched))
    assert found.receipt is None
    assert not found.pages


@pytest.mark.parametrize("name", [*FILES, "manifest.sha256"])
@pytest.mark.parametrize("what", ["missing", "a folder", "a pipe", "a link to nothing"])
def test_a_file_that_cannot_be_read_ends_the_read(
    vouched: CsvSubject, name: str, what: str
) -> None:
    path = vouched.folder / name
    path.unlink()
    match what:
        case "a folder":
            path.mkdir()
        case "a pipe":
            os.mkfifo(path)
        case "a link to nothing":
            path.symlink_to("nowhere")
        case _:
            pass
    found = run(check(vouched))
    assert found.receipt is None
    assert not found.pages
    assert name in str(found.error)


def rewrite_in_place(path: Path) -> None:
    """Change a byte, and set the time back: only what the system keeps for itself tells."""
    times = path.stat()
    content = path.read_bytes()
    with path.open("r+b") as file:
        file.write(content.replace(b"u5", b"u6"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def exchange(path: Path) -> None:
    path.with_suffix(".new").write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")
    path.with_suffix(".new").replace(path)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x9,Zoe\n")


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


MEANWHILE: dict[str, Callable[[Path], object]] = {
    "appended to": append,
    "cut short": lambda path: os.truncate(path, path.stat().st_size // 2),
    "emptied": lambda path: os.truncate(path, 0),
    "exchanged": exchange,
    "rewritten in place": rewrite_in_place,
    "deleted": Path.unlink,
    "touched": touch,
}


@pytest.mark.parametrize("change", MEANWHILE.values(), ids=MEANWHILE)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_changes_between_any_two_pages_leaves_no_receipt(
    csv: CsvSubject, name: str, change: Callable[[Path], object]
) -> None:
    whole = {file: (csv.folder / file).read_bytes() for file in FILES}
    shown_before_groups = 1 + max(
        at
        for at, page in enumerate(run(read(csv.source)).pages)
        if not any(key(c.entry).kind == "Group" for c in seen(page))
    )
    for at in range(1, shown_before_groups + 1):
        for file, content in whole.items():
            (csv.folder / file).write_bytes(content)
        found = run(read_and(csv, at, lambda: change(csv.folder / name)))
        check_no_false_absence(EVERYONE, found)
        assert found.receipt is None, f"changed after page {at}"
        assert name in str(found.error)
        assert not found.kind("Group")


@pytest.mark.parametrize("change", MEANWHILE.values(), ids=MEANWHILE)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_changes_after_all_was_read_changes_nothing_that_is_shown(
    csv: CsvSubject, name: str, change: Callable[[Path], object]
) -> None:
    pages = len(run(read(csv.source)).pages)
    found = run(read_and(csv, pages, lambda: change(csv.folder / name)))
    assert found.entries == EVERYONE
    assert found.receipt is not None


async def read_and(subject: CsvSubject, at: int, change: Callable[[], object]) -> Read:
    """Read, and let a change happen after so many pages."""
    found = Read()
    try:
        async for part in subject.source.pull(None):
            take(found, part)
            if isinstance(part, Page) and len(found.pages) == at:
                change()
    except Unreachable as error:
        found.error = error
    return found


def seen(page: Page) -> list[Seen]:
    return [change for change in page.changes if isinstance(change, Seen)]
