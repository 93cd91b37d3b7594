"""Files that are cut off, empty, unreadable or half written remove nobody, and it is said why."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.endtoend.site import JOB, Ended, Site
from tests.endtoend.spoiling import (
    Spoil,
    cut,
    cut_after_a_row,
    exchanged,
    header_only,
    nobody_is_touched,
    spoil,
    with_byte,
    without_column,
    without_zeros,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to a file, and what the message says about it."""

    name: str
    spoil: Spoil
    says: str


UNREADABLE = (
    Fault("cut off near its beginning", cut(0.03), "{file}, line "),
    Fault("cut off in the middle", cut(0.5), "{file}, line "),
    Fault("cut off near its end", cut(0.9), "{file}, line "),
    Fault("empty", lambda _: b"", "{file}"),
    Fault("an empty line", lambda _: b"\n", "{file}"),
    Fault("missing", lambda _: None, "{file} cannot be read"),
    Fault("in another encoding", lambda w: w.decode().encode("utf-16"), "{file}, line 1"),
    Fault("damaged", with_byte(b"\xff"), "{file}, line "),
    Fault("with a NUL", with_byte(b"\0"), "{file}, line "),
)
PEOPLE = (
    *UNREADABLE,
    Fault("cut off after a row", cut_after_a_row(0.6), "SourceShrank"),
    Fault(
        "with a header and nobody", header_only, "SourceEmpty: no User was read where there were"
    ),
    Fault("with ids and logins exchanged", exchanged("id", "userName"), "SourceReplaced"),
    Fault("with ids from a spreadsheet", without_zeros, "SourceReplaced"),
    Fault("without department", without_column("department"), "department"),
    Fault("without manager", without_column("manager"), "manager"),
    Fault("without anchor", without_column("id"), "id"),
)
GROUPS = (
    *UNREADABLE[1:],
    Fault("without name", without_column("displayName"), "displayName"),
)
MEMBERS = (
    *UNREADABLE,
    Fault("without member", without_column("member"), "member"),
)
FAULTS = [
    pytest.param(file, fault, id=f"{file} {fault.name}")
    for file, faults in (("people.csv", PEOPLE), ("groups.csv", GROUPS), ("members.csv", MEMBERS))
    for fault in faults
]


def say_why(ended: Ended, file: str, fault: Fault) -> None:
    assert fault.says.format(file=file) in ended.out, ended.told
    assert "nobody was removed" in ended.out or "SourceReadIncomplete" in ended.out, ended.told


@pytest.mark.parametrize(("file", "fault"), FAULTS)
def test_a_file_that_is_not_whole_removes_nobody(settled: Site, file: str, fault: Fault) -> None:
    with nobody_is_touched(settled):
        spoil(settled, file, fault.spoil)

        ended = settled.run(5)

        say_why(ended, file, fault)
        settled.company.write()
        settled.run()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.85])
def test_memberships_that_end_early_wait_for_an_approval(settled: Site, share: float) -> None:
    with nobody_is_touched(settled):
        spoil(settled, "members.csv", cut_after_a_row(share))

        ended = settled.run(4)

        assert "TooManyDeletes" in ended.out
        assert "waiting for your approval: removals of members" in ended.out
        settled.company.write()
        settled.is_quiet()


def test_a_file_of_members_without_a_member_empties_no_group(settled: Site) -> None:
    with nobody_is_touched(settled):
        spoil(settled, "members.csv", header_only)

        settled.run(4)
        provisioned = settled.provisor("provision", JOB, "Group:everybody")

        assert provisioned.code in (0, 3), provisioned.told
        settled.company.write()
        settled.is_quiet()


@pytest.mark.parametrize("how", [header_only, cut_after_a_row(0.5)])
def test_members_of_groups_that_are_not_in_their_file_are_told_by_file_and_line(
    settled: Site, how: Spoil
) -> None:
    with nobody_is_touched(settled):
        spoil(settled, "groups.csv", how)

        settled.run(3)

        assert "members.csv, line " in settled.ends(0, "escrows", JOB).out
        settled.company.write()
        settled.is_quiet()
