"""The published log entry and on-demand answers: read, and told the same from our own records."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisor.graph.translate.log import LogContext, to_summary
from provisor.graph.translate.on_demand import NotPerformed, Performed, to_answer, to_refusal
from provisor.graph.wire.base import instant_of
from provisor.graph.wire.coding import plain, read
from provisor.graph.wire.logs import ProvisioningObjectSummary
from provisor.graph.wire.on_demand import OnDemandOutcome, OnDemandResult
from provisor.model.decisions import (
    Action,
    AttributeChange,
    Facts,
    Record,
    Situation,
    StandingKey,
    Verdict,
)
from provisor.model.entries import Anchor
from provisor.model.rules import MappingName

HERE = Path(__file__).parent
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ALL_TRUE = Facts(is_assigned=True, is_active=True, passes_filter=True)


def golden(name: str) -> Any:
    return msgspec.json.decode((HERE / f"{name}.json").read_bytes())


def test_the_published_entry_is_read() -> None:
    value, problems = read(ProvisioningObjectSummary, golden("L2"))
    assert problems == ()
    assert value is not None
    assert plain(value) == golden("L2")


@pytest.mark.parametrize("name", ["O1", "O2"])
def test_the_published_answers_on_demand_are_read(name: str) -> None:
    result, problems = read(OnDemandResult, golden(name)["key"])
    assert problems == ()
    assert result is not None
    assert plain(result) == golden(name)["key"]
    value, problems = read(OnDemandOutcome, golden(name)["value"])
    assert problems == ()
    assert value is not None


def context(**names: str) -> LogContext:
    given = dict.fromkeys(
        ("tenant_id", "job_id", "principal_id", "app_id", "application", "source_id", "target_id"),
        "",
    )
    kinds = {
        MappingName("Group to Group"): ("Group", "Group"),
        MappingName("User to User"): ("User", ENTERPRISE),
    }
    return LogContext(**(given | names), kinds=kinds)


def test_l2_a_group_that_the_target_refused() -> None:
    """Names of systems and reasons are ours; the steps are told as the live service tells them."""
    live = golden("L2")
    record = Record(
        cycle=live["cycleId"],
        change=live["changeId"],
        at=instant_of(live["activityDateTime"]),
        duration_ms=2785,
        key=StandingKey(MappingName("Group to Group"), Anchor(live["sourceIdentity"]["id"])),
        row=1,
        situation=Situation.ABSENT,
        action=Action.CREATE,
        verdict=Verdict.FAILURE,
        code="ContosoEntryConflict",
        reason=live["provisioningStatusInfo"]["errorInformation"]["reason"],
        is_export_due=True,
        facts=ALL_TRUE,
        source_name="Self-service Pilot",
        changes=tuple(
            AttributeChange(one["displayName"], None, one["newValue"])
            for one in live["modifiedProperties"]
        ),
    )
    target = live["targetSystem"]["details"]

    told: Any = plain(
        to_summary(
            1,
            record,
            context(
                tenant_id=live["tenantId"],
                job_id=live["jobId"],
                principal_id=target["ServicePrincipalId"],
                app_id=target["ApplicationId"],
                application="Contoso",
                source_id=live["sourceSystem"]["id"],
                source="Azure Active Directory",
                target_id=live["targetSystem"]["id"],
                target="Contoso",
            ),
        )
    )

    steps = [
        step for step in told["provisioningSteps"] if step["provisioningStepType"] != "scoping"
    ]
    assert steps == live["provisioningSteps"]
    for name in set(live) - {
        "id",
        "provisioningSteps",
        "initiatedBy",
        "sourceIdentity",
        "provisioningStatusInfo",
    }:
        assert told[name] == live[name], name
    information = told["provisioningStatusInfo"]["errorInformation"]
    published = live["provisioningStatusInfo"]["errorInformation"]
    assert information | {"recommendedAction": None} == published
    assert told["sourceIdentity"] | {"details": {}} == live["sourceIdentity"]


def test_o1_a_user_who_is_as_they_should_be() -> None:
    live = golden("O1")["value"]
    steps = live["provisioningSteps"]
    began = instant_of(live["startTime"])
    record = Record(
        cycle="c",
        change=live["changeId"],
        at=instant_of(live["endTime"]),
        duration_ms=219,
        key=StandingKey(MappingName("User to User"), Anchor(live["sourceIdentity"]["id"])),
        row=10,
        situation=Situation.CONFIRMED,
        action=Action.OTHER,
        verdict=Verdict.SKIPPED,
        code="RedundantExport",
        facts=ALL_TRUE,
        source_name="BillBob@scimreftest.onmicrosoft.com",
        target=Anchor(live["targetIdentity"]["id"]),
        initiated_by="somebody",
    )
    answer = to_answer(
        Performed(
            record=record,
            began=began,
            source=steps[0]["details"],
            target=steps[1]["details"],
        ),
        context(source="Azure Active Directory", target="customappsso"),
    )

    key: Any = msgspec.json.decode(answer.key)
    value: Any = msgspec.json.decode(answer.value or "")
    assert key["result"] == "Skipped"
    assert key["details"]["errorCode"] == "RedundantExport"
    for name in ("action", "changeId", "modifiedProperties", "reportableIdentifier"):
        assert value[name] == live[name], name
    told = value["provisioningSteps"]
    shapes = [(s["name"], s["type"], s["status"], s["details"]) for s in steps]
    assert [(s["name"], s["type"], s["status"], s["details"]) for s in told] == shapes
    assert told[0]["description"] == steps[0]["description"]
    assert told[2]["description"] == steps[2]["description"]
    assert value["statusInfo"]["status"] == "Skipped"
    assert value["targetIdentity"]["type"] == ENTERPRISE


def test_what_was_changed_is_told_with_old_and_new_values() -> None:
    record = Record(
        cycle="c",
        change="x",
        at=instant_of("2026-01-01T00:00:01Z"),
        duration_ms=1000,
        key=StandingKey(MappingName("User to User"), Anchor("7")),
        row=9,
        situation=Situation.CONFIRMED,
        action=Action.UPDATE,
        verdict=Verdict.SUCCESS,
        is_export_due=True,
        facts=ALL_TRUE,
        source_name="Ada",
        changes=(AttributeChange("title", "Boss", "Chair"),),
        initiated_by="somebody",
    )
    performed = Performed(record=record, began=record.at - timedelta(seconds=1))

    answer = to_answer(performed, context(source="HR", target="App"))

    assert msgspec.json.decode(answer.key) == {"result": "Success", "details": {}}
    value: Any = msgspec.json.decode(answer.value or "")
    assert value["action"] == "Update"
    assert value["modifiedProperties"] == [
        {"displayName": "title", "oldValue": "Boss", "newValue": "Chair"}
    ]
    assert value["provisioningSteps"][-1]["name"] == "EntryExportUpdate"


def test_whoever_is_not_found_is_an_answer_too() -> None:
    answer = to_refusal(NotPerformed(code="ObjectNotFound", message="HR has no User '8'."))
    assert msgspec.json.decode(answer.key) == {
        "result": "Failure",
        "details": {"errorCode": "ObjectNotFound", "errorMessage": "HR has no User '8'."},
    }
    assert answer.value == "{}"
