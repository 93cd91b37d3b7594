"""Log records to tell: somebody called Ada, in every situation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from provisor.graph.translate.log import LogContext
from provisor.graph.translate.narrate import Names
from provisor.model.decisions import Action, Facts, Record, Situation, StandingKey, Verdict
from provisor.model.entries import Anchor
from provisor.model.frozen import replace
from provisor.model.rules import MappingName

AT = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
WANTED = Facts(is_assigned=True, is_active=True, passes_filter=True)
NAMES = Names(source="HR", target="App", source_kind="User", target_kind="User")
CONTEXT = LogContext(
    tenant_id="74beb175-3b80-4b63-b9d5-6f0b76082b16",
    job_id="scim.74beb1753b804b63b9d56f0b76082b16.bfc8712e-0986-4d47-896b-6872713598c6",
    principal_id="29f68db3-1000-46bf-a940-f5ea3ecc39e7",
    app_id="bfc8712e-0986-4d47-896b-6872713598c6",
    application="People",
    source_id="source-id",
    source="HR",
    target_id="target-id",
    target="App",
    kinds={MappingName("User to User"): ("User", "User")},
)
RECORD = Record(
    cycle="cycle-1",
    change="change-1",
    at=AT,
    duration_ms=120,
    key=StandingKey(MappingName("User to User"), Anchor("7")),
    row=1,
    situation=Situation.ABSENT,
    action=Action.CREATE,
    verdict=Verdict.SUCCESS,
    is_exported=True,
    is_export_due=True,
    facts=WANTED,
    source_name="Ada",
    target=Anchor("t7"),
    target_name="ada",
)


def record(**changes: Any) -> Record:
    """Return the record of a creation, with changes."""
    return replace(RECORD, **changes)


def skipped(code: str, situation: Situation = Situation.CONFIRMED, **changes: Any) -> Record:
    return record(
        situation=situation,
        action=Action.OTHER,
        verdict=Verdict.SKIPPED,
        code=code,
        is_export_due=False,
        is_exported=False,
        **changes,
    )
