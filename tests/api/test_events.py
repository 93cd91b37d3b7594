"""How a job stands, as it changes: server-sent events, for who has a token, while he has it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.api.served import PATIENCE_S, Served, command


@dataclass
class Event:
    name: str = ""
    id: str = ""
    data: str = ""
    comments: list[str] = field(default_factory=list[str])

    @property
    def json(self) -> Any:
        return json.loads(self.data)


@dataclass
class Stream:
    status: int
    media: str
    events: Iterator[Event]

    def until(self, is_it: Callable[[Event], object]) -> Event:
        for event in self.events:
            if is_it(event):
                return event
        raise AssertionError("the stream ended before")


def read(answer: http.client.HTTPResponse) -> Generator[Event]:
    event = Event()
    while line := answer.readline():
        text = line.decode().rstrip("\n")
        name, _, value = text.partition(": ")
        match name:
            case "id":
                event.id = value
            case "event":
                event.name = value
            case "data":
                event.data = value
            case "" if text:
                event.comments.append(value)
            case _:
                pass
        if not text:
            yield event
            event = Event()


@contextmanager
def listening(
    house: Served, job: str, token: str | None = None, **headers: str
) -> Generator[Stream]:
    """Open the event stream of a job, whose Graph path is given."""
    path = "/provisor" + job.removeprefix("/beta").replace("/synchronization", "")
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=PATIENCE_S)
    sent = {"Authorization": f"Bearer {house.token if token is None else token}", **headers}
    try:
        connection.request("GET", f"{path}/events", headers=sent)
        answer = connection.getresponse()
        yield Stream(answer.status, answer.headers["content-type"], read(answer))
    finally:
        connection.close()


def test_a_job_is_followed_from_its_start_to_steady_state(house: Served, job: str) -> None:
    with listening(house, job) as stream:
        assert (stream.status, stream.media) == (200, "text/event-stream")
        first = stream.until(lambda event: event.name == "job")
        assert first.json["status"]["code"] == "Paused"
        assert (first.json["isRunning"], first.json["nextRun"]) == (False, None)
        assert house.post(f"{job}/start").status == 204
        steady = stream.until(
            lambda event: (
                event.data
                and not event.json["status"]["steadyStateLastAchievedTime"].startswith("0001")
            )
        )
        assert steady.json["status"]["code"] == "Active"
        assert steady.json["status"] == house.get(job).json["status"]
        assert steady.json["nextRun"] > steady.json["status"]["lastExecution"]["timeEnded"][:19]


def test_who_comes_back_hears_nothing_twice(house: Served, job: str) -> None:
    with listening(house, job) as stream:
        seen = stream.until(lambda event: event.name == "job")
    with listening(house, job, **{"Last-Event-ID": seen.id}) as stream:
        assert house.patch(job, {"schedule": {"interval": "PT20M"}}).status == 200
        following = stream.until(lambda event: event.name == "job")
        assert following.id != seen.id
        assert following.json["schedule"]["interval"] == "PT20M"


def test_a_stream_ends_with_the_key_that_it_was_opened_with(house: Served, job: str) -> None:
    made = json.loads(
        command(
            house.folder, "token", "create", "console", "--scope", "Synchronization.Read.All",
            "--json",
        )
    )  # fmt: skip
    with listening(house, job, made["token"]) as stream:
        stream.until(lambda event: event.name == "job")
        command(house.folder, "token", "revoke", made["id"])
        end = stream.until(lambda event: event.name == "end")
        assert end.data == "unauthorized"
        assert list(stream.events) == []


def test_a_stream_ends_with_its_job(house: Served, job: str) -> None:
    with listening(house, job) as stream:
        stream.until(lambda event: event.name == "job")
        assert house.delete(job).status == 204
        assert stream.until(lambda event: event.name == "end").data == "gone"


def test_a_token_in_the_address_opens_nothing(house: Served, job: str) -> None:
    path = "/provisor" + job.removeprefix("/beta").replace("/synchronization", "") + "/events"
    for query in (f"?access_token={house.token}", f"?token={house.token}"):
        assert house.send("GET", f"{path}{query}", token="").status == 401
    scope = "SynchronizationData-User.Upload"
    made = command(house.folder, "token", "create", "listener", "--scope", scope, "--json")
    assert house.send("GET", path, token=json.loads(made)["token"]).status == 403
