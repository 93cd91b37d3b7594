"""An object on the command line is `[kind:]anchor`, a target id, or a value it is matched by."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from provisor.cli.exits import WrongUse
from provisor.cli.objects import find_object
from provisor.connectors.memory import MemorySource
from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor, Entry, EntryKey, Seen
from provisor.model.expressions import Attribute
from provisor.model.rules import AttributeDefinition, AttributeMapping, MappingName, ObjectMapping
from provisor.ports import Observation
from provisor.store.memory import MemoryStore
from tests.unit.runtime.jobs import BEGAN, put_job


def mapping(kind: str, matching: str) -> ObjectMapping:
    return ObjectMapping(
        name=MappingName(f"{kind} to {kind}"),
        source_kind=kind,
        target_kind=kind,
        attributes=(
            AttributeMapping(
                target=AttributeDefinition(name="key"),
                source=Attribute(matching),
                matching_priority=1,
            ),
        ),
    )


RULES = {m.name: m for m in (mapping("User", "userPrincipalName"), mapping("Group", "displayName"))}
ADA = Entry(
    "User", Anchor("1"), {"userPrincipalName": "ada@example.com", "displayName": "Lovelace, Ada"}
)
BOB = Entry("User", Anchor("2"), {"userPrincipalName": "bob@example.com", "displayName": "Bob"})
STAFF = Entry("Group", Anchor("1"), {"displayName": "Staff"})


async def find(text: str, *, is_remembered: bool) -> EntryKey:
    store, source = MemoryStore(), MemorySource()
    source.entries = {EntryKey(e.kind, e.anchor): e for e in (ADA, BOB, STAFF)}
    await put_job(store)
    journal = await store.open_journal("job", "test")
    await journal.adopt(RULES, "")
    if is_remembered:
        seen = [
            Observation(StandingKey(MappingName(f"{e.kind} to {e.kind}"), e.anchor), Seen(e))
            for e in (ADA, BOB, STAFF)
        ]
        await journal.absorb(seen, None, BEGAN)
        source.entries = {}
    return await find_object(RULES, journal, source, text)


@pytest.mark.parametrize("is_remembered", [True, False])
@pytest.mark.parametrize(
    ("text", "kind", "anchor"),
    [
        ("2", "User", "2"),
        ("User:1", "User", "1"),
        ("user:1", "User", "1"),
        ("Group:1", "Group", "1"),
        ("ada@example.com", "User", "1"),
        ("User:ada@example.com", "User", "1"),
        ("Staff", "Group", "1"),
    ],
)
def test_one_object_is_found(text: str, kind: str, anchor: str, is_remembered: bool) -> None:
    found = asyncio.run(find(text, is_remembered=is_remembered))

    assert found == EntryKey(kind, Anchor(anchor))


@pytest.mark.parametrize("is_remembered", [True, False])
def test_several_are_listed_by_what_tells_them_apart(is_remembered: bool) -> None:
    with pytest.raises(WrongUse) as refused:
        asyncio.run(find("1", is_remembered=is_remembered))

    assert "User:1  Lovelace, Ada" in str(refused.value)
    assert "Group:1  Staff" in str(refused.value)


@pytest.mark.parametrize("text", ["3", "User:3", "nobody@example.com", "Robot:1"])
def test_nobody_is_nobody(text: str) -> None:
    with pytest.raises(WrongUse, match="no object is called"):
        asyncio.run(find(text, is_remembered=True))


def test_a_mapping_that_is_switched_off_has_no_objects() -> None:
    async def story() -> None:
        source, store = MemorySource(), MemoryStore()
        source.entries = {EntryKey("User", Anchor("1")): ADA}
        await put_job(store)
        journal = await store.open_journal("job", "test")
        rules = {name: replace(m, is_enabled=m.source_kind != "User") for name, m in RULES.items()}
        with pytest.raises(WrongUse):
            await find_object(rules, journal, source, "1")

    asyncio.run(story())
