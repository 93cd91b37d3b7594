"""Trying the ways of writing on objects of our own, which are removed again.

Only where the settings say `probeWrites`. What a server makes of a change is seen by reading back:
some answer 200 to a PATCH and do nothing, and some take the removal of one member for that of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from provisor.connectors.around.pace import Line
from provisor.connectors.scim.paths import CORE
from provisor.connectors.scim.quirks import MemberRemoval, PatchStyle
from provisor.connectors.scim.reader import Kinds
from provisor.connectors.scim.resources import REQUIRED
from provisor.connectors.scim.settings import ScimSettings
from provisor.connectors.scim.target import ScimTarget
from provisor.errors import AdapterError, Denied, Rejected
from provisor.model.decisions import AttributeChange, Create, Delete, ReferencesChange, Update
from provisor.model.directories import Finding, Topic, fine, warning, wrong
from provisor.model.entries import Anchor, MatchQuery, Reference
from provisor.model.rules import AttributeDefinition, AttributeType, Mutability
from provisor.ports import Clock, Entropy

USER, GROUP = "User", "Group"
NAME, TITLE, MEMBERS = "userName", "displayName", "members"
CHANGED = (TITLE, "name.familyName", "name.givenName", "title")
"""What a trial changes: the first that is mapped and keeps what is written to it."""
BEFORE = "Provisor probe"
AFTER = "Provisor probe, changed"
BY_HAND = "Remove it by hand in the target."


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial: findings, and the settings that were found to work."""

    settings: ScimSettings
    findings: tuple[Finding, ...]
    learned: Mapping[str, str | int | bool] = field(default_factory=dict[str, "str | int | bool"])


class Trial:
    """One trial on one target."""

    def __init__(
        self,
        settings: ScimSettings,
        kinds: Kinds,
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
    ) -> None:
        self._settings, self._clock, self._entropy, self._pace = settings, clock, entropy, pace
        self._user, self._group = _kind(kinds, USER), _kind(kinds, GROUP)
        self._has_groups = any(_is(kind, GROUP) for kind in kinds)
        self._kinds = _writable(kinds, self._user, self._group)
        self._made: list[tuple[str, Anchor, str]] = []
        self._findings: list[Finding] = []
        self._learned: dict[str, str | int | bool] = {}

    async def run(self) -> Tried:
        """Make, change, and always remove again."""
        try:
            await self._try_users()
        except AdapterError as error:
            self._note(error, "TrialFailed", "Trying to write failed")
        finally:
            await self._remove()
        return Tried(self._settings, tuple(self._findings), self._learned)

    def _note(self, error: AdapterError, code: str, what: str) -> None:
        message = f"{what}: {str(error) or error.code}"
        if error.code == "InsufficientRights" or isinstance(error, Denied):
            remedy = "Allow the account that provisions to write in the target."
            self._findings.append(wrong(Topic.PERMISSIONS, error.code, message, remedy))
        else:
            remedy = "See what the target says about it; what it needs must be mapped."
            self._findings.append(warning(Topic.PERMISSIONS, code, message, remedy))

    def _target(self, settings: ScimSettings) -> ScimTarget:
        settings = replace(settings, reads_back=False)
        return ScimTarget(settings, self._kinds, self._clock, self._entropy, pace=self._pace)

    async def _make(self, target: ScimTarget, kind: str) -> Anchor:
        name = f"provisor-probe-{self._entropy.uuid()}"
        said: dict[str, str | bool] = {TITLE: name}
        if kind == self._user:
            said = {NAME: name, **dict.fromkeys(CHANGED, BEFORE), "active": False}
        known = {one.name for one in self._kinds[kind]}
        said = {key: value for key, value in said.items() if key in known}
        query = MatchQuery(kind, NAME if kind == self._user else TITLE, name)
        exported = await target.export(Create(kind, said, (query,)))
        assert exported.anchor is not None, "a create answers with what it created"
        self._made.append((kind, exported.anchor, name))
        return exported.anchor

    # people

    async def _try_users(self) -> None:
        target = self._target(self._settings)
        try:
            await target.probe()
            user = await self._make(target, self._user)
            self._findings.append(
                fine(Topic.PERMISSIONS, "MayCreate", "An object of our own could be created.")
            )
        finally:
            await target.close()
        await self._choose_style(user)
        if self._has_groups:
            await self._try_members(user)

    async def _choose_style(self, user: Anchor) -> None:
        known = {one.name for one in self._kinds[self._user]}
        lost: list[str] = []
        for attribute in (one for one in CHANGED if one in known):
            if style := await self._style(user, attribute):
                text = f"Changes spelled as {style.value} are carried out."
                self._findings.append(fine(Topic.PERMISSIONS, "MayUpdate", text))
                self._findings.extend(_not_kept(name) for name in lost)
                return
            lost.append(attribute)
        self._findings.append(
            wrong(
                Topic.PERMISSIONS,
                "UpdateWithoutEffect",
                "No way of changing an object had an effect in the target.",
                "Ask who runs it how it wants changes, and whether the account may make them.",
            )
        )

    async def _style(self, user: Anchor, attribute: str) -> PatchStyle | None:
        """Return the first way of writing that changes an attribute, the one that is set before."""
        own = self._settings.patch_style
        for style in (own, *(other for other in PatchStyle if other is not own)):
            settings = replace(self._settings, patch_style=style)
            change = AttributeChange(attribute, BEFORE, f"{AFTER} by {style.value}")
            if await self._changes(settings, user, change):
                self._settings = settings
                if style is not own:
                    self._learned["patchStyle"] = style.value
                return style
        return None

    async def _changes(self, settings: ScimSettings, user: Anchor, change: AttributeChange) -> bool:
        target = self._target(settings)
        try:
            await target.probe()
            await target.export(Update(self._user, user, (change,)))
            entry = await target.fetch(self._user, user)
            return entry is not None and entry.attributes.get(change.name) == change.after
        except Rejected:
            return False
        finally:
            await target.close()

    # groups

    async def _try_members(self, first: Anchor) -> None:
        target = self._target(self._settings)
        try:
            await target.probe()
            second = await self._make(target, self._user)
            group = await self._make(target, self._group)
        finally:
            await target.close()
        for removal in self._removals():
            settings = replace(
                self._settings, quirks=replace(self._settings.quirks, member_removal=removal)
            )
            left = await self._removes_one(settings, group, first, second)
            if left is None:
                return
            if left == {second}:
                if removal is not self._settings.quirks.member_removal:
                    self._learned["memberRemoval"] = removal.value
                self._settings = settings
                self._findings.append(
                    fine(Topic.PERMISSIONS, "MayChangeMembers", "Members are added and removed.")
                )
                return
        self._findings.append(
            wrong(
                Topic.PERMISSIONS,
                "MembersNotRemoved",
                "Removing one member did not leave exactly the others in the group.",
                "Take members out of the mapping until the target can do that.",
            )
        )

    def _removals(self) -> Iterator[MemberRemoval]:
        own = self._settings.quirks.member_removal
        yield own
        yield from (one for one in (MemberRemoval.FILTER, MemberRemoval.ARRAY) if one is not own)

    async def _removes_one(
        self, settings: ScimSettings, group: Anchor, first: Anchor, second: Anchor
    ) -> set[Anchor] | None:
        """Put two in, take one out; return who is left, None where nobody can tell."""
        target = self._target(settings)
        one, two = Reference(self._user, first), Reference(self._user, second)
        try:
            await target.probe()
            await self._refer(target, group, added=frozenset((one, two)))
            if await target.members(self._group, group) != {first, second}:
                self._findings.append(
                    warning(
                        Topic.PERMISSIONS,
                        "MembersNotShown",
                        "Members that were added to a group do not show in it.",
                        "Look at a group in the target after the first cycle.",
                    )
                )
                return None
            await self._refer(target, group, removed=frozenset((one,)))
            return await target.members(self._group, group)
        except Rejected:
            return set[Anchor]()
        finally:
            await target.close()

    async def _refer(
        self,
        target: ScimTarget,
        group: Anchor,
        added: frozenset[Reference] = frozenset(),
        removed: frozenset[Reference] = frozenset(),
    ) -> None:
        change = ReferencesChange(MEMBERS, added, removed)
        await target.export(Update(self._group, group, (change,)))

    # afterwards

    async def _remove(self) -> None:
        target = self._target(self._settings)
        removed = 0
        try:
            for kind, anchor, name in reversed(self._made):
                try:
                    await target.export(Delete(kind, anchor))
                    removed += 1
                except AdapterError as error:
                    message = f"{kind} {name} could not be removed again: {error}"
                    self._findings.append(
                        warning(Topic.PERMISSIONS, "ProbeObjectLeft", message, BY_HAND)
                    )
        finally:
            await target.close()
        if removed:
            text = f"{removed} objects of our own were removed again."
            self._findings.append(fine(Topic.PERMISSIONS, "MayDelete", text))


def _not_kept(attribute: str) -> Finding:
    return warning(
        Topic.OBJECTS,
        "AttributeNotKept",
        f"What is written to {attribute} has no effect in the target.",
        "Take it out of the mapping, or name it in `dropPaths`.",
    )


def _is(kind: str, name: str) -> bool:
    return kind == name or kind == CORE + name


def _kind(kinds: Kinds, name: str) -> str:
    return next((kind for kind in kinds if _is(kind, name)), name)


def _writable(kinds: Kinds, user: str, group: str) -> Kinds:
    """Return what is written to: what is needed, and of the rest only what is mapped."""
    mapped = {one.name for one in kinds.get(user, ())}
    text = AttributeDefinition
    active = text(name="active", type=AttributeType.BOOLEAN, mutability=Mutability.READ_WRITE)
    users = (
        text(name=REQUIRED["User"]),
        *(text(name=one) for one in CHANGED if one in mapped or (one == TITLE and not mapped)),
        *((active,) if "active" in mapped or not mapped else ()),
    )
    groups = (
        text(name=REQUIRED["Group"]),
        text(
            name=MEMBERS,
            type=AttributeType.REFERENCE,
            is_multivalued=True,
            refers_to=(user,),
        ),
    )
    return {user: users, group: groups}
