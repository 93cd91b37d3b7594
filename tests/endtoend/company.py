"""An organisation in HR files, large enough to matter, and what may happen to it in a day."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

from provisor.demo.organisation import Group, Organisation, Person, files, next_day, organisation

PEOPLE = int(os.environ.get("PROVISOR_E2E_PEOPLE", "300"))
GROUPS = max(20, PEOPLE // 40)
EVERYBODY = "everybody"
ONE_PERCENT = max(PEOPLE // 100, 3)
SEED = 17


class Company:
    """Who works there now. Every change is written to the files, each in one step."""

    def __init__(
        self, folder: Path, people: int = PEOPLE, groups: int = GROUPS, seed: int = SEED
    ) -> None:
        self.folder, self.chance = folder, Random(seed)
        founded = organisation(self.chance, people, groups)
        everybody = Group(EVERYBODY, "Alle Mitarbeiter – 全員", tuple(founded.people))
        self.now = Organisation(founded.people, {**founded.groups, EVERYBODY: everybody})
        self.write()

    # reading

    @property
    def people(self) -> Mapping[str, Person]:
        return self.now.people

    @property
    def groups(self) -> Mapping[str, Group]:
        return self.now.groups

    def some(self, number: int, of: Callable[[Person], bool] = lambda _: True) -> list[str]:
        """Choose people who are enabled and manage nobody."""
        managers = {person.manager for person in self.people.values()}
        enabled = [p for p in self.people.values() if p.is_enabled and p.id not in managers]
        return self.chance.sample([p.id for p in enabled if of(p)], number)

    def text(self, file: str) -> bytes:
        """Return what a file is to say."""
        return files(self.now)[file].encode()

    # changing

    def edit(self, *ids: str, **values: object) -> None:
        """Change attributes of people; `{id}` in a text is theirs."""
        people = dict(self.people)
        for id in ids:
            texts = {
                name: value.format(id=id) if isinstance(value, str) else value
                for name, value in values.items()
            }
            people[id] = replace(people[id], **texts)
        self._become(Organisation(people, self.groups))

    def dismiss(self, *ids: str) -> None:
        """Let people leave the files, and every group."""
        people = {id: person for id, person in self.people.items() if id not in ids}
        groups = {
            id: replace(group, members=tuple(m for m in group.members if m not in ids))
            for id, group in self.groups.items()
        }
        self._become(Organisation(people, groups))

    def hire(self, number: int) -> list[str]:
        """Let people join; they report to the head, and belong to everybody."""
        day = next_day(self.now, self.chance, joined=number)
        everybody = self.groups[EVERYBODY]
        members = (*everybody.members, *day.joined)
        groups = {**day.organisation.groups, EVERYBODY: replace(everybody, members=members)}
        self._become(Organisation(day.organisation.people, groups))
        return list(day.joined)

    def rename(self, group: str, name: str) -> None:
        renamed = replace(self.groups[group], display_name=name)
        self._become(Organisation(self.people, {**self.groups, group: renamed}))

    def move(self, member: str, out_of: str, into: str) -> None:
        """Move somebody from one group to another."""
        old, new = self.groups[out_of], self.groups[into]
        left = replace(old, members=tuple(m for m in old.members if m != member))
        joined = replace(new, members=(*new.members, member))
        self._become(Organisation(self.people, {**self.groups, out_of: left, into: joined}))

    def _become(self, now: Organisation) -> None:
        self.now = now
        self.write()

    # writing

    def write(self) -> None:
        """Write all files as they are to be."""
        for name, text in files(self.now).items():
            self.put(name, text.encode())

    def put(self, name: str, content: bytes) -> None:
        """Write one file at once: nobody reads half of it."""
        unfinished = self.folder / f".{name}.unfinished"
        unfinished.write_bytes(content)
        unfinished.replace(self.folder / name)
