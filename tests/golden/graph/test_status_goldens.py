"""The published answers about jobs: all are read, and those we can be in are written the same.

Where we differ on purpose, the difference is spelled out (spec: settled 25, graph-api 7).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

from provisor.graph.translate.job import JobView, to_job
from provisor.graph.wire.base import NEVER, instant_of, instant_text
from provisor.graph.wire.coding import plain, read
from provisor.graph.wire.jobs import SynchronizationJob
from provisor.model.cycles import (
    Counts,
    Cycle,
    CycleKind,
    CycleResult,
    Halt,
    JobError,
    QuarantineReason,
)
from provisor.model.jobs import Job, Progress, Quarantine, ScheduleState, Status, StatusCode
from provisor.model.rules import MappingName

Json: TypeAlias = dict[str, Any]

HERE = Path(__file__).parent
DOCS = "https://docs.example.com"
BOX = "BoxOutDelta.e4bbf44533ea4eabb17027f3a92e92aa"
AWS = "aWSSingleSignon.ff8bf889e03141ac8f7baedb059892ee.bfc8712e-0986-4d47-896b-6872713598c6"
AD = "AD2AADProvisioning.fd1c9b9e8077402c8bc03a7186c8f976"
ACTIVE = ScheduleState.ACTIVE


def golden(name: str) -> Json:
    return msgspec.json.decode((HERE / f"{name}.json").read_bytes())


def job(
    id: str, status: Status, schedule: timedelta = timedelta(minutes=40), **settings: str
) -> Job:
    return Job(
        id=id,
        name="people",
        template_id=id.split(".")[0],
        application_id="a",
        schedule=schedule,
        settings=settings,
        status=status,
    )


def written(view: JobView) -> Json:
    """Return a job as it is written, with instants as precise as ours are."""
    return comparable(plain(to_job(view)))


def comparable(value: Any) -> Any:
    """Round what the live service tells to a tenth of a microsecond to what we can tell."""
    match value:
        case dict():
            return {name: comparable(item) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return [comparable(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", value):
            return instant_text(instant_of(value))
        case _:
            return value


def published(name: str, status: Json | None = None, **differs: Any) -> Json:
    """Return a published answer, with what we tell otherwise on purpose."""
    body: Json = comparable(golden(name))
    body = {n: v for n, v in body.items() if not n.startswith("@odata")} | differs
    body["status"] = body["status"] | (status or {})
    return body


@pytest.mark.parametrize("name", ["G1", "G3", "G4", "G5", "G6", "G7", "G8"])
def test_a_published_job_is_read(name: str) -> None:
    value, problems = read(SynchronizationJob, golden(name))
    assert problems == ()
    assert value is not None
    assert value.id == golden(name)["id"]


@pytest.mark.parametrize("name", ["G2", "G9"])
def test_a_published_list_is_read(name: str) -> None:
    for body in golden(name)["value"]:
        value, problems = read(SynchronizationJob, body)
        assert problems == ()
        assert value is not None


def test_g1_a_new_job_without_credentials() -> None:
    view = JobView(job=job(BOX, Status(), NEVER))
    assert written(view) == published("G1", {"progress": []}, synchronizationJobSettings=[])


def test_g4_a_new_job_with_credentials() -> None:
    status = Status(code=StatusCode.PAUSED)
    view = JobView(job=job(AWS, status, AzureIngestionAttributeOptimization="False"))
    assert written(view) == published("G4")


def test_the_properties_are_in_the_order_of_the_live_service() -> None:
    status = Status(code=StatusCode.PAUSED)
    body: Any = plain(
        to_job(JobView(job=job(AWS, status, AzureIngestionAttributeOptimization="False")))
    )
    live = published("G4")
    assert list(body) == list(live)
    assert list(body["status"]) == list(live["status"])


def test_g5_a_job_that_was_just_started() -> None:
    """Before a first cycle ended we say so with null, not with a placeholder that reads Failed."""
    status = Status(code=StatusCode.NOT_RUN, schedule_state=ACTIVE)
    view = JobView(
        job=job(
            "Azure2Azure.ff8bf889e03141ac8f7baedb059892ee",
            status,
            AzureIngestionAttributeOptimization="False",
            LookaheadQueryEnabled="False",
        )
    )
    assert written(view) == published("G5", {"lastExecution": None})


def cycle(id: str, began: str, ended: str, **counts: int) -> Cycle:
    return Cycle(
        id=id,
        kind=CycleKind.INCREMENTAL,
        began=instant_of(began),
        ended=instant_of(ended),
        result=CycleResult.SUCCEEDED,
        counts=Counts(**counts),
    )


def test_g6_a_job_in_steady_state_with_a_backlog() -> None:
    """The execution that was last successful keeps its real id and beginning."""
    last = cycle(
        "2dea06a7-2960-420d-931e-f6c807ebda24",
        "2019-11-20T16:15:21.116098Z",
        "2019-11-20T16:17:24.7488681Z",
        escrowed=15,
        escrowed_raw=15,
    )
    good = cycle("good", "2019-11-20T14:09:00Z", "2019-11-20T14:09:46.8855027Z", exported=5)
    status = Status(
        code=StatusCode.ACTIVE,
        schedule_state=ACTIVE,
        last=last,
        last_successful=good,
        steady_state_first=instant_of("2019-11-08T15:48:05.7360238Z"),
        steady_state_last=instant_of("2019-11-20T16:17:24.7957721Z"),
    )
    settings = {
        "Domain": "{}",
        "DomainFQDN": "contoso.com",
        "DomainNetBios": "CONTOSO",
        "ForestFQDN": "contoso.com",
        "ForestNetBios": "CONTOSO",
        "QuarantineTooManyDeletesThreshold": "500",
    }
    links = {MappingName("group to Group"): 33, MappingName("user to User"): 3}
    view = JobView(job=job(AD, status, timedelta(minutes=2), **settings), links=links)

    expected = published("G6")
    was_successful = expected["status"]["lastSuccessfulExecution"]
    was_successful |= {"activityIdentifier": "good", "timeBegan": "2019-11-20T14:09:00Z"}
    assert written(view) == expected


def failed(id: str, began: str, ended: str, error: JobError) -> Cycle:
    return replace(
        cycle(id, began, ended),
        result=CycleResult.FAILED,
        error=error,
        halt=Halt(QuarantineReason.EXCEPTION, error),
    )


def test_g7_quarantine_for_the_sixth_time() -> None:
    """We name the next attempt and the error, and lead to the page about it."""
    message = "An internal error ocurred. Please contact Azure Active Directory support"
    error = JobError(code="BoxInsufficientPermissions", message=message)
    began, again = "2017-07-19T06:56:58.2464011Z", "2017-07-19T12:35:27.0869139Z"
    status = Status(
        code=StatusCode.QUARANTINE,
        schedule_state=ACTIVE,
        last=failed(
            "703dd82f-faa0-4dbd-abdc-48f620ed7ab4",
            "2017-07-19T14:55:58.5434447Z",
            "2017-07-19T14:55:58.5570274Z",
            error,
        ),
        quarantine=Quarantine(
            reason=QuarantineReason.EXCEPTION,
            error=error,
            series_began=instant_of(began),
            current_began=instant_of(again),
            series_count=6,
            next_attempt=datetime(2017, 7, 19, 18, 35, tzinfo=UTC),
        ),
        troubleshooting_code="BoxInsufficientPermissions",
    )

    expected = published("G7", synchronizationJobSettings=[])
    expected["status"]["quarantine"] |= {
        "nextAttempt": "2017-07-19T18:35:00Z",
        "error": {"code": error.code, "message": message, "tenantActionable": True},
    }
    expected["status"]["troubleshootingUrl"] = f"{DOCS}/troubleshooting/InsufficientPermissions"
    assert written(JobView(job=job(BOX, status), docs=DOCS)) == expected


def test_g8_quarantine_for_the_first_time() -> None:
    code = "SystemForCrossDomainIdentityManagementInvalidCredentials"
    error = JobError(code=code, message="Please provide a valid tenant URL for your application.")
    imposed = "2021-05-24T21:45:54.4981365Z"
    status = Status(
        code=StatusCode.QUARANTINE,
        schedule_state=ACTIVE,
        successive_failures=1,
        last=failed(
            "c3173f7b-9e67-4759-828c-cb499967be57",
            "2021-05-24T21:45:53.6330529Z",
            "2021-05-24T21:45:54.5581273Z",
            error,
        ),
        quarantine=Quarantine(
            reason=QuarantineReason.EXCEPTION,
            error=error,
            series_began=instant_of(imposed),
            current_began=instant_of(imposed),
            series_count=1,
            next_attempt=instant_of(imposed) + timedelta(minutes=5),
        ),
        troubleshooting_code=code,
    )
    view = JobView(job=job(AWS, status, AzureIngestionAttributeOptimization="False"), docs=DOCS)

    assert written(view) == published(
        "G8", {"troubleshootingUrl": f"{DOCS}/troubleshooting/{code}"}
    )


def test_what_was_held_back_is_no_error_of_the_execution() -> None:
    """TooManyDeletes and thresholds stand in the quarantine alone."""
    error = JobError(code="TooManyDeletes", message="40 people would leave at once.")
    held = replace(
        cycle("c", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
        halt=Halt(QuarantineReason.TOO_MANY_DELETES, error),
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)
    status = Status(
        code=StatusCode.QUARANTINE,
        schedule_state=ACTIVE,
        last=held,
        quarantine=Quarantine(
            reason=QuarantineReason.TOO_MANY_DELETES,
            error=error,
            series_began=at,
            current_began=at,
            series_count=1,
            next_attempt=at,
        ),
        troubleshooting_code="TooManyDeletes",
    )

    body = written(JobView(job=job(AWS, status), docs=f"{DOCS}/"))["status"]

    assert body["lastExecution"]["state"] == "Succeeded"
    assert body["lastExecution"]["error"] is None
    assert body["quarantine"]["reason"] == "TooManyDeletes"
    assert body["quarantine"]["error"]["code"] == "TooManyDeletes"
    assert body["troubleshootingUrl"] == f"{DOCS}/troubleshooting/TooManyDeletes"


def test_a_quarantine_that_is_over_is_not_shown() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    old = Quarantine(
        reason=QuarantineReason.UNKNOWN,
        error=JobError(code="x", message="x"),
        series_began=at,
        current_began=at,
        series_count=1,
        next_attempt=at,
    )
    status = Status(code=StatusCode.PAUSED, quarantine=old)
    assert written(JobView(job=job(AWS, status)))["status"]["quarantine"] is None


def test_progress_is_told_while_a_cycle_is_open() -> None:
    """As the published example of it: 1,025 of 3,024 pages."""
    progress = Progress(
        completed_units=1025,
        total_units=3024,
        units="pages",
        observed_at=datetime(2017, 10, 10, 17, tzinfo=UTC),
    )
    view = JobView(job=job(AWS, Status(schedule_state=ACTIVE)), progress=progress)
    assert written(view)["status"]["progress"] == [
        {
            "completedUnits": 1025,
            "progressObservationDateTime": "2017-10-10T17:00:00Z",
            "totalUnits": 3024,
            "units": "pages",
        }
    ]
