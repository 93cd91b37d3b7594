"""Graph's JSON: strict in what is written, lenient in what is read, and all mistakes at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.graph.wire.base import (
    MIN_VALUE,
    NEVER,
    NEVER_TEXT,
    duration_of,
    duration_text,
    instant_of,
    instant_text,
)
from provisor.graph.wire.coding import decode, encode, flags_text, plain, read
from provisor.graph.wire.jobs import NewJob, SynchronizationJob
from provisor.graph.wire.on_demand import OnDemandRequest
from provisor.graph.wire.pairs import Secrets
from provisor.graph.wire.requests import ParseExpression, Restart
from provisor.graph.wire.schemas import ObjectMapping, SynchronizationSchema
from provisor.model.jobs import ResetScope
from provisor.model.rules import Flows


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(minutes=40), "PT40M"),
        (timedelta(minutes=2), "PT2M"),
        (timedelta(hours=1), "PT1H"),
        (timedelta(days=30), "P30D"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=500), "P1DT2H3M4.5S"),
        (timedelta(0), "PT0S"),
        (NEVER, NEVER_TEXT),
    ],
)
def test_durations(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text
    assert duration_of(text) == duration


@pytest.mark.parametrize("text", ["", "P", "PT", "40", "P1M", "1h", "PT40", "-PT5M", "P1W"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration_of(text)


def test_a_duration_longer_than_all_is_never() -> None:
    assert duration_of("P99999999999D") == NEVER


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_a_duration_comes_back(duration: timedelta) -> None:
    assert duration_of(duration_text(duration)) == duration


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_comes_back(instant: datetime) -> None:
    assert instant_of(instant_text(instant)) == instant


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (MIN_VALUE, "0001-01-01T00:00:00Z"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T10:00:00Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 100_000, tzinfo=UTC), "2026-01-31T12:00:00.1Z"),
    ],
)
def test_instants_are_written_in_utc(instant: datetime, text: str) -> None:
    assert instant_text(instant) == text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2019-11-08T15:48:05.7360238Z", datetime(2019, 11, 8, 15, 48, 5, 736_023, tzinfo=UTC)),
        (
            "2019-03-20T15:47:50.470755+00:00",
            datetime(2019, 3, 20, 15, 47, 50, 470_755, tzinfo=UTC),
        ),
        ("2022-12-10", datetime(2022, 12, 10, tzinfo=UTC)),
    ],
)
def test_instants_are_read_as_clients_write_them(text: str, instant: datetime) -> None:
    assert instant_of(text) == instant


@pytest.mark.parametrize("text", ["yesterday", "2026", "20260131", "2026-13-01"])
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|month"):
        instant_of(text)


@pytest.mark.parametrize(
    ("written", "scope"),
    [
        ("Watermark, Escrows, QuarantineState", ResetScope(14)),
        ("watermark", ResetScope.WATERMARK),
        ("Full", ResetScope.FULL),
        ("ForceDeletes", ResetScope.FORCE_DELETES),
        ("None", ResetScope.NONE),
        (4, ResetScope.WATERMARK),
        (["Watermark", "Escrows"], ResetScope.WATERMARK | ResetScope.ESCROWS),
    ],
)
def test_restart_takes_its_scope_in_every_form(written: object, scope: ResetScope) -> None:
    for body in ({"criteria": {"resetScope": written}}, {"resetScope": written}):
        value, problems = read(Restart, body)
        assert problems == ()
        assert value is not None
        assert value.scope == scope


@pytest.mark.parametrize(
    "body", [{}, {"criteria": {}}, {"criteria": None}, {"criteria": {"resetScope": ""}}]
)
def test_restart_without_a_scope_is_the_usual_one(body: object) -> None:
    value, _ = read(Restart, body)
    assert value is not None
    assert value.scope == ResetScope.QUARANTINE_STATE | ResetScope.WATERMARK | ResetScope.ESCROWS


@pytest.mark.parametrize("written", ["Everything", 99, True, {"a": 1}, -1])
def test_restart_refuses_a_scope_that_does_not_exist(written: object) -> None:
    value, problems = read(Restart, {"criteria": {"resetScope": written}})
    assert value is None
    assert [p.path for p in problems] == ["criteria.resetScope"]


def test_flags_are_written_as_one_text() -> None:
    assert flags_text(Flows.ALL) == "Add, Update, Delete"
    assert flags_text(Flows.NONE) == "None"
    assert (
        flags_text(ResetScope.QUARANTINE_STATE | ResetScope.ESCROWS) == "Escrows, QuarantineState"
    )


def test_annotations_and_properties_nobody_knows_are_ignored() -> None:
    body = {"@odata.type": "#microsoft.graph.synchronizationJob", "templateId": "scim", "x": 1}
    value, problems = read(NewJob, body)
    assert problems == ()
    assert value == NewJob(template_id="scim")


def test_null_is_not_supplied_where_nothing_else_can_be_meant() -> None:
    value, problems = read(ObjectMapping, {"enabled": None, "flowTypes": None, "metadata": None})
    assert problems == ()
    assert value == ObjectMapping()


def test_everything_wrong_is_found_at_once() -> None:
    body: object = {
        "id": 5,
        "schedule": {"interval": "often", "state": "Sometimes"},
        "status": {"countSuccessiveCompleteFailures": "0", "escrowsPruned": 1, "progress": 2},
    }
    value, problems = read(SynchronizationJob, body)
    assert value is None
    assert [(p.code, p.path) for p in problems] == [
        ("WrongType", "id"),
        ("WrongType", "schedule.interval"),
        ("UnknownValue", "schedule.state"),
        ("WrongType", "status.countSuccessiveCompleteFailures"),
        ("WrongType", "status.escrowsPruned"),
        ("WrongType", "status.progress"),
    ]


def test_what_is_needed_and_missing_is_named() -> None:
    for body in ({}, {"templateId": None}):
        value, problems = read(NewJob, body)
        assert value is None
        assert [(p.code, p.path) for p in problems] == [("Missing", "templateId")]
    _, problems = read(OnDemandRequest, {"parameters": [{"subjects": [{"x": 1}]}]})
    assert [p.path for p in problems] == [
        "parameters[0].ruleId",
        "parameters[0].subjects[0].objectId",
        "parameters[0].subjects[0].objectTypeName",
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"{a:1}", b'{"a":1,}', b"\xff"])
def test_what_is_no_json(body: bytes) -> None:
    value, problems = decode(SynchronizationSchema, body)
    assert value is None
    assert [p.code for p in problems] == ["InvalidJson"]


@pytest.mark.parametrize("levels", [250, 900, 100_000])
def test_what_is_nested_without_end(levels: int) -> None:
    body = b'{"synchronizationRules":' * 1 + b"[" * levels + b"]" * levels + b"}"
    value, problems = decode(SynchronizationSchema, body)
    assert value is None
    assert [p.code for p in problems] in (["DocumentTooDeep"], ["InvalidJson"])


def test_secrets_keep_their_order_and_their_bytes() -> None:
    pairs = [{"key": "BaseAddress", "value": "https://X/ "}, {"key": "SecretToken", "value": ""}]
    value, _ = read(Secrets, {"value": pairs})
    assert value is not None
    assert plain(value) == {"value": pairs}


def test_open_values_are_read_as_they_are() -> None:
    body = {
        "expression": "[a]",
        "testInputObject": {
            "properties": [
                {"key": "a", "value@odata.type": "#Collection(String)", "value": ["x"]},
                {"key": "b", "value": None},
                {"key": "c", "value": 5},
            ]
        },
    }
    value, problems = read(ParseExpression, body)
    assert problems == ()
    assert value is not None
    assert value.test_input_object is not None
    assert [pair.value for pair in value.test_input_object.properties] == [["x"], None, 5]


NAMES = [
    "id",
    "directories",
    "objects",
    "attributes",
    "name",
    "synchronizationRules",
    "objectMappings",
    "attributeMappings",
    "source",
    "parameters",
    "scope",
    "flowTypes",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(JSON)
def test_reading_never_fails_otherwise_than_with_problems(document: Any) -> None:
    value, problems = read(SynchronizationSchema, document)
    assert (value is None) == any(p.severity == "error" for p in problems)
    if value is not None:
        again, _ = decode(SynchronizationSchema, encode(value))
        assert again == value


def test_what_is_written_is_json_with_numbers_as_numbers() -> None:
    written = msgspec.json.decode(encode(SynchronizationJob(id="x")))
    assert written["status"]["countSuccessiveCompleteFailures"] == 0
    assert written["status"]["steadyStateFirstAchievedTime"] == "0001-01-01T00:00:00Z"
    assert written["schedule"] == {"expiration": None, "interval": NEVER_TEXT, "state": "Disabled"}
