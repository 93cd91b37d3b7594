"""What every source promises, whatever it reads: the port in sentences.

To run it, a test module imports all of it (`from provisor.testing.sources import *`) and offers the
fixture `subject`: a source with the hands that change what it shows (`organisation.Subject`). See
`provisor.testing.plugin` for the other fixtures.
"""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import (
    Anchor,
    Entry,
    EntryKey,
    Page,
    Receipt,
    Seen,
    Watermark,
    names_content,
)
from provisor.testing.organisation import ORGANISATION, Subject, group, key, person
from provisor.testing.reading import (
    Read,
    check_fetch_never_denies,
    check_no_false_absence,
    read,
    run,
    take,
)

EVERYONE = {key(entry): entry for entry in ORGANISATION}


async def filled(subject: Subject) -> None:
    await subject.hold(*ORGANISATION)


def test_a_complete_read_shows_every_object_once_as_it_is(subject: Subject) -> None:
    async def story() -> None:
        await filled(subject)
        found = await read(subject.source)
        assert found.entries == EVERYONE
        shown = Counter(
            key(change.entry)
            for page in found.pages
            for change in page.changes
            if isinstance(change, Seen)
        )
        assert set(shown.values()) == {1}
        assert not found.faults

    run(story())


def test_a_complete_read_ends_with_a_receipt_whose_rows_agree(subject: Subject) -> None:
    async def story() -> None:
        await filled(subject)
        found = await read(subject.source)
        assert found.receipt is not None
        assert found.receipt.is_snapshot
        assert found.receipt.rows == {"User": 5, "Group": 3}
        assert found.receipt.total in (None, 8)
        assert not found.receipt.void

    run(story())


def test_a_snapshot_has_nowhere_to_resume_from_before_its_end(subject: Subject) -> None:
    async def story() -> None:
        await filled(subject)
        found = await read(subject.source)
        assert len(found.pages) > 1
        assert {page.watermark for page in found.pages} == {None}
        assert found.receipt is not None
        watermark = found.receipt.watermark
        is_moment = watermark is not None and not names_content(watermark)
        assert is_moment == subject.has_changes

    run(story())


def test_an_empty_directory_says_that_it_is_empty(subject: Subject) -> None:
    found = run(read(subject.source))
    assert found.entries == {}
    assert found.receipt is not None
    assert not any(found.receipt.rows.values())


def test_a_single_look_agrees_with_the_read(subject: Subject) -> None:
    async def story() -> None:
        await filled(subject)
        for wanted, entry in (await read(subject.source)).entries.items():
            assert await subject.source.fetch(wanted) == entry

    run(story())


def test_who_is_not_there_is_not_found(subject: Subject) -> None:
    async def story() -> None:
        await filled(subject)
        assert await subject.source.fetch(EntryKey("User", Anchor("u9"))) is None
        assert await subject.source.fetch(EntryKey("Group", Anchor("u1"))) is None
        assert await subject.source.fetch(EntryKey("Printer", Anchor("u1"))) is None

    run(story())


def test_a_change_shows_in_the_next_read_and_the_next_look(subject: Subject) -> None:
    async def story() -> None:
        await filled(subject)
        await read(subject.source)
        renamed = person("u2", "Åsa Lind", manager="u5")
        await subject.hold(renamed)
        assert (await read(subject.source)).entries == EVERYONE | {key(renamed): renamed}
        assert await subject.source.fetch(key(renamed)) == renamed

    run(story())


def test_who_was_removed_is_left_out_and_not_found(removing: Subject) -> None:
    async def story() -> None:
        await filled(removing)
        gone = EntryKey("User", Anchor("u5"))
        await removing.remove(gone)
        found = await read(removing.source)
        assert gone not in found.entries
        assert found.receipt is not None
        assert found.receipt.rows["User"] == 4
        assert await removing.source.fetch(gone) is None

    run(story())


def test_a_read_that_its_reader_breaks_off_spoils_no_later_one(
    subject: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        await filled(subject)
        async for _ in subject.source.pull(None):
            break
        assert (await read(subject.source)).entries == EVERYONE

    run(story())

    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors  # breaking off is no trouble that anybody is to be told of


def test_two_reads_at_once_do_not_disturb_each_other(subject: Subject) -> None:
    async def story() -> None:
        await filled(subject)
        outer, inner = Read(), Read()
        async for part in subject.source.pull(None):
            take(outer, part)
            inner = await read(subject.source)
        assert outer.entries == inner.entries == EVERYONE

    run(story())


def test_what_comes_and_changes_between_any_two_pages_makes_nobody_look_gone(
    subject: Subject,
) -> None:
    async def story() -> None:
        await filled(subject)
        pages = len((await read(subject.source)).pages)
        for at in range(1, pages + 1):
            found = await read_while(subject, at, person(f"u1{at}", "New"), person("u2", f"N{at}"))
            check_no_false_absence({k: e for k, e in EVERYONE.items() if e.kind == "User"}, found)
            await check_fetch_never_denies(EVERYONE, subject.source)

    run(story())


def test_who_vanishes_between_any_two_pages_takes_nobody_along(removing: Subject) -> None:
    """A row that moves up into a page that was read already is the classic way to lose a person."""

    async def story() -> None:
        await filled(removing)
        staying = {k: e for k, e in EVERYONE.items() if k.anchor != "u1" and e.kind == "User"}
        pages = len((await read(removing.source)).pages)
        for at in range(1, pages + 1):
            await removing.hold(EVERYONE[EntryKey("User", Anchor("u1"))])
            found = await read_while(removing, at, gone=EntryKey("User", Anchor("u1")))
            check_no_false_absence(staying, found)
            await check_fetch_never_denies(staying, removing.source)

    run(story())


async def read_while(
    subject: Subject, at: int, *coming: Entry, gone: EntryKey | None = None
) -> Read:
    """Read, and let things change after so many pages."""
    found = Read()
    try:
        async for part in subject.source.pull(None):
            take(found, part)
            if isinstance(part, Page) and len(found.pages) == at:
                await subject.hold(*coming)
                if gone is not None:
                    await subject.remove(gone)
    except Unreachable as error:
        found.error = error
    return found


def test_the_system_is_always_the_same(subject: Subject) -> None:
    async def story() -> None:
        before = subject.source.system
        await filled(subject)
        await read(subject.source)
        assert subject.source.system == before
        assert before.identity

    run(story())


def test_a_source_can_be_closed_twice(subject: Subject) -> None:
    async def story() -> None:
        await subject.source.close()
        await subject.source.close()

    run(story())


def test_a_source_without_changes_takes_no_watermark(snapshot: Subject) -> None:
    found = run(read(snapshot.source, Watermark("1")))
    assert isinstance(found.error, WatermarkExpired)
    assert not found.pages


# sources that can tell what changed


@pytest.mark.parametrize("strange", ["", "1", "-1", "other.1", "another era.0", "²"])
def test_a_watermark_from_elsewhere_has_expired(delta: Subject, strange: str) -> None:
    async def story() -> None:
        await filled(delta)
        found = await read(delta.source, Watermark(strange))
        assert isinstance(found.error, WatermarkExpired)
        assert not found.pages

    run(story())


def test_after_its_watermark_a_quiet_source_shows_nothing(delta: Subject) -> None:
    async def story() -> None:
        await filled(delta)
        found = await read(delta.source, await mark(delta))
        assert found.entries == {}
        assert found.receipt is not None
        assert not found.receipt.is_snapshot
        assert found.receipt.watermark is not None

    run(story())


def test_after_a_watermark_come_the_changes_and_only_those(delta: Subject) -> None:
    async def story() -> None:
        await filled(delta)
        since = await mark(delta)
        changed = (person("u3", "Rob"), group("g3", "Somebody", "u3"), person("u6", "Fay"))
        await delta.hold(*changed)
        found = await read(delta.source, since)
        assert found.entries == {key(entry): entry for entry in changed}

    run(story())


def test_whatever_page_is_the_last_one_kept_nothing_is_lost(delta: Subject) -> None:
    """A crash after any page resumes from its watermark, and ends where a whole read ends."""

    async def story() -> None:
        await filled(delta)
        since = await mark(delta)
        for round_ in range(5):
            await delta.hold(person(f"u{round_}", f"Person {round_}"), group("g1", f"G {round_}"))
        whole = await read(delta.source, since)
        assert len(whole.pages) > 2
        for kept in range(len(whole.pages) + 1):
            resumed = Read()
            for page in whole.pages[:kept]:
                take(resumed, page)
            reached = whole.pages[kept - 1].watermark if kept else since
            assert reached is not None
            rest = await read(delta.source, reached)
            assert resumed.entries | rest.entries == whole.entries

    run(story())


def test_what_changes_during_a_read_comes_with_the_next(delta: Subject) -> None:
    async def story() -> None:
        await filled(delta)
        late = person("u1", "Ada King")
        seen, since = Read(), Watermark("")
        async for part in delta.source.pull(None):
            take(seen, part)
            if isinstance(part, Page):
                await delta.hold(late)
            elif part.watermark is not None:
                since = part.watermark
        found = await read(delta.source, since)
        assert (seen.entries | found.entries)[key(late)] == late

    run(story())


async def mark(subject: Subject) -> Watermark:
    receipt: Receipt | None = (await read(subject.source)).receipt
    assert receipt is not None
    assert receipt.watermark is not None
    return receipt.watermark
