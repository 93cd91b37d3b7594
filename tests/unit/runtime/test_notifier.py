"""What is to be told is told once, to everybody whom it can reach, whoever dies in between.

Mail goes to a real mail server, webhooks to a real HTTP server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from provisor.graph.http.exchange import line_to, post_bytes
from provisor.messages.mail import Mail, Post, Security
from provisor.messages.message import Message, Way
from provisor.messages.texts import About, composed
from provisor.messages.webhook import Webhook
from provisor.model.jobs import Job
from provisor.model.notices import Notice, NoticeKind
from provisor.planner.status import Configured, QuarantinedOnDemand, Started
from provisor.ports import Pending
from provisor.runtime.notifier import NEWS_FOR, RETRIES, TAKEN_FOR, Notifier
from provisor.store.memory import MemoryStore
from tests.fakes.hook import Hook, hook
from tests.fakes.mail import MailServer, mail_server

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = "only-we-two-know-this"
PERSONAL = "ada@example.com cannot be created: ada exists"
NOTICE = Notice(key="k", kind=NoticeKind.QUARANTINED, at=BEGAN)
JOB = Job(id="job", name="people", template_id="scim", application_id="app")


class Clock:
    def __init__(self) -> None:
        self.time = BEGAN

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class World:
    """A job that was just quarantined, and who is to be told."""

    def __init__(self, server: MailServer, receiver: Hook) -> None:
        self.clock, self.store = Clock(), MemoryStore()
        self.server, self.hook = server, receiver
        self.to = ["it@example.com", "hr@example.org"]
        self.announced = 0
        asyncio.run(self.store.put_job(JOB))
        self.quarantine()

    def quarantine(self) -> None:
        events = (Configured(is_usable=True), Started(), QuarantinedOnDemand(BEGAN, PERSONAL))
        asyncio.run(self.store.note("job", *events))

    async def compose(self, pending: Pending, job: Job | None) -> Message:
        return composed(pending, About(tenant="t", job=job, page="https://docs.example.com/x"))

    async def ways(self, pending: Pending, job: Job | None) -> Sequence[Way]:
        post = Post(
            host="127.0.0.1",
            port=self.server.port,
            security=Security.NONE,
            sender="Provisor <provisor@example.com>",
        )
        mails = [Mail(post=post, to=to, dial=line_to, clock=self.clock) for to in self.to]
        url = self.hook.url
        return [
            *mails,
            Webhook(url=url, secret=SECRET, send_out=post_bytes, clock=self.clock),
        ]

    async def look_ahead(self) -> None:
        self.announced += 1

    def flush(self) -> None:
        """Send what is due, in a process that has just begun."""
        notifier = Notifier(
            registry=self.store,
            clock=self.clock,
            compose=self.compose,
            ways=self.ways,
            look_ahead=self.look_ahead,
        )
        asyncio.run(notifier.flush())

    def later(self, wait: timedelta) -> None:
        self.clock.time += wait


@pytest.fixture
def world() -> Iterator[World]:
    with mail_server() as server, hook(SECRET) as receiver:
        yield World(server, receiver)


def test_everybody_is_told_once(world: World) -> None:
    world.flush()
    world.flush()
    world.later(timedelta(days=1))
    world.flush()
    assert world.server.receivers == world.to
    assert [one["kind"] for one in world.hook.got] == ["quarantined"]
    assert world.hook.refused == 0


def test_a_mail_is_plain_text_and_tells_of_nobody(world: World) -> None:
    world.flush()
    (_, mail), _ = world.server.mails
    assert mail["Subject"] == "Provisor: the job people is in quarantine"
    assert mail["From"] == "Provisor <provisor@example.com>"
    assert mail["To"] == "it@example.com"
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    assert "QuarantinedOnDemand" in text
    assert "https://docs.example.com/x" in text
    assert "ada" not in text
    assert "ada" not in str(world.hook.got)


def test_a_receiver_who_is_refused_troubles_nobody_else(world: World) -> None:
    world.to = ["reject@example.com", "it@example.com"]
    world.flush()
    assert world.server.receivers == ["it@example.com"]
    world.later(timedelta(days=1))
    world.flush()
    assert world.server.receivers == ["it@example.com"]


def test_who_could_not_be_reached_is_told_later_and_the_others_not_again(world: World) -> None:
    world.to = ["tempfail@example.com", "it@example.com"]
    world.flush()
    world.server.is_well = True
    world.flush()
    assert world.server.receivers == ["it@example.com"]
    world.later(RETRIES[0])
    world.flush()
    assert world.server.receivers == ["it@example.com", "tempfail@example.com"]
    assert len(world.hook.got) == 1


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_webhook_that_does_not_take_it_is_asked_again(world: World, status: int) -> None:
    world.hook.status, world.hook.location = status, world.hook.url
    world.flush()
    world.hook.status, world.hook.location = 200, ""
    world.later(RETRIES[0])
    world.flush()
    assert len(world.hook.got) == 1
    assert world.server.receivers == world.to


def test_a_process_that_dies_before_it_sends_leaves_it_to_the_next(world: World) -> None:
    class Deadly(Mail):
        async def send(self, message: Message) -> None:
            raise KeyboardInterrupt

    whole = world.ways
    first = asyncio.run(whole(Pending(number=1, job="job", notice=NOTICE), JOB))[0]
    assert isinstance(first, Mail)
    deadly = Deadly(post=first.post, to=first.to, dial=first.dial, clock=first.clock)

    async def ways(pending: Pending, job: Job | None) -> Sequence[Way]:
        return [deadly]

    world.ways = ways
    with pytest.raises(KeyboardInterrupt):
        world.flush()
    world.ways = whole
    world.flush()
    assert world.server.receivers == []
    world.later(TAKEN_FOR)
    world.flush()
    assert world.server.receivers == world.to


def test_what_is_sent_twice_says_so(world: World) -> None:
    """Who dies between sending and crossing off sends again: under the same id."""

    async def forgets(*_: object) -> None:
        raise KeyboardInterrupt

    crosses_off = world.store.put_back_notice
    world.store.put_back_notice = forgets  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(KeyboardInterrupt):
        world.flush()
    world.store.put_back_notice = crosses_off
    world.later(TAKEN_FOR)
    world.flush()
    first, second = world.hook.got
    assert first["id"] == second["id"]
    assert len({str(mail["Message-ID"]) for _, mail in world.server.mails}) == 1


def test_a_name_can_neither_add_a_header_nor_a_receiver(world: World) -> None:
    name = "people\r\nBcc: eve@example.net\r\n\r\nhello"
    asyncio.run(world.store.put_job(replace(JOB, name=name)))
    world.to = ["it@example.com", "it@example.com\r\nBcc: eve@example.net", "eve@x.y, z@x.y"]
    world.flush()
    assert world.server.receivers == ["it@example.com"]
    (_, mail) = world.server.mails[0]
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]


def test_what_nobody_could_be_told_for_days_is_no_news(world: World) -> None:
    world.later(NEWS_FOR + timedelta(minutes=1))
    world.flush()
    assert world.server.receivers == []


def test_it_is_given_up_after_two_days(world: World) -> None:
    world.hook.status, world.to = 500, []
    for wait in (*RETRIES, timedelta(days=3)):
        world.flush()
        world.later(wait)
    world.hook.status = 200
    world.flush()
    assert world.hook.got == []


def test_what_will_happen_is_looked_for_hourly() -> None:
    with mail_server() as server, hook(SECRET) as receiver:
        world = World(server, receiver)
        notifier = Notifier(
            registry=world.store,
            clock=world.clock,
            compose=world.compose,
            ways=world.ways,
            look_ahead=world.look_ahead,
        )

        async def hours() -> None:
            for _ in range(9):
                await notifier.flush()
                world.later(timedelta(minutes=20))

        asyncio.run(hours())
        assert world.announced == 3
