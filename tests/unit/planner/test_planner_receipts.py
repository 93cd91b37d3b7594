"""May anything be concluded absent from a read? Every doubt, and what it takes to have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from provisor.model.entries import Receipt
from provisor.model.rules import Guards
from provisor.planner.receipts import Turnover, disbelieve, distrust

WHOLE = Receipt(is_snapshot=True, rows={"user": 100}, total=100)
FILE = Receipt(is_snapshot=True, rows={"user": 100}, is_atomic=True)


def doubted(
    receipt: Receipt | None,
    shown: Mapping[str, int],
    before: Mapping[str, int],
    guards: Guards | None = None,
) -> str:
    """Return the code of the doubt; nothing, where the read is believed."""
    doubt = disbelieve(receipt, shown, before, guards or Guards())
    return doubt.code if doubt else ""


def test_a_read_that_shows_all_it_counts_is_believed() -> None:
    assert doubted(WHOLE, {"user": 100}, {"user": 100}) == ""


def test_a_read_without_a_receipt_proves_nothing() -> None:
    assert doubted(None, {"user": 100}, {"user": 100}) == "SourceReadIncomplete"


def test_a_read_that_repeated_rows_may_have_left_out_others() -> None:
    agreeing = replace(WHOLE, total=99)

    assert doubted(agreeing, {"user": 99}, {"user": 100}) == "SourceReadIncomplete"


@pytest.mark.parametrize("total", [99, 101])
def test_a_read_must_show_as_many_as_the_source_counts(total: int) -> None:
    assert doubted(replace(WHOLE, total=total), {"user": 100}, {}) == "SourceReadIncomplete"


def test_the_total_is_over_all_kinds() -> None:
    receipt = Receipt(is_snapshot=True, rows={"user": 100, "group": 5}, total=105)

    assert doubted(receipt, {"user": 100, "group": 5}, {}) == ""


def test_a_source_that_does_not_count_is_believed_by_its_end() -> None:
    assert doubted(replace(WHOLE, total=None), {"user": 100}, {"user": 100}) == ""


def test_a_kind_that_is_empty_and_was_not_needs_an_administrator() -> None:
    receipt = Receipt(is_snapshot=True, rows={"user": 100})

    doubt = disbelieve(receipt, {"user": 100}, {"user": 100, "group": 7}, Guards())

    assert doubt is not None
    assert doubt.code == "SourceEmpty"
    assert doubt.may_be_approved
    assert "group" in doubt.message


def test_a_kind_that_always_was_empty_is_no_doubt() -> None:
    assert doubted(Receipt(is_snapshot=True, rows={}), {}, {"user": 0}) == ""


@pytest.mark.parametrize(
    ("before", "now", "is_doubted"),
    [
        (100, 95, False),  # five of a hundred
        (100, 94, True),
        (20, 17, False),  # three rows
        (20, 16, True),
        (1000, 950, False),
        (1000, 949, True),
        (100, 120, False),
    ],
)
def test_a_file_that_shrank_by_much_needs_a_manifest_or_an_administrator(
    before: int, now: int, is_doubted: bool
) -> None:
    receipt = replace(FILE, rows={"user": now})

    code = "SourceShrank" if is_doubted else ""
    assert doubted(receipt, {"user": now}, {"user": before}) == code


def test_a_manifest_vouches_for_a_file_that_shrank() -> None:
    receipt = replace(FILE, rows={"user": 10}, has_manifest=True)

    assert doubted(receipt, {"user": 10}, {"user": 100}) == ""


def test_a_source_that_can_be_asked_by_id_may_shrink() -> None:
    receipt = replace(FILE, rows={"user": 10}, is_atomic=False)

    assert doubted(receipt, {"user": 10}, {"user": 100}) == ""


def test_how_much_a_file_may_shrink_is_set() -> None:
    receipt = replace(FILE, rows={"user": 90})

    guards = Guards(shrinks_percent=10, shrinks_rows=3)
    assert doubted(receipt, {"user": 90}, {"user": 100}, guards) == ""
    assert doubted(receipt, {"user": 90}, {"user": 100}) == "SourceShrank"


def test_what_may_be_approved_is_that_a_read_is_small_not_that_it_is_broken() -> None:
    broken = disbelieve(replace(WHOLE, total=101), {"user": 100}, {}, Guards())
    small = disbelieve(replace(FILE, rows={"user": 9}), {"user": 9}, {"user": 100}, Guards())

    assert broken is not None
    assert small is not None
    assert (broken.may_be_approved, small.may_be_approved) == (False, True)


@pytest.mark.parametrize("shown", [{}, {"user": 3}, {"user": 99}])
def test_a_kind_whose_rows_were_faulty_is_void_and_not_doubted(shown: Mapping[str, int]) -> None:
    receipt = Receipt(is_snapshot=True, rows={"user": 100}, void={"user": "line 7"}, is_atomic=True)

    assert doubted(receipt, shown, {"user": 100}) == ""


def test_a_kind_that_no_mapping_takes_is_no_reason_to_disbelieve() -> None:
    receipt = Receipt(is_snapshot=True, rows={"User": 2, "Group": 1}, total=3)

    assert disbelieve(receipt, {"User": 2}, {"User": 2}, Guards()) is None


@pytest.mark.parametrize(
    ("before", "missing", "come", "is_doubted"),
    [
        (100, 100, 100, True),
        (100, 51, 26, True),
        (100, 51, 25, False),  # fewer came than half of those who are missing
        (100, 50, 100, False),  # no more than half are missing
        (20, 20, 20, True),
        (19, 19, 19, False),  # a few people may well be others
        (0, 0, 100, False),
        (60, 0, 40, False),  # a first read broke off, and the next is whole
    ],
)
def test_others_in_the_place_of_most_are_not_believed(
    before: int, missing: int, come: int, is_doubted: bool
) -> None:
    doubt = distrust([Turnover("Group", 9, 0, 1), Turnover("User", before, missing, come)])

    assert (doubt is not None) == is_doubted
    if doubt is not None:
        assert (doubt.code, doubt.may_be_approved) == ("SourceReplaced", True)
        assert f"{missing} of {before} User objects were not read, and {come}" in doubt.message
