"""Whatever happens to the bytes: nothing is shown but what a strict reader finds in them.

The reader here is another than the one under test: slow, plain, and about these three files only.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import assume, given
from hypothesis import strategies as st

from provisor.model.entries import Entry, EntryKey
from provisor.testing.organisation import group, key, person
from provisor.testing.reading import Read, check_no_false_absence, members, read, run
from tests.contracts.sources.subjects import CsvSubject, files

HEADERS = {
    "users.csv": ["id", "displayName", "manager"],
    "groups.csv": ["id", "displayName"],
    "members.csv": ["group", "member"],
}


@dataclass
class Strict:
    """The rows of a file, and those that are none; None where the file as a whole is none."""

    rows: list[list[str]] | None
    is_damaged: bool = False
    """Some row has not the cells it should have."""
    has_more_columns: bool = False
    """The header has what it should have, and more: a file of another kind, not a damaged one."""


def strictly(name: str, content: bytes) -> Strict:
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return Strict(None)
    while rows and not rows[-1]:
        rows.pop()
    is_whole = text.endswith(("\n", "\r")) and "\0" not in text
    header = [cell.strip() for cell in rows[0]] if rows else []
    if not is_whole or header != HEADERS[name]:
        return Strict(None, has_more_columns=is_whole and set(header) >= set(HEADERS[name]))
    kept = [row for row in rows[1:] if len(row) == len(HEADERS[name]) and row[0].strip()]
    return Strict(kept, len(kept) < len(rows) - 1)


def objects(kind: str, rows: Sequence[Sequence[str]]) -> dict[str, Entry]:
    """Return what rows say; of several with one id, the first."""
    found: dict[str, Entry] = {}
    for row in rows:
        made = person(*row) if kind == "User" else group(row[0], row[1])
        cleaned = {name: value for name, value in made.attributes.items() if value != ""}
        if kind == "User" and not row[2].strip():
            cleaned.pop("manager", None)
        found.setdefault(row[0], Entry(kind, made.anchor, cleaned))
    return found


def has_repetition(rows: Iterable[Sequence[str]]) -> bool:
    return any(count > 1 for count in Counter(row[0] for row in rows).values())


NAMES = st.text(st.sampled_from('aé"\n,; \t陳'), max_size=4)


@st.composite
def organisations(draw: st.DrawFn) -> dict[EntryKey, Entry]:
    people = draw(st.lists(st.sampled_from(["u1", "u2", "u3", "u4"]), unique=True))
    groups = draw(st.lists(st.sampled_from(["g1", "g2", "g3"]), unique=True))
    managers = st.sampled_from(["", *people])
    entries = [person(who, "P" + draw(NAMES), draw(managers)) for who in people]
    for name in groups:
        among = draw(st.lists(st.sampled_from([*people, *groups]), unique=True)) if people else []
        entries.append(group(name, "G" + draw(NAMES), *among))
    return {key(entry): entry for entry in entries}


@st.composite
def damages(draw: st.DrawFn, content: bytes) -> bytes:
    """Return what is left of a file once bytes flipped, or pieces went or came twice."""
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["flip", "flip", "cut", "remove", "repeat", "line", "twice"])):
            case "flip":
                new = draw(st.sampled_from(b'\n\r,"\0ug1234\xe9 ;'))
                content = content[:start] + bytes([new]) + content[start + 1 :]
            case "cut":
                content = content[:start]
            case "remove":
                content = content[:start] + content[start + draw(st.integers(1, 20)) :]
            case "repeat":
                content = content[: start + draw(st.integers(1, 20))] + content[start:]
            case what:
                lines = content.splitlines(keepends=True)
                at = draw(st.integers(0, max(len(lines) - 1, 0)))
                content = b"".join([*lines[:at], *lines[at : at + 1] * 2 * (what == "twice")])
                content += b"".join(lines[at + 1 :])
    return content


@given(data=st.data(), entries=organisations(), name=st.sampled_from(sorted(HEADERS)))
def test_damage_shows_what_a_strict_reader_finds_and_proves_no_more(
    data: st.DataObject, entries: dict[EntryKey, Entry], name: str
) -> None:
    whole = files(entries)
    damaged = {**whole, name: data.draw(damages(whole[name]))}
    found = read_files(damaged)
    strict = {file: strictly(file, content) for file, content in damaged.items()}
    assume(not any(one.has_more_columns for one in strict.values()))
    if any(one.rows is None for one in strict.values()):
        assert found.receipt is None
    check_objects("User", strict["users.csv"], found)
    check_groups(strict, found)
    if damaged == whole:
        assert found.entries == entries
        assert found.receipt is not None
        assert not found.receipt.void


@given(data=st.data(), entries=organisations(), name=st.sampled_from(sorted(HEADERS)))
def test_with_a_manifest_damage_shows_nothing_at_all(
    data: st.DataObject, entries: dict[EntryKey, Entry], name: str
) -> None:
    whole = files(entries)
    damaged = {**whole, name: data.draw(damages(whole[name]))}
    found = read_files(damaged, vouched=whole)
    check_no_false_absence(entries, found)
    assert (found.receipt is not None) == (damaged == whole)
    assert found.receipt is not None or not found.pages


@given(data=st.data(), entries=organisations())
def test_whatever_order_rows_are_in_they_say_the_same(
    data: st.DataObject, entries: dict[EntryKey, Entry]
) -> None:
    turned = {wanted: entries[wanted] for wanted in data.draw(st.permutations([*entries]))}
    assert read_files(files(turned)).entries == entries


def read_files(contents: Mapping[str, bytes], vouched: Mapping[str, bytes] | None = None) -> Read:
    with TemporaryDirectory() as folder:
        settings = {"manifest": "manifest"} if vouched is not None else {}
        subject = CsvSubject(Path(folder), **settings)
        for name, content in contents.items():
            (subject.folder / name).write_bytes(content)
        if vouched is not None:
            hashes = [f"{hashlib.sha256(c).hexdigest()}  {name}\n" for name, c in vouched.items()]
            (subject.folder / "manifest").write_text("".join(hashes))
        return run(read(subject.source))


def check_objects(kind: str, strict: Strict, found: Read) -> None:
    """What is shown stands in a row; what is proven is exactly all rows."""
    shown = found.kind(kind)
    if strict.rows is not None:
        rows = objects(kind, strict.rows)
        assert shown.items() <= rows.items()
        if found.proves(kind):
            assert not strict.is_damaged
            assert not has_repetition(strict.rows)
            assert shown == rows


def check_groups(strict: Mapping[str, Strict], found: Read) -> None:
    """A group is shown with exactly the members that whole rows give it, or not at all."""
    listed, memberships = strict["groups.csv"], strict["members.csv"]
    shown = found.kind("Group")
    if listed.rows is None or memberships.rows is None or strict["users.csv"].rows is None:
        assert not shown
        return
    if memberships.is_damaged:
        assert not shown, "whose member the damaged row is nobody knows"
        assert not found.proves("Group")
    known = objects("Group", listed.rows)
    users = objects("User", strict["users.csv"].rows or [])
    for anchor, entry in shown.items():
        named = [row[1] for row in memberships.rows if row[0] == anchor]
        assert all(name.strip() for name in named)
        assert len(set(named)) == len(named)
        assert {member.anchor for member in members(entry)} == set(named)
        for member in members(entry):
            is_user = member.anchor in users or member.anchor not in known
            assert (member.kind == "User") == is_user
    if found.proves("Group"):
        assert set(shown) == set(known)
        assert not listed.is_damaged
        assert not has_repetition(listed.rows)
        assert {row[0] for row in memberships.rows} <= set(known)
