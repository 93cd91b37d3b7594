"""Databases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provisor.connectors.catalog.connector import (
    CHECKED,
    Complaint,
    Settings,
    Surroundings,
    required,
    written,
)
from provisor.model.rules import IS_SOFT_DELETED
from provisor.ports import Prober, Source, Target, TargetReader

if TYPE_CHECKING:
    from provisor.connectors.sql.catalogue import Catalogue
    from provisor.connectors.sql.rows import Plan
    from provisor.connectors.sql.settings import KindSettings, SqlSettings


def check_sql(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.sql.form import Invalid
    from provisor.connectors.sql.settings import parse

    parsed = parse(settings, base)
    if isinstance(parsed, Invalid):
        return [Complaint(problem.path, problem.message) for problem in parsed.problems]
    return ()


def sql_settings(settings: Settings, base: Path) -> SqlSettings:
    from provisor.connectors.sql.settings import SqlSettings, parse

    parsed = parse(settings, base)
    assert isinstance(parsed, SqlSettings), CHECKED
    return parsed


def open_sql(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.sql.source import SqlSource

    return SqlSource(sql_settings(settings, around.base), around.clock)


def open_sql_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.sql.targetreader import SqlReader

    return SqlReader(sql_settings(settings, around.base), written(around.rules))


def open_sql_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.sql.target import SqlTarget

    parsed = sql_settings(settings, around.base)
    target = SqlTarget(parsed, written(around.rules), around.entropy)
    return target.overheard(around.trace, around.clock)


def probe_sql_target(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.sql.probe import SqlProber
    from provisor.connectors.sql.targetreader import target_plan, target_system

    parsed = sql_settings(settings, around.base)
    mapped = {
        kind: frozenset(one.name for one in every) for kind, every in written(around.rules).items()
    }

    def planner(kind: KindSettings, catalogue: Catalogue) -> Plan:
        return target_plan(kind, catalogue, None)

    return SqlProber(parsed, target_system(parsed), planner, is_target=True, mapped=mapped)


def probe_sql_source(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.sql.probe import SqlProber
    from provisor.connectors.sql.source import source_plan, system_of

    parsed = sql_settings(settings, around.base)
    mapped = {kind: names - {IS_SOFT_DELETED} for kind, names in required(around.rules).items()}
    return SqlProber(parsed, system_of(parsed), source_plan, is_target=False, mapped=mapped)
