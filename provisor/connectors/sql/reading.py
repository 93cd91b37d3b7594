"""The frame of one read: the connection with its one transaction, and what was found so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from provisor.connectors.sql.failures import INCOMPLETE
from provisor.connectors.sql.rows import Fault, Plan
from provisor.connectors.sql.settings import SqlSettings
from provisor.errors import Unreachable
from provisor.model.entries import ReadFault


def incomplete(message: str) -> Unreachable:
    """Return what ends a read that cannot be believed any further."""
    return Unreachable(message, code=INCOMPLETE)


@dataclass(slots=True, kw_only=True)
class Reading:
    """One read. Everything it sees it sees in one transaction."""

    settings: SqlSettings
    connection: Connection
    plans: tuple[Plan, ...]
    digest: str
    now: datetime
    rows: Counter[str] = field(default_factory=Counter[str])
    void: dict[str, str] = field(default_factory=dict[str, str])

    def fault(self, plan: Plan, fault: Fault, way_out: str = "put the row right") -> ReadFault:
        """Note a row that is no object: absence of its kind is not proven any more."""
        where = f"{plan.table.label}, row {fault.anchor}" if fault.anchor else plan.table.label
        self.void.setdefault(plan.kind, f"{where}: {fault.message}")
        return ReadFault(
            kind=plan.kind,
            where=where,
            message=f"{fault.message}; {way_out}",
            anchor=fault.anchor,
        )
