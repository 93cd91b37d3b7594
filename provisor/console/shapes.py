"""Documents of the API whose inner form its description leaves open, as pages read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from msgspec import field

from provisor.graph.wire.audits import DirectoryAudit
from provisor.graph.wire.base import Wire
from provisor.graph.wire.functions import FilterOperatorSchema, FunctionSchema
from provisor.graph.wire.logs import ProvisioningObjectSummary


class Change(Wire, frozen=True, kw_only=True):
    """What becomes of one attribute; for references who comes and who goes."""

    attribute: str
    before: str | None = None
    after: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Named(Wire, frozen=True, kw_only=True):
    id: str
    name: str = ""
    kind: str = ""

    @property
    def called(self) -> str:
        return self.name or self.id


class Fault(Wire, frozen=True, kw_only=True):
    code: str
    message: str = ""


class PlanStep(Wire, frozen=True, kw_only=True):
    action: str
    is_references: bool = False
    object_mapping: str
    whose: Named = field(name="object")
    situation: str
    row: int
    code: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def reason(self) -> tuple[str, str, str]:
        """What steps are grouped by: action, code or situation, mapping."""
        action = "references" if self.is_references else self.action
        return action, self.code or self.situation, self.object_mapping


class Plan(Wire, frozen=True, kw_only=True):
    job: str
    made_at: datetime
    is_store_restored: bool = False
    hash: str
    counts: dict[str, int]
    failed: int = 0
    error: Fault | None = None
    steps: tuple[PlanStep, ...] = ()
    step_count: int = 0

    @property
    def groups(self) -> Sequence[tuple[tuple[str, str, str], list[PlanStep]]]:
        ordered = sorted(self.steps, key=lambda one: one.reason)
        return [(why, list(many)) for why, many in groupby(ordered, lambda one: one.reason)]


class AlteredObject(Wire, frozen=True, kw_only=True):
    effect: str
    object_mapping: str
    whose: Named = field(name="object")
    code: str = ""
    reason: str = ""
    changes: tuple[Change, ...] = ()


class WhatIf(Wire, frozen=True, kw_only=True):
    """What a drafted schema would change."""

    examined: int
    changed_mappings: tuple[str, ...]
    counts: dict[str, int]
    in_doubt: int
    dropped_mappings: dict[str, int]
    unseen_attributes: tuple[str, ...]
    unknown_attributes: tuple[str, ...] = ()
    error: Fault | None
    objects: tuple[AlteredObject, ...]
    object_count: int

    @property
    def groups(self) -> Sequence[tuple[tuple[str, str], list[AlteredObject]]]:
        def why(one: AlteredObject) -> tuple[str, str]:
            return one.effect, one.object_mapping

        return [(k, list(many)) for k, many in groupby(sorted(self.objects, key=why), why)]


class Clause(Wire, frozen=True, kw_only=True):
    clause: str
    holds: bool
    attribute: str


class ScopeTold(Wire, frozen=True, kw_only=True):
    is_active: bool
    is_assigned: bool
    passes_filter: bool
    clauses: tuple[Clause, ...] = ()


class Query(Wire, frozen=True, kw_only=True):
    attribute: str
    value: str | None


class MatchTold(Wire, frozen=True, kw_only=True):
    linked_to: str | None
    link_state: str | None
    queries: tuple[Query, ...] = ()
    found: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    """Of the target, by which it is matched."""
    taken_by: str | None = None
    """The source object that the account found belongs to."""


class ValueStep(Wire, frozen=True, kw_only=True):
    expression: str
    level: int
    value: str
    error: str | None = None


class ValueTold(Wire, frozen=True, kw_only=True):
    target: str
    expression: str
    steps: tuple[ValueStep, ...] = ()

    @property
    def result(self) -> ValueStep | None:
        """The value of the whole: told last, at the outermost level."""
        return min(reversed(self.steps), key=lambda one: one.level, default=None)


class DecisionTold(Wire, frozen=True, kw_only=True):
    action: str
    row: int
    situation: str
    code: str = ""
    changes: tuple[Change, ...] = ()


class EscrowTold(Wire, frozen=True, kw_only=True):
    code: str
    reason: str
    attempts: int
    first_failed_at: datetime
    retry_at: datetime


class Explanation(Wire, frozen=True, kw_only=True):
    """Every step for one object, for one object mapping."""

    object_mapping: str
    whose: Named = field(name="object")
    is_in_source: bool
    source: dict[str, object] = field(default_factory=dict[str, object])
    scope: ScopeTold | None
    match: MatchTold
    values: tuple[ValueTold, ...]
    decision: DecisionTold | None
    problem: str
    references: tuple[Change, ...]
    escrow: EscrowTold | None
    references_escrow: EscrowTold | None


class Explanations(Wire, frozen=True, kw_only=True):
    value: tuple[Explanation, ...]


class Functions(Wire, frozen=True, kw_only=True):
    value: tuple[FunctionSchema, ...]


class Operators(Wire, frozen=True, kw_only=True):
    value: tuple[FilterOperatorSchema, ...]


class LogPage(Wire, frozen=True, kw_only=True):
    value: tuple[ProvisioningObjectSummary, ...]
    next_link: str = field(name="@odata.nextLink", default="")


class AuditPage(Wire, frozen=True, kw_only=True):
    value: tuple[DirectoryAudit, ...]
    next_link: str = field(name="@odata.nextLink", default="")
