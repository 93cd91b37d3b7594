"""A realistic organisation, whoever holds it, and what happens to it in a day.

People are known by ids that nothing but these tests knows; who is let go and hired again under the
same name has another one. `away` are those who sit in another part of the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from provisor.demo.organisation import Group, Person, organisation

EVERYBODY = "everybody"
SEED = 23


@dataclass(frozen=True, slots=True)
class Staff:
    """All people and groups at one time, by id."""

    people: Mapping[str, Person]
    groups: Mapping[str, Group]
    away: frozenset[str] = frozenset()


def staff(people: int, groups: int, largest: int) -> Staff:
    """Found an organisation in which one group has so many members, and two have none."""
    chance = Random(SEED)
    founded = organisation(chance, people, groups - 1)
    # Directories want a family name, and give no text that is only blanks.
    named = {
        id: replace(person, family_name=person.family_name or person.given_name)
        for id, person in founded.people.items()
    }
    members = tuple(sorted(chance.sample([*named], min(largest, people))))
    everybody = Group(EVERYBODY, "Alle – 全員, everybody", members)
    return Staff(named, {**founded.groups, EVERYBODY: everybody})


@dataclass(slots=True)
class _Day:
    """A day as it goes on."""

    people: dict[str, Person]
    groups: dict[str, Group]
    away: set[str]
    chosen: Iterator[str]
    few: int
    number: str

    def take(self) -> Sequence[str]:
        return [*islice(self.chosen, self.few)]

    def each(self, change: Callable[[Person], Person]) -> Sequence[str]:
        taken = self.take()
        for id in taken:
            self.people[id] = change(self.people[id])
        return taken

    def leave(self, ids: Sequence[str]) -> None:
        gone = set(ids)
        for id in ids:
            del self.people[id]
        self.away -= gone
        for id, group in self.groups.items():
            if gone & set(group.members):
                kept = tuple(m for m in group.members if m not in gone)
                self.groups[id] = replace(group, members=kept)

    def join(self, group: str, *, leave: Sequence[str] = (), come: Sequence[str] = ()) -> None:
        out = {*leave, *come}
        kept = [m for m in self.groups[group].members if m not in out]
        self.groups[group] = replace(self.groups[group], members=(*kept, *come))


def a_day(before: Staff, chance: Random) -> Staff:
    """Let happen whatever happens: in each way to one in two hundred.

    Nobody who manages others leaves; the head stays as he is.
    """
    managers = {person.manager for person in before.people.values()}
    simple = [p.id for p in before.people.values() if p.is_enabled and p.id not in managers]
    few = max(len(before.people) // 200, 2)
    day = _Day(
        people=dict(before.people),
        groups=dict(before.groups),
        away=set(before.away),
        chosen=iter(chance.sample(simple, 9 * few)),
        few=few,
        number=f"d{chance.randrange(10**9)}",
    )
    head = next(iter(before.people))
    day.each(lambda p: replace(p, user_name=f"{day.number}.{p.user_name}", family_name="Łoś-新"))
    day.each(lambda p: replace(p, display_name=f"{p.display_name} ({day.number})", job_title="新"))
    day.each(lambda p: replace(p, manager=head))
    day.each(lambda p: replace(p, is_enabled=False))
    moved = day.take()
    day.away |= set(moved)
    returned = [id for id in sorted(before.away) if id in day.people][: few // 2]
    day.away -= set(returned)
    leavers, again = day.take(), day.take()
    day.leave([*leavers, *again])
    for id in again:  # another person, who is called the same
        new = replace(before.people[id], id=f"{id}{day.number}", department="Again")
        day.people[new.id] = new
    hired = _hire(day, before.people[head], chance)
    _regroup(day, hired, chance)
    return Staff(day.people, day.groups, frozenset(day.away))


def _hire(day: _Day, head: Person, chance: Random) -> Sequence[str]:
    names = ("Zoë Ångström", "田中 太郎", "O'Brien Ní", "Анна Каренина")
    for number in range(day.few):
        given, _, family = chance.choice(names).partition(" ")
        login = f"{day.number}.{number}@example.com"
        id = f"n{day.number}{number}"
        day.people[id] = replace(
            head,
            id=id,
            user_name=login,
            mail=login,
            given_name=given,
            family_name=family,
            display_name=f"{family}, {given} {id}",
            manager=head.id,
        )
    return [f"n{day.number}{number}" for number in range(day.few)]


def _regroup(day: _Day, hired: Sequence[str], chance: Random) -> None:
    """Change the largest group by a few, rename one, end one, found one, and let one grow."""
    largest = day.groups[EVERYBODY].members
    stay = [m for m in largest if m in day.people]
    day.join(EVERYBODY, leave=chance.sample(stay, min(day.few, len(stay))), come=hired)
    renamed, ended, grown = chance.sample([id for id in day.groups if id != EVERYBODY], 3)
    name = f"{day.groups[renamed].display_name}, {day.number}"
    day.groups[renamed] = replace(day.groups[renamed], display_name=name)
    del day.groups[ended]
    day.join(grown, come=chance.sample([*day.people], 2 * day.few))
    members = tuple(chance.sample([*day.people], 3 * day.few))
    id = f"g{day.number}"
    day.groups[id] = Group(id, f"Neu: {day.number} – + # 'x'", members)
