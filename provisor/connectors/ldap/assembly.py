"""Entries whole: names in them have become references.

An entry that points at somebody whom the read has not shown yet waits: most of them are shown
sooner or later, and only for the rest, or when too many wait, the directory is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from provisor.connectors.ldap.directory import Directory, Tally
from provisor.connectors.ldap.resolver import Resolver
from provisor.connectors.ldap.settings import MEMBER_OF, Kind
from provisor.connectors.ldap.shape import MANAGER, MEMBERS, Raw
from provisor.connectors.ldapwire import names
from provisor.connectors.ldapwire.messages import Found
from provisor.connectors.ldapwire.objects import NoObject
from provisor.model.entries import Change, Entry, Reference, Seen

WAITING_MAX: Final = 20_000
VALUES_WAITING_MAX: Final = 2_000_000
UNSETTLED_MAX: Final = 2_000
SETTLED_AFTER_S: Final = 900.0
"""A name that means nobody for so long is nobody's: servers rename who is pointed at sooner."""


@dataclass(slots=True)
class Assembly:
    """Makes the entries of one read."""

    directory: Directory
    tally: Tally
    members_of: dict[str, list[Reference]] = field(default_factory=dict[str, list[Reference]])
    """Who says to be in a group, by the normal form of its name."""
    unsettled: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By kind: who points at names that mean nobody."""
    _waiting: list[tuple[Kind, Raw]] = field(default_factory=list["tuple[Kind, Raw]"])
    _waiting_values: int = 0
    _uid_name: str = field(init=False)

    def __post_init__(self) -> None:
        users = self.directory.settings.users
        self._uid_name = self.directory.shape(users).canonical("uid") or ""

    @property
    def resolver(self) -> Resolver:
        return self.directory.resolver

    def learn(self, kind: Kind, raws: Iterable[Raw]) -> None:
        """Remember whom the names of entries mean."""
        uid_name = "" if self._is_group(kind) else self._uid_name
        learn, name = self.resolver.learn, kind.name
        for raw in raws:
            reference = Reference(name, raw.anchor)
            uid = raw.attributes.get(uid_name)
            learn(raw.dn, reference, uid if isinstance(uid, str) else "")
            for group in raw.member_of:
                self.members_of.setdefault(names.normal(group), []).append(reference)

    def _is_group(self, kind: Kind) -> bool:
        return self.directory.shape(kind).is_group

    def ready(self, kind: Kind, raws: Sequence[Raw]) -> list[Change]:
        """Return the objects that can be told now; the others wait. `learn` them before."""
        done: list[Change] = []
        is_group = self._is_group(kind)
        for raw in raws:
            if self._is_known(kind, raw):
                done.append(Seen(self.entry(kind, raw, is_group=is_group)))
            else:
                self._waiting.append((kind, raw))
                self._waiting_values += 1 + len(raw.members) + len(raw.member_uids)
        return done

    @property
    def is_crowded(self) -> bool:
        return len(self._waiting) > WAITING_MAX or self._waiting_values > VALUES_WAITING_MAX

    async def rest(self) -> list[Change]:
        """Ask for everybody who is still unknown, and return all that waited."""
        waiting, self._waiting, self._waiting_values = self._waiting, [], 0
        await self.resolver.resolve(
            dn for _, raw in waiting for dn in (*raw.members, *([raw.manager] * bool(raw.manager)))
        )
        await self.resolver.resolve_uids(uid for _, raw in waiting for uid in raw.member_uids)
        return [self.seen(kind, raw) for kind, raw in waiting]

    def seen(self, kind: Kind, raw: Raw) -> Seen:
        return Seen(self.entry(kind, raw, is_group=self._is_group(kind)))

    def _is_known(self, kind: Kind, raw: Raw) -> bool:
        if kind.expands_nested:
            return False  # who is in the groups within is asked for when all groups are known
        # Names are spelled in one way, mostly; who is spelled otherwise waits, and is found then.
        has = self.resolver.has_spelled
        if raw.manager and not has(raw.manager):
            return False
        if raw.members and not all(map(has, raw.members)):
            return False
        return not raw.member_uids or all(map(self.resolver.has_uid, raw.member_uids))

    def entry(self, kind: Kind, raw: Raw, *, is_group: bool) -> Entry:
        """Return an object, with references to whoever is known."""
        attributes = raw.attributes
        manager = self.resolver.of(raw.manager) if raw.manager else None
        if manager is not None:
            attributes[MANAGER] = manager
        elif raw.manager:
            self._note_unsettled(kind, raw)
        if is_group:
            held = self._members(kind, raw)
            if held:
                attributes[MEMBERS] = tuple(sorted(held, key=_in_order))
        return Entry(kind.name, raw.anchor, attributes)

    def _note_unsettled(self, kind: Kind, raw: Raw) -> None:
        listed = self.unsettled.setdefault(kind.name, [])
        if len(listed) < UNSETTLED_MAX:
            listed.append(raw.anchor)

    def _members(self, kind: Kind, raw: Raw) -> set[Reference]:
        pointed = [*map(self.resolver.of, raw.members)]
        found = {one for one in pointed if one is not None}
        if None in pointed:
            self._note_unsettled(kind, raw)
        found |= {one for uid in raw.member_uids if (one := self.resolver.of_uid(uid)) is not None}
        if MEMBER_OF in map(str.lower, kind.members):
            found |= set(self.members_of.get(names.normal(raw.dn), ()))
        return found


def _in_order(reference: Reference) -> tuple[str, str]:
    return reference.anchor, reference.kind


@dataclass(slots=True)
class Nested:
    """Groups by their names, to tell who is in the groups within a group."""

    directory: Directory
    kind: Kind
    _known: dict[str, Raw | None] = field(default_factory=dict[str, Raw | None])

    def learn(self, raw: Raw) -> None:
        self._known[names.normal(raw.dn)] = raw

    async def expanded(self, raw: Raw) -> Raw:
        """Return a group with everybody who is in it, or in a group within it, and no group."""
        members: dict[str, None] = {}
        uids: dict[str, None] = {}
        waiting, met = [raw], {names.normal(raw.dn)}
        while waiting:
            group = waiting.pop()
            uids.update(dict.fromkeys(group.member_uids))
            await self._look_up(group.members)
            for dn in group.members:
                normal = names.normal(dn)
                within = self._known.get(normal)
                if within is None:
                    members[dn] = None
                elif normal not in met:
                    met.add(normal)
                    waiting.append(within)
        return Raw(
            raw.dn,
            raw.anchor,
            {**raw.attributes},
            members=[*members],
            member_uids=[*uids],
            member_of=raw.member_of,
        )

    async def _look_up(self, dns: Iterable[str]) -> None:
        """Learn which of these are groups."""
        unknown = [dn for dn in dns if names.normal(dn) not in self._known]
        resolver = self.directory.resolver
        await resolver.resolve(unknown)
        for dn in unknown:
            reference = resolver.of(dn)
            group: Raw | None = None
            if reference is not None and reference.kind == self.kind.name:
                group = await self._fetched(dn)
            self._known[names.normal(dn)] = group

    async def _fetched(self, dn: str) -> Raw | None:
        """Return a group by its name, wherever it lies: what it holds counts all the same."""
        search = self.directory.search(self.kind)
        found = await self.directory.named(dn, search.attributes)
        raw = self.directory.shape(self.kind).read(found) if found else None
        return None if isinstance(raw, NoObject) else raw


async def parents(directory: Directory, kind: Kind, dns: Iterable[str]) -> dict[str, Found]:
    """Return the groups above these, and above those, up to the top, by their names."""
    found: dict[str, Found] = {}
    waiting = [*dns]
    while waiting:
        referring = await directory.referring(waiting, ())
        fresh = [one for one in referring.get(kind.name, ()) if one.dn not in found]
        found.update({one.dn: one for one in fresh})
        waiting = [one.dn for one in fresh]
    return found


def still_unsettled(
    assembly: Assembly, before: Mapping[str, Mapping[str, float]], now: datetime
) -> Mapping[str, Mapping[str, float]]:
    """Return who is to be read once more, and since when; who is so for long stays as he is."""
    found: dict[str, dict[str, float]] = {}
    for kind, anchors in assembly.unsettled.items():
        known, at = before.get(kind, {}), now.timestamp()
        since = {anchor: known.get(anchor, at) for anchor in anchors}
        young = {anchor: first for anchor, first in since.items() if at - first < SETTLED_AFTER_S}
        found |= {kind: young} if young else {}
    return found
