"""An invented organisation is the same for the same seed, and as awkward as a real one."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from random import Random

from provisor.demo.organisation import PEOPLE_COLUMNS, files, next_day, organisation
from tests.worlds.orgdata import write


def test_the_same_seed_gives_the_same_organisation() -> None:
    assert organisation(Random(7), 300, 20) == organisation(Random(7), 300, 20)
    assert organisation(Random(7), 300, 20) != organisation(Random(8), 300, 20)


def test_logins_and_group_names_are_unique() -> None:
    invented = organisation(Random(7), 5000, 200)

    assert len({person.user_name for person in invented.people.values()}) == 5000
    assert len({group.display_name for group in invented.groups.values()}) == 200
    assert all(person.user_name.isascii() for person in invented.people.values())


def test_managers_form_one_tree() -> None:
    people = organisation(Random(7), 2000, 0).people
    ids = list(people)

    assert people[ids[0]].manager == ""
    assert all(ids.index(people[id].manager) < place for place, id in enumerate(ids) if place)


def test_groups_are_large_small_and_empty() -> None:
    invented = organisation(Random(7), 2000, 50)
    sizes = [len(group.members) for group in invented.groups.values()]

    assert sum(size >= 200 for size in sizes) >= 3
    assert sizes.count(0) == 2
    assert min(size for size in sizes if size) < 50
    assert all(set(group.members) <= set(invented.people) for group in invented.groups.values())


def test_one_person_and_no_group_will_do() -> None:
    assert len(organisation(Random(7), 1, 0).people) == 1


def test_the_files_say_what_the_organisation_is(tmp_path: Path) -> None:
    invented = organisation(Random(7), 400, 10)
    write(invented, tmp_path)

    assert {file.name: file.read_bytes().decode() for file in tmp_path.iterdir()} == files(invented)
    rows = list(csv.DictReader(io.StringIO(files(invented)["people.csv"], newline="")))
    assert tuple(rows[0]) == PEOPLE_COLUMNS
    assert [row["familyName"] for row in rows] == [p.family_name for p in invented.people.values()]
    assert {row["accountEnabled"] for row in rows} == {"true", "false"}


def test_the_next_day_differs_in_what_it_says_and_nothing_else() -> None:
    before = organisation(Random(7), 500, 20)
    day = next_day(before, Random(1), changed=5, disabled=3, left=4, joined=2)
    after = day.organisation

    assert set(before.people) - set(after.people) == set(day.left)
    assert set(after.people) - set(before.people) == set(day.joined)
    assert all(not after.people[id].is_enabled for id in day.disabled)
    different = {
        id for id in after.people if id in before.people and after.people[id] != before.people[id]
    }
    orphans = {id for id, person in before.people.items() if person.manager in day.left}
    assert different == (set(day.changed) | set(day.disabled) | orphans) - set(day.left)
    assert all(not set(group.members) & set(day.left) for group in after.groups.values())
    assert all(p.manager in after.people for p in after.people.values() if p.manager)
