"""A line of the ledger as administrators and programs read it."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from provisor.graph.translate.csvlog import LOGS, PROPERTIES, STEPS, cell, to_archive
from provisor.graph.translate.log import (
    entry_id,
    is_shown,
    position_of,
    to_beta_summary,
    to_summary,
)
from provisor.graph.translate.narrate import narrate
from provisor.graph.wire.coding import plain
from provisor.model.decisions import (
    Action,
    AttributeChange,
    Facts,
    Record,
    ReferencesChange,
    Situation,
    Verdict,
)
from provisor.model.entries import Absence, Anchor, MatchQuery, Reference
from provisor.model.frozen import replace
from provisor.model.rules import MappingName
from tests.unit.graph.records import CONTEXT, NAMES, WANTED, record, skipped


def steps(one: Record) -> list[tuple[str, str, str]]:
    return [(s.name, s.type.value, s.status.value) for s in narrate(one, NAMES)]


def last(one: Record) -> str:
    return narrate(one, NAMES)[-1].description


class TestSteps:
    """Import, scope, match, decide, export: told from facts, in order."""

    def test_a_creation(self) -> None:
        assert steps(record()) == [
            ("EntryImportAdd", "import", "success"),
            ("EntrySynchronizationScoping", "scoping", "success"),
            ("EntrySynchronizationAdd", "matching", "success"),
            ("EntryExportAdd", "export", "success"),
        ]
        assert [s.description for s in narrate(record(), NAMES)] == [
            "Received User 'Ada' change of type (Add) from HR",
            "Determine if User in scope by evaluating against each scoping filter",
            (
                "User 'Ada' will be created in App (User is active and assigned in HR, but no "
                "matching User was found in App)"
            ),
            "User 'Ada' was created in App",
        ]

    def test_a_creation_that_was_refused(self) -> None:
        refused = record(verdict=Verdict.FAILURE, code="EntryConflict", target=None)
        assert steps(refused)[-1] == ("EntryExportAdd", "export", "failure")
        assert last(refused) == "Failed to create User 'Ada' in App"

    def test_a_match(self) -> None:
        found = record(
            situation=Situation.FOUND,
            action=Action.UPDATE,
            matched_by=MatchQuery("User", "userName", "ada"),
        )
        assert steps(found)[2:] == [
            ("EntryImport", "matching", "success"),
            ("EntrySynchronizationUpdate", "processing", "success"),
            ("EntryExportUpdate", "export", "success"),
        ]
        assert "which has the same userName" in narrate(found, NAMES)[2].description

    def test_a_disable_says_why(self) -> None:
        facts = replace(WANTED, passes_filter=False, deciding_clause="department EQUALS 'Sales'")
        left = record(situation=Situation.UNQUALIFIED, action=Action.DISABLE, facts=facts)

        assert steps(left)[3:] == [
            ("EntrySynchronizationDisable", "processing", "success"),
            ("EntryExportUpdate", "export", "success"),
        ]
        assert "out of scope: department EQUALS 'Sales'" in narrate(left, NAMES)[3].description
        assert last(left) == "User 'Ada' was disabled in App"

    def test_a_delete_asks_for_no_scope(self) -> None:
        facts = replace(WANTED, absence=Absence.DELETED)
        deleted = record(situation=Situation.UNQUALIFIED, action=Action.DELETE, facts=facts)
        assert [name for name, _, _ in steps(deleted)] == [
            "EntryImportDelete",
            "EntryImport",
            "EntrySynchronizationDelete",
            "EntryExportDelete",
        ]

    def test_a_departure_that_is_held(self) -> None:
        held = record(
            situation=Situation.UNQUALIFIED,
            action=Action.STAGED_DELETE,
            verdict=Verdict.WARNING,
            code="StagedDelete",
            is_export_due=False,
        )
        assert steps(held)[-1] == ("EntrySynchronizationDelete", "processing", "warning")
        assert "until an administrator approves it" in last(held)

    def test_an_object_that_cannot_be_mapped(self) -> None:
        bad = record(
            situation=Situation.UNMAPPABLE,
            action=Action.OTHER,
            verdict=Verdict.FAILURE,
            code="ExpressionEvaluationError",
            reason="Item: there is no element 3",
            is_export_due=False,
        )
        assert steps(bad)[-1] == ("EntrySynchronizationError", "processing", "failure")
        assert last(bad) == "Item: there is no element 3"

    @pytest.mark.parametrize(
        "situation", [Situation.AMBIGUOUS, Situation.FOUND_ALREADY_LINKED, Situation.MISSING]
    )
    def test_a_match_that_is_not_clear(self, situation: Situation) -> None:
        unclear = record(
            situation=situation,
            action=Action.OTHER,
            verdict=Verdict.FAILURE,
            reason="why",
            is_export_due=False,
        )
        assert steps(unclear)[-1] == ("EntryMatching", "matching", "failure")
        assert last(unclear) == "why"

    def test_references_are_resolved_and_exported(self) -> None:
        change = ReferencesChange(
            "manager", frozenset({Reference("User", Anchor("t9"))}), frozenset()
        )
        passed = record(action=Action.UPDATE, is_reference_pass=True, changes=(change,))
        assert steps(passed) == [
            ("EntryReferenceResolution", "referenceResolution", "success"),
            ("EntryExportUpdate", "export", "success"),
        ]

    @pytest.mark.parametrize(
        ("code", "says"),
        [
            ("RedundantExport", "already match"),
            ("NotEffectivelyEntitled", "not assigned"),
            ("ImportSkipped", "no matching attribute"),
            ("AddFlowDisabled", "the flow Add"),
            ("AlreadyGone", "no longer in App"),
            ("OutOfScopeDeletionSkipped", "keeps its account"),
            ("EntrySynchronizationSkipped", "Nothing is sent"),
        ],
    )
    def test_a_skip_says_why(self, code: str, says: str) -> None:
        one = skipped(code, facts=replace(WANTED, is_assigned=False))
        step = narrate(one, NAMES)[-1]
        assert (step.name, step.type.value, step.status) == (
            "EntrySynchronizationSkip",
            "export",
            Verdict.SKIPPED,
        )
        assert says in step.description
        assert step.details["SkipReason"] == code

    def test_a_row_that_cannot_be_read(self) -> None:
        row = record(
            situation=Situation.UNKNOWN,
            action=Action.OTHER,
            verdict=Verdict.FAILURE,
            code="SourceRowInvalid",
            reason="people.csv, line 12: 3 fields where the header has 10",
            is_export_due=False,
        )
        assert steps(row) == [("EntryImport", "import", "failure")]
        assert last(row) == "people.csv, line 12: 3 fields where the header has 10"

    def test_what_others_changed(self) -> None:
        drift = record(
            situation=Situation.CONFIRMED,
            action=Action.OTHER,
            verdict=Verdict.WARNING,
            code="Drift",
            is_export_due=False,
        )
        assert steps(drift) == [("EntryImportUpdate", "matching", "warning")]
        assert last(drift) == "User 'ada' was changed in App by others"

    def test_every_record_can_be_told(self) -> None:
        for situation, verdict, action in product(Situation, Verdict, Action):
            one = record(situation=situation, verdict=verdict, action=action, code="X")
            told = to_summary(1, one, CONTEXT).provisioning_steps
            assert told
            assert all(step.description for step in told)


def body(one: Record) -> Any:
    return plain(to_summary(5, one, CONTEXT))


def test_an_entry_says_who_what_when_and_whence() -> None:
    entry = body(record())

    assert entry["activityDateTime"] == "2026-01-31T12:00:00.25Z"
    assert entry["provisioningAction"] == "create"
    assert entry["provisioningStatusInfo"] == {"status": "success", "errorInformation": None}
    assert (entry["cycleId"], entry["changeId"]) == ("cycle-1", "change-1")
    assert (entry["jobId"], entry["tenantId"]) == (CONTEXT.job_id, CONTEXT.tenant_id)
    assert entry["durationInMilliseconds"] == 120
    assert entry["servicePrincipal"] == {"id": CONTEXT.principal_id, "displayName": "People"}
    assert entry["sourceSystem"] == {"id": "source-id", "displayName": "HR", "details": {}}
    assert entry["targetSystem"]["details"] == {
        "ApplicationId": CONTEXT.app_id,
        "ServicePrincipalId": CONTEXT.principal_id,
        "ServicePrincipalDisplayName": "People",
    }
    assert entry["sourceIdentity"]["id"] == "7"
    assert entry["targetIdentity"] == {
        "id": "t7",
        "displayName": "ada",
        "identityType": "User",
        "details": {},
    }
    assert entry["initiatedBy"]["initiatorType"] == "system"


def test_values_are_text() -> None:
    changes = (
        AttributeChange("active", False, True),
        AttributeChange("hired", None, datetime(2026, 1, 1, tzinfo=UTC)),
        AttributeChange("roles", None, ("a", "b")),
        AttributeChange("key", b"\x00\x01", None),
        ReferencesChange(
            "members",
            frozenset({Reference("User", Anchor("t2")), Reference("User", Anchor("t1"))}),
            frozenset(),
        ),
    )
    assert body(record(changes=changes))["modifiedProperties"] == [
        {"displayName": "active", "oldValue": "False", "newValue": "True"},
        {"displayName": "hired", "oldValue": None, "newValue": "2026-01-01T00:00:00Z"},
        {"displayName": "roles", "oldValue": None, "newValue": "a, b"},
        {"displayName": "key", "oldValue": "AAE=", "newValue": None},
        {"displayName": "members", "oldValue": None, "newValue": "t1, t2"},
    ]


def test_a_failure_has_its_code_its_reason_and_a_way_out() -> None:
    refused = record(
        verdict=Verdict.FAILURE, code="EntryConflict", reason="App says 409", target=None
    )
    entry = body(refused)

    information = entry["provisioningStatusInfo"]["errorInformation"]
    assert information["errorCode"] == "EntryConflict"
    assert information["reason"] == "App says 409"
    assert information["errorCategory"] == "nonServiceFailure"
    assert information["recommendedAction"].startswith("Find the object")
    assert entry["targetIdentity"]["id"] == ""


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("ContosoEntryConflict", "nonServiceFailure"),
        ("InternalError", "failure"),
        ("SomethingElse", "nonServiceFailure"),
    ],
)
def test_the_category_says_whose_it_is(code: str, category: str) -> None:
    entry = body(record(verdict=Verdict.FAILURE, code=code))
    assert entry["provisioningStatusInfo"]["errorInformation"]["errorCategory"] == category


def test_a_skip_is_explained_as_a_success() -> None:
    info = body(skipped("RedundantExport"))["provisioningStatusInfo"]
    assert info["status"] == "skipped"
    assert info["errorInformation"]["errorCode"] == "RedundantExport"
    assert info["errorInformation"]["errorCategory"] == "success"


def test_those_who_never_had_an_account_are_not_shown() -> None:
    never = skipped("NotEffectivelyEntitled", Situation.IGNORED)
    assert not is_shown(never)
    assert is_shown(replace(never, initiated_by="ada@example.com"))
    assert is_shown(skipped("NotEffectivelyEntitled", Situation.RELEASED))
    assert is_shown(record())


def test_ids_of_entries_are_unique_and_lead_back() -> None:
    ids = {entry_id(position, job) for position in (1, 2, 2**40) for job in ("a", "b")}
    assert len(ids) == 6
    assert all(str(UUID(id)) == id for id in ids)
    assert position_of(entry_id(2**40, "a")) == 2**40
    assert position_of("nonsense") is None


def test_beta_tells_the_older_forms_too() -> None:
    held = record(action=Action.STAGED_DELETE, verdict=Verdict.WARNING, code="StagedDelete")
    entry: Any = plain(to_beta_summary(5, held, CONTEXT))
    assert entry["action"] == "StagedDelete"
    assert entry["provisioningAction"] == "stagedDelete"
    assert entry["statusInfo"]["@odata.type"] == "#microsoft.graph.statusDetails"
    assert entry["statusInfo"]["status"] == "warning"
    assert entry["statusInfo"]["errorCode"] == "StagedDelete"


def test_a_mapping_that_is_no_more_still_says_both_kinds() -> None:
    key = replace(record().key, mapping=MappingName("worker to Person (old)"))
    entry = body(record(key=key))
    assert entry["sourceIdentity"]["identityType"] == "worker"
    assert entry["targetIdentity"]["identityType"] == "Person"


def test_who_asked_for_it_is_named() -> None:
    entry = body(record(initiated_by="ada@example.com"))
    assert entry["initiatedBy"]["initiatorType"] == "user"
    assert entry["provisioningSteps"][0]["name"] == "EntryImport"
    assert entry["provisioningSteps"][0]["description"] == "Retrieved User 'Ada' from HR"


def test_scoping_says_which_clause_decided() -> None:
    facts = Facts(
        is_assigned=True,
        is_active=True,
        passes_filter=True,
        deciding_clause="department EQUALS 'x'",
    )
    details = body(record(facts=facts))["provisioningSteps"][1]["details"]
    assert details == {
        "Active in the source system": "True",
        "Assigned to the application": "True",
        "User has the required role": "True",
        "Scoping filter evaluation passed": "True",
        "ScopeEvaluationResult": "{\"department EQUALS 'x'\":true}",
    }


def read(archive: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        return {
            name: list(csv.DictReader(io.StringIO(files.read(name).decode("utf-8-sig"))))
            for name in files.namelist()
        }


def test_the_csv_is_three_files_that_belong_together() -> None:
    changes = (AttributeChange("displayName", None, "=cmd|' /C calc'!A0"),)
    summary = to_summary(5, record(changes=changes, source_name="Ådä"), CONTEXT)

    files = read(to_archive([summary]))

    assert list(files) == [LOGS, STEPS, PROPERTIES]
    (entry,) = files[LOGS]
    assert (entry["changeId"], entry["status"], entry["errorCode"]) == ("change-1", "success", "")
    assert entry["sourceIdentityDisplayName"] == "Ådä"
    assert [row["name"] for row in files[STEPS]][-1] == "EntryExportAdd"
    assert {row["changeId"] for row in files[STEPS]} == {"change-1"}
    assert files[PROPERTIES][0]["newValue"] == "'=cmd|' /C calc'!A0"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert cell(f"{start}1") == f"'{start}1"
    assert cell(f"1{start}") == f"1{start}"
    assert cell(None) == ""


def test_the_same_log_is_the_same_archive() -> None:
    summaries = [to_summary(5, record(), CONTEXT)]
    assert to_archive(summaries) == to_archive(summaries)
