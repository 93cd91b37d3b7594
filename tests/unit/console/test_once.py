"""A form that makes something makes it once, whatever becomes of its answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from starlette.responses import RedirectResponse, Response

from provisor.console.once import DONE_BEFORE, PAGE_LASTS, UNKNOWN, Outcomes, key_of
from provisor.console.sessions import Keep
from provisor.graph.http.faults import Fault, bad_request
from tests.table.rules import NOW


class Desk:
    """Something that is made, and what the server keeps, also beyond its end."""

    def __init__(self) -> None:
        self.made, self.kept, self.now = 0, b"", NOW
        self.outcomes = self.restarted()

    def restarted(self) -> Outcomes:
        async def load() -> bytes | None:
            return self.kept or None

        async def save(content: bytes) -> None:
            self.kept = content

        return Outcomes(keep=Keep(load=load, save=save), now=lambda: self.now)

    async def make(self) -> Response:
        self.made += 1
        await asyncio.sleep(0)
        return Response(f"number {self.made}, script nonce-1", media_type="text/html")

    async def lead(self) -> Response:
        self.made += 1
        return RedirectResponse("/console/there", 303)

    async def die(self) -> Response:
        self.made += 1
        raise ConnectionResetError

    async def refuse(self) -> Response:
        raise bad_request("Say what it is called.")


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_what_is_sent_again_is_answered_as_the_first_time(desk: Desk) -> None:
    first = await desk.outcomes.of("k", "nonce-1", desk.make)
    again = await desk.outcomes.of("k", "nonce-2", desk.make)

    assert first.body == b"number 1, script nonce-1"
    assert again.body == b"number 1, script nonce-2"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert (
        await desk.outcomes.of("another", "nonce-3", desk.make)
    ).body == b"number 2, script nonce-1"


async def test_who_presses_twice_waits_for_the_first(desk: Desk) -> None:
    found = await asyncio.gather(*(desk.outcomes.of("k", "nonce-1", desk.make) for _ in range(3)))

    assert {one.body for one in found} == {b"number 1, script nonce-1"}
    assert desk.made == 1


async def test_after_a_restart_it_is_led_on_or_told_that_it_was_done(desk: Desk) -> None:
    await desk.outcomes.of("led", "n", desk.lead)
    await desk.outcomes.of("shown", "n", desk.make)
    outcomes = desk.restarted()

    assert (await outcomes.of("led", "n", desk.lead)).headers["location"] == "/console/there"
    with pytest.raises(Fault, match=DONE_BEFORE):
        await outcomes.of("shown", "n", desk.make)
    assert desk.made == 2


async def test_what_may_have_been_done_is_not_done_again(desk: Desk) -> None:
    with pytest.raises(ConnectionResetError):
        await desk.outcomes.of("k", "n", desk.die)

    for outcomes in (desk.outcomes, desk.restarted()):
        with pytest.raises(Fault, match=UNKNOWN):
            await outcomes.of("k", "n", desk.make)
    assert desk.made == 1


async def test_what_was_refused_may_be_sent_again(desk: Desk) -> None:
    for _ in range(2):
        with pytest.raises(Fault, match="Say what it is called"):
            await desk.outcomes.of("k", "n", desk.refuse)

    await desk.outcomes.of("k", "n", desk.make)
    assert desk.made == 1


async def test_what_is_shown_once_is_not_remembered_for_long(desk: Desk) -> None:
    await desk.outcomes.of("k", "n", desk.make)
    desk.now += PAGE_LASTS + timedelta(seconds=1)

    with pytest.raises(Fault, match=DONE_BEFORE):
        await desk.outcomes.of("k", "n", desk.make)
    assert b"number" not in desk.kept


def test_another_word_in_a_form_makes_it_another_one() -> None:
    form = {"once": "a", "name": "reports"}
    assert key_of("s", "/keys", form) == key_of("s", "/keys", dict(reversed(form.items())))
    others = {
        key_of("s", "/keys", {**form, "name": "alerts"}),
        key_of("s", "/keys", {**form, "once": "b"}),
        key_of("s", "/applications", form),
        key_of("t", "/keys", form),
    }
    assert len(others | {key_of("s", "/keys", form)}) == 5
