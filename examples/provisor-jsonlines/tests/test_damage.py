"""Whatever a file looks like: nobody is taken for gone who may be there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hands import text_of
from provisor_jsonlines import CONNECTOR
from provisor_jsonlines.probe import JsonLinesProber
from provisor_jsonlines.source import JsonLinesSource

from provisor.errors import Unreachable
from provisor.model.directories import Weight
from provisor.model.entries import Anchor, EntryKey
from provisor.testing.organisation import ORGANISATION, key
from provisor.testing.reading import check_fetch_never_denies, check_no_false_absence, read, run

EVERYONE = {key(entry): entry for entry in ORGANISATION}
WHOLE = text_of(*ORGANISATION)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.jsonl"


def test_a_file_that_is_cut_off_anywhere_proves_nothing(file: Path) -> None:
    content = WHOLE.encode()
    for length in range(len(content) - 1):  # the last byte is a line break
        file.write_bytes(content[:length])
        found = run(read(JsonLinesSource(file)))
        assert isinstance(found.error, Unreachable), length
        assert found.receipt is None
        assert found.error.code == "SourceReadIncomplete"


def test_a_line_that_is_left_out_is_missed(file: Path) -> None:
    lines = WHOLE.splitlines(keepends=True)
    for left_out in range(len(lines)):
        file.write_text("".join(lines[:left_out] + lines[left_out + 1 :]), encoding="utf-8")
        found = run(read(JsonLinesSource(file)))
        check_no_false_absence(EVERYONE, found)
        run(check_fetch_never_denies(EVERYONE, JsonLinesSource(file)))


@pytest.mark.parametrize(
    "line",
    [
        '{"kind": "User", "id": ""}',
        '{"kind": "User", "id": "u1", "size": 1.5}',
        '{"kind": "User", "id": "\\ud800"}',
        '{"kind": "User", "id": "u1", "manager": {"id": "u2"}}',
    ],
)
def test_of_a_kind_with_a_bad_line_nobody_is_gone(file: Path, line: str) -> None:
    lines = WHOLE.splitlines()
    file.write_text("\n".join([line, *lines[1:]]), encoding="utf-8")

    found = run(read(JsonLinesSource(file)))

    assert found.receipt is not None
    assert set(found.receipt.void) == {"User"}
    assert found.faults[0].where == "people.jsonl, line 1"
    check_no_false_absence(EVERYONE, found)
    run(check_fetch_never_denies(EVERYONE, JsonLinesSource(file)))


def test_an_id_that_is_there_twice_proves_nothing_of_its_kind(file: Path) -> None:
    file.write_text(text_of(*ORGANISATION, ORGANISATION[0]), encoding="utf-8")
    found = run(read(JsonLinesSource(file)))
    assert not found.proves("User")
    assert found.proves("Group")


@pytest.mark.parametrize("line", ["", "no JSON", "[]", "{}", '{"id": "u1"}', "[" * 100_000])
def test_a_line_of_no_known_kind_ends_the_read(file: Path, line: str) -> None:
    file.write_text(f"{line}\n{WHOLE}", encoding="utf-8")
    found = run(read(JsonLinesSource(file)))
    assert isinstance(found.error, Unreachable)
    assert "people.jsonl, line 1" in str(found.error)


def test_a_probe_tells_what_is_wrong(file: Path) -> None:
    told = run(JsonLinesProber(file).probe())
    assert [one.weight for one in told.findings] == [Weight.ERROR]
    file.write_text(WHOLE, encoding="utf-8")
    assert run(JsonLinesProber(file).probe()).is_usable


def test_discovery_finds_kinds_and_attributes(file: Path) -> None:
    file.write_text(WHOLE, encoding="utf-8")
    found = run(JsonLinesProber(file).discover())
    names = {one.kind: {a.name for a in one.attributes} for one in found.objects}
    assert names == {
        "User": {"objectId", "displayName", "manager"},
        "Group": {"objectId", "displayName", "members"},
    }


def test_settings_that_are_wrong_are_told_one_by_one(tmp_path: Path) -> None:
    assert CONNECTOR.check({"file": "people.jsonl"}, tmp_path) == []
    told = CONNECTOR.check({"path": "people.jsonl"}, tmp_path)
    assert [one.path for one in told] == ["path", "file"]


def test_the_file_may_be_missing_when_it_is_set_up(tmp_path: Path) -> None:
    assert CONNECTOR.definitions({"file": "nowhere.jsonl"}, tmp_path) == {}


def test_who_is_gone_is_gone(file: Path) -> None:
    file.write_text(text_of(*ORGANISATION[1:]), encoding="utf-8")
    gone = EntryKey("User", Anchor("u1"))
    assert asyncio.run(JsonLinesSource(file).fetch(gone)) is None
