"""An organisation of invented people: the same for the same seed, as HR would export it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from provisor.demo.names import ODD, POOLS

PEOPLE_COLUMNS: Final = (
    "id",
    "userName",
    "givenName",
    "familyName",
    "displayName",
    "mail",
    "department",
    "jobTitle",
    "manager",
    "accountEnabled",
)
GROUP_COLUMNS: Final = ("id", "displayName")
MEMBER_COLUMNS: Final = ("group", "member")

DEPARTMENTS: Final = (
    "Engineering",
    "Sales",
    "Finance",
    "Legal",
    "Human Resources",
    "Operations",
    "Marketing",
    "Support",
    "Research & Development",
    "IT, Security",
    "Facilities",
    "Supply Chain",
)
TITLES: Final = (
    "Analyst",
    "Engineer",
    "Senior Engineer",
    "Manager",
    "Director",
    "Specialist",
    "Coordinator",
    "Consultant",
    "Technician",
    "Administrator",
    "Architect",
    "Chargé d’affaires",
)
SITES: Final = (
    "Denver",
    "Leeds",
    "Köln",
    "Besançon",
    "Łódź",
    "京都",
    "São Paulo",
    "Θεσσαλονίκη",
    "Львів",
    "İzmir",
    "חיפה",
    "पुणे",
)
MEMBERS_MAX: Final = 5000
LARGEST_GROUP_SHARE: Final = 0.3
# What NFKD leaves as it is although a login needs plain letters.
PLAIN: Final = str.maketrans(
    {"ł": "l", "ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "þ": "th", "ð": "d", "ı": "i", "œ": "oe"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A row of the people file. An empty text is an empty cell; `manager` is a person's id."""

    id: str
    user_name: str
    given_name: str
    family_name: str
    display_name: str
    mail: str
    department: str
    job_title: str
    manager: str
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A row of the groups file, and the ids of its members."""

    id: str
    display_name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Organisation:
    """All people and groups at one time, by id, in the order of the files."""

    people: Mapping[str, Person]
    groups: Mapping[str, Group]


@dataclass(frozen=True, slots=True)
class Day:
    """An organisation one day later, and what happened: ids of people, each in one tuple only."""

    organisation: Organisation
    changed: tuple[str, ...]
    disabled: tuple[str, ...]
    left: tuple[str, ...]
    joined: tuple[str, ...]


def organisation(chance: Random, people: int, groups: int) -> Organisation:
    """Invent an organisation: one tree of managers, and groups of very different sizes.

    The odd names come first. One person in a hundred has no mail, one in fifty is disabled. Sizes
    of groups fall like a power law from a third of the people; in a longer list two are empty.
    """
    employed: dict[str, Person] = {}
    logins: set[str] = set()
    ids: list[str] = []
    for number in range(people):
        manager = ids[(number - 1) // chance.randint(5, 12)] if number else ""
        person = _hire(chance, number, manager, logins)
        employed[person.id] = person
        ids.append(person.id)
    return Organisation(employed, dict(_form_groups(chance, groups, ids)))


def next_day(
    before: Organisation,
    chance: Random,
    *,
    changed: int = 0,
    disabled: int = 0,
    left: int = 0,
    joined: int = 0,
) -> Day:
    """Let so many people change in one attribute, be disabled, leave the files, and join.

    Who reported to somebody who left reports to the next manager above; groups lose who left. These
    are consequences, and not counted in `changed`. The head of the organisation stays.
    """
    head, *others = before.people
    enabled = [id for id in others if before.people[id].is_enabled]
    chosen = chance.sample(enabled, changed + disabled + left)
    edited, stopped, gone = (
        chosen[:changed],
        chosen[changed : changed + disabled],
        chosen[changed + disabled :],
    )
    people = dict(before.people)
    for id in edited:
        people[id] = _change(chance, people[id])
    for id in stopped:
        people[id] = replace(people[id], is_enabled=False)
    departed = set(gone)
    for id, person in before.people.items():
        if id in departed:
            del people[id]
        elif person.manager in departed:
            people[id] = replace(people[id], manager=_above(before, person, departed))
    first = max(int(id[1:]) for id in before.people) + 1
    logins = {person.user_name.partition("@")[0] for person in before.people.values()}
    arrived = [_hire(chance, first + number, head, logins) for number in range(joined)]
    people.update((person.id, person) for person in arrived)
    groups = {
        id: replace(group, members=tuple(m for m in group.members if m not in departed))
        for id, group in before.groups.items()
    }
    return Day(
        Organisation(people, groups),
        tuple(edited),
        tuple(stopped),
        tuple(gone),
        tuple(person.id for person in arrived),
    )


def files(organisation: Organisation) -> dict[str, str]:
    """Return the text of each file of an HR export, by its name."""
    return {
        "people.csv": _table(PEOPLE_COLUMNS, map(_row, organisation.people.values())),
        "groups.csv": _table(
            GROUP_COLUMNS,
            ((group.id, group.display_name) for group in organisation.groups.values()),
        ),
        "members.csv": _table(
            MEMBER_COLUMNS,
            (
                (group.id, member)
                for group in organisation.groups.values()
                for member in group.members
            ),
        ),
    }


def _hire(chance: Random, number: int, manager: str, logins: set[str]) -> Person:
    given, family, login = _name(chance, number)
    taken = login
    if taken in logins:
        taken = f"{login}{number}"
    logins.add(taken)
    return Person(
        id=f"e{number:06d}",
        user_name=f"{taken}@example.com",
        given_name=given,
        family_name=family,
        display_name=f"{family}, {given}" if family else given,
        mail="" if chance.random() < 0.01 else f"{taken}@example.com",
        department=chance.choice(DEPARTMENTS),
        job_title=chance.choice(TITLES),
        manager=manager,
        is_enabled=number == 0 or chance.random() >= 0.02,
    )


def _name(chance: Random, number: int) -> tuple[str, str, str]:
    """Return given name, family name and what would be the login if nobody else had it."""
    if number < len(ODD):
        given, family = ODD[number]
        return given, family, _login(given, family) or f"u{number}"
    given_names, family_names = _POOLS[0] if chance.random() < 0.3 else chance.choice(_POOLS)
    given, _, plain_given = chance.choice(given_names).partition("/")
    family, _, plain_family = chance.choice(family_names).partition("/")
    return given, family, _login(plain_given or given, plain_family or family)


def _login(given: str, family: str) -> str:
    return ".".join(filter(None, (_plain(given), _plain(family)[:20])))


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.lower().translate(PLAIN))
    return re.sub("[^a-z0-9]", "", decomposed)


def _form_groups(chance: Random, count: int, people: Sequence[str]) -> Iterator[tuple[str, Group]]:
    names: set[str] = set()
    for number in range(count):
        size = int(min(len(people) * LARGEST_GROUP_SHARE, MEMBERS_MAX) / (number + 1) ** 0.75)
        is_empty = number in (7, 8)
        members = [] if is_empty else chance.sample(people, min(max(size, 1), len(people)))
        name = f"{chance.choice(DEPARTMENTS)} – {chance.choice(SITES)}"
        if name in names:
            name = f"{name} {number}"
        names.add(name)
        id = f"g{number:05d}"
        yield id, Group(id, name, tuple(sorted(members)))


def _change(chance: Random, person: Person) -> Person:
    """Return the person with one attribute that is certainly another."""
    match chance.randrange(3):
        case 0:
            others = [title for title in TITLES if title != person.job_title]
            return replace(person, job_title=chance.choice(others))
        case 1:
            others = [name for name in DEPARTMENTS if name != person.department]
            return replace(person, department=chance.choice(others))
        case _:
            return replace(person, display_name=f"{person.display_name} ({person.id})")


def _above(before: Organisation, person: Person, departed: set[str]) -> str:
    manager = person.manager
    while manager in departed:
        manager = before.people[manager].manager
    return manager


def _row(person: Person) -> tuple[str, ...]:
    return (
        person.id,
        person.user_name,
        person.given_name,
        person.family_name,
        person.display_name,
        person.mail,
        person.department,
        person.job_title,
        person.manager,
        "true" if person.is_enabled else "false",
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


_POOLS: Final = tuple((given.split(), family.split()) for given, family in POOLS)
