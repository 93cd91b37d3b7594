"""A target that answers as if what is planned were done, kind by kind."""

from __future__ import annotations

import asyncio
from typing import cast

from provisor.connectors.memory import MemoryTarget
from provisor.engine.plans import Planning
from provisor.model.decisions import AttributeChange, Delete, Update
from provisor.model.entries import Anchor, Entry, MatchQuery
from provisor.ports import TargetReader

ONE = Anchor("1")


class Tables(MemoryTarget):
    """A target whose kinds count by themselves: a user and a group are both 1."""

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        return Entry(kind, anchor, {"displayName": f"{kind} {anchor}"}) if anchor == ONE else None

    async def find(self, query: MatchQuery) -> list[Entry]:
        entry = await self.fetch(query.kind, ONE)
        assert entry is not None
        return [entry] if entry.attributes["displayName"] == query.value else []


def test_what_is_planned_for_one_kind_says_nothing_of_the_same_anchor_in_another() -> None:
    async def plan() -> None:
        target = Planning(cast(TargetReader, Tables()))
        renamed = AttributeChange("displayName", "Group 1", "Crew")
        await target.export(Update("Group", ONE, (renamed,)))
        await target.export(Delete("Device", ONE))

        group, user = await target.fetch("Group", ONE), await target.fetch("User", ONE)
        assert group is not None
        assert user is not None
        assert (group.attributes["displayName"], user.attributes["displayName"]) == (
            "Crew",
            "User 1",
        )
        assert await target.fetch("Device", ONE) is None
        assert await target.find(MatchQuery("Group", "displayName", "crew")) == [group]
        assert await target.find(MatchQuery("User", "displayName", "crew")) == []
        assert await target.find(MatchQuery("User", "displayName", "User 1")) == [user]

    asyncio.run(plan())
