"""Apply merges last applied, the file and what is in force: nobody's change is lost in silence."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from provisor.settings.leaves import Configuration, Item, flatten, nest
from provisor.settings.merge import ABSENT, merge, merge_leaves

# Each side says a value, or nothing.
TABLE = [
    # applied, file, live, comes of it, how
    (None, None, None, None, "same"),
    (None, None, "l", "l", "kept"),
    (None, "f", None, "f", "change"),
    (None, "f", "f", "f", "same"),
    (None, "f", "l", "l", "conflict"),
    ("a", "a", "a", "a", "same"),
    ("a", "a", "l", "l", "kept"),
    ("a", "a", None, None, "kept"),
    ("a", "f", "a", "f", "change"),
    ("a", "f", "f", "f", "same"),
    ("a", "f", "l", "l", "conflict"),
    ("a", "f", None, None, "conflict"),
    ("a", None, "a", None, "change"),
    ("a", None, None, None, "same"),
    ("a", None, "l", "l", "conflict"),
]


def leaves(value: str | None) -> dict[str, object]:
    return {} if value is None else {"leaf": value}


@pytest.mark.parametrize(("applied", "file", "live", "result", "how"), TABLE)
def test_one_leaf(
    applied: str | None, file: str | None, live: str | None, result: str | None, how: str
) -> None:
    merged = merge_leaves("x", leaves(applied), leaves(file), leaves(live), overwrites=False)

    assert merged.leaves == leaves(result)
    assert bool(merged.changes) == (how == "change")
    assert bool(merged.conflicts) == (how == "conflict")
    assert bool(merged.kept) == (how == "kept")


@pytest.mark.parametrize(
    ("applied", "file", "live"), [row[:3] for row in TABLE if row[4] == "conflict"]
)
def test_overwrite_takes_the_files_value(
    applied: str | None, file: str | None, live: str | None
) -> None:
    merged = merge_leaves("x", leaves(applied), leaves(file), leaves(live), overwrites=True)

    assert merged.leaves == leaves(file)
    assert not merged.conflicts


def test_a_conflict_shows_all_three_sides() -> None:
    merged = merge_leaves("jobs.people", leaves("a"), {}, leaves("l"), overwrites=False)

    (conflict,) = merged.conflicts
    assert conflict.path == "jobs.people.leaf"
    assert (conflict.applied, conflict.file, conflict.live) == ("a", ABSENT, "l")


def configuration(**jobs: Mapping[str, object] | Item) -> Configuration:
    items = {n: one if isinstance(one, Item) else Item(one) for n, one in jobs.items()}
    return Configuration(jobs=items)


def test_a_job_that_is_not_in_the_file_stays_and_is_told() -> None:
    both = configuration(people={"a": 1}, staff={"a": 1})

    plan = merge(both, configuration(people={"a": 1}), both, overwrites=False)

    assert plan.removed["jobs"] == ("staff",)
    assert not plan.does_something


def test_a_job_that_was_never_in_the_file_is_somebody_elses() -> None:
    live = configuration(people={"a": 1}, elsewhere={"a": 1})
    applied = configuration(people={"a": 1})

    plan = merge(applied, applied, live, overwrites=False)

    assert plan.strange["jobs"] == ("elsewhere",)
    assert plan.removed["jobs"] == ()


def test_a_renamed_job_keeps_what_was_changed_elsewhere() -> None:
    applied = configuration(people={"a": 1, "b": 1})
    live = configuration(people={"a": 1, "b": 2})
    file = configuration(staff=Item({"a": 3, "b": 1}, renamed_from="people"))

    plan = merge(applied, file, live, overwrites=False)

    (step,) = plan.jobs
    assert step.renamed_from == "people"
    assert step.merged.leaves == {"a": 3, "b": 2}
    assert plan.removed["jobs"] == ()


def test_renaming_is_over_once_it_is_done() -> None:
    file = configuration(staff=Item({"a": 1}, renamed_from="people"))

    plan = merge(file, file, configuration(staff={"a": 1}), overwrites=False)

    assert not plan.does_something


def test_with_a_lost_store_the_file_alone_counts() -> None:
    applied, file = configuration(people={"a": 1}), configuration(people={"a": 2})

    plan = merge(applied, file, Configuration(), overwrites=False)

    (step,) = plan.jobs
    assert step.is_new
    assert step.merged.leaves == {"a": 2}


def test_leaves_are_the_same_tree_flat() -> None:
    tree: dict[str, object] = {"a": {"b.c": 1, "d": [1, 2]}, "e": "x"}

    assert flatten(tree) == {"a.b\\.c": 1, "a.d": [1, 2], "e": "x"}
    assert nest(flatten(tree)) == tree
