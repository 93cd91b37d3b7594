"""Services over HTTP: SCIM, and Microsoft Graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from provisor.connectors.catalog.connector import (
    CHECKED,
    Complaint,
    Settings,
    Surroundings,
    pace_of,
    required,
    written,
)
from provisor.ports import Prober, Source, Target, TargetReader

if TYPE_CHECKING:
    from provisor.connectors.msgraph.settings import GraphSettings
    from provisor.connectors.scim.settings import ScimSettings


def check_scim(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.http.settings import Invalid
    from provisor.connectors.scim.settings import parse

    parsed = parse(scim_paths(settings, base))
    if isinstance(parsed, Invalid):
        return [Complaint(problem.key, problem.message) for problem in parsed.problems]
    return ()


def scim_paths(settings: Settings, base: Path) -> Settings:
    """Make the one path in the settings absolute."""
    name = settings.get("caFile")
    return {**settings, "caFile": str(base / name)} if isinstance(name, str) and name else settings


def missing_in_scim(settings: Settings) -> str:
    if not settings.get("baseAddress"):
        return "baseAddress"
    has_basic = settings.get("userName") and settings.get("password")
    if settings.get("token") or has_basic or settings.get("oauth"):
        return ""
    return "credentials: token, oauth, or userName with password"


def scim_settings(settings: Settings, around: Surroundings) -> ScimSettings:
    from provisor.connectors.scim.settings import ScimSettings, parse

    parsed = parse(scim_paths(settings, around.base))
    assert isinstance(parsed, ScimSettings), CHECKED
    return replace(parsed, door=around.door, hidden=around.hidden)


def open_scim_source(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.scim.source import ScimSource

    parsed = scim_settings(settings, around)
    return ScimSource(parsed, around.clock, around.entropy, pace=pace_of(parsed, around))


def probe_scim_source(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.scim.source_probe import ScimSourceProber

    parsed = scim_settings(settings, around)
    wanted, pace = required(around.rules), pace_of(parsed, around)
    return ScimSourceProber(parsed, wanted, around.clock, around.entropy, pace=pace)


def open_scim_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.scim.reader import ScimReader

    parsed = scim_settings(settings, around)
    kinds, pace = written(around.rules), pace_of(parsed, around)
    return ScimReader(parsed, kinds, around.clock, around.entropy, pace=pace)


def open_scim_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.scim.target import ScimTarget

    parsed = scim_settings(settings, around)
    kinds, pace = written(around.rules), pace_of(parsed, around)
    return ScimTarget(parsed, kinds, around.clock, around.entropy, pace=pace, trace=around.trace)


def probe_scim(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.scim.probe import ScimProber

    parsed = scim_settings(settings, around)
    kinds, pace = written(around.rules), pace_of(parsed, around)
    return ScimProber(parsed, kinds, around.clock, around.entropy, pace=pace)


def check_graph(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.http.settings import Invalid
    from provisor.connectors.msgraph.settings import parse

    parsed = parse(scim_paths(settings, base))
    if isinstance(parsed, Invalid):
        return [Complaint(problem.key, problem.message) for problem in parsed.problems]
    return ()


def missing_in_graph(settings: Settings) -> str:
    if settings.get("token") or (settings.get("clientId") and settings.get("clientSecret")):
        return ""
    return "credentials: tenant, clientId and clientSecret"


def graph_settings(settings: Settings, around: Surroundings) -> GraphSettings:
    from provisor.connectors.msgraph.settings import GraphSettings, parse

    parsed = parse(scim_paths(settings, around.base))
    assert isinstance(parsed, GraphSettings), CHECKED
    return replace(parsed, door=around.door, hidden=around.hidden)


def open_graph_source(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.msgraph.source import GraphSource

    assert around.documents is not None, "the image of a tenant is kept in the store"
    parsed = graph_settings(settings, around)
    clock, entropy, pace = around.clock, around.entropy, pace_of(parsed, around)
    return GraphSource(parsed, around.documents, around.owner, clock, entropy, pace=pace)


def open_graph_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.msgraph.target import GraphReader

    parsed = graph_settings(settings, around)
    kinds, pace = written(around.rules), pace_of(parsed, around)
    return GraphReader(parsed, kinds, around.clock, around.entropy, pace=pace)


def open_graph_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.msgraph.target import GraphTarget

    parsed = graph_settings(settings, around)
    kinds, pace = written(around.rules), pace_of(parsed, around)
    return GraphTarget(parsed, kinds, around.clock, around.entropy, pace=pace, trace=around.trace)


def probe_graph(settings: Settings, around: Surroundings, *, is_source: bool) -> Prober:
    from provisor.connectors.msgraph.probe import GraphProber

    parsed = graph_settings(settings, around)
    kinds = written({} if is_source else around.rules)
    clock, entropy, pace = around.clock, around.entropy, pace_of(parsed, around)
    return GraphProber(parsed, kinds, clock, entropy, is_source=is_source, pace=pace)
