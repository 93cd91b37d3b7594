"""Which connectors there are: by name, what each takes and how it is built.

Adapters are imported when one is used: whoever only asks for help waits for none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from provisor.connectors.described import DESCRIBED, Setting
from provisor.connectors.http.door import OPEN, Door
from provisor.model.expressions import attributes_of
from provisor.model.rules import IS_SOFT_DELETED, AttributeDefinition, ObjectMapping, Rules
from provisor.ports import Clock, Documents, Ears, Entropy, Prober, Source, Target, TargetReader

if TYPE_CHECKING:
    from provisor.connectors.activedirectory.settings import AdSettings
    from provisor.connectors.around.pace import Line, Paces
    from provisor.connectors.http.settings import HttpSettings
    from provisor.connectors.ldap.settings import LdapSettings
    from provisor.connectors.msgraph.settings import GraphSettings
    from provisor.connectors.scim.settings import ScimSettings
    from provisor.connectors.sql.catalogue import Catalogue
    from provisor.connectors.sql.rows import Plan
    from provisor.connectors.sql.settings import KindSettings, SqlSettings

CHECKED: Final = "settings are checked before they are used"
Settings: TypeAlias = Mapping[str, object]
"""As an administrator wrote them, every reference resolved."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one setting (`oauth.clientId`), and the way out."""

    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a connector needs besides its settings."""

    base: Path
    """What paths in settings are relative to."""
    rules: Rules
    clock: Clock
    entropy: Entropy
    paces: Paces | None = None
    """Shared by all jobs, so that two of them do not press one target twice as hard."""
    documents: Documents | None = None
    """Where a connector keeps what it is to know again."""
    owner: str = ""
    """Whose connection it is: the id of its application."""
    door: Door = OPEN
    """Where requests may go."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """All secrets of whoever's connection it is: none of them is to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One kind of directory. What it cannot be is None."""

    title: str
    check: Callable[[Settings, Path], Sequence[Complaint]]
    settings: tuple[Setting, ...] = ()
    """What its settings say, for whoever fills them in."""
    secrets: frozenset[str] = frozenset()
    """Settings that must not be stored in the open; `headers.` covers all below it."""
    missing: Callable[[Settings], str] = lambda _: ""
    """What is missing before it can be used at all; empty when nothing is."""
    definitions: Callable[[Settings, Path], Mapping[str, Sequence[AttributeDefinition]]] = (
        lambda _settings, _base: {}
    )
    """What a source itself knows of its attributes, as far as it can be seen now."""
    open_source: Callable[[Settings, Surroundings], Source] | None = None
    open_ears: Callable[[Settings, Surroundings], Ears] | None = None
    """Where the source may tell by itself that something has changed."""
    open_reader: Callable[[Settings, Surroundings], TargetReader] | None = None
    open_target: Callable[[Settings, Surroundings], Target] | None = None
    probe_source: Callable[[Settings, Surroundings], Prober] | None = None
    """Whoever can be opened can be probed. Rules may be empty: nothing is mapped yet."""
    probe_target: Callable[[Settings, Surroundings], Prober] | None = None

    def is_secret(self, path: str) -> bool:
        return path in self.secrets or f"{path.split('.')[0]}." in self.secrets


# CSV files


def _check_csv(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.csvfile.settings import Invalid, parse

    parsed = parse(settings, base)
    if isinstance(parsed, Invalid):
        return [Complaint(problem.path, problem.message) for problem in parsed.problems]
    return ()


def _csv_definitions(settings: Settings, base: Path) -> Mapping[str, Sequence[AttributeDefinition]]:
    """Return the columns that the headers show; nothing of a file that cannot be read yet."""
    from provisor.connectors.csvfile.probe import definitions_of
    from provisor.connectors.csvfile.settings import Invalid, parse

    parsed = parse(settings, base)
    return {} if isinstance(parsed, Invalid) else definitions_of(parsed)


def _open_csv(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.csvfile.memory import Memory
    from provisor.connectors.csvfile.settings import CsvSettings, parse
    from provisor.connectors.csvfile.source import CsvSource

    parsed = parse(settings, around.base)
    assert isinstance(parsed, CsvSettings), CHECKED
    memory = None
    if around.documents is not None:
        memory = Memory(around.documents, around.owner, parsed.format.encoding)
    return CsvSource(parsed, around.clock, required(around.rules), memory=memory)


def _probe_csv(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.csvfile.probe import CsvProber
    from provisor.connectors.csvfile.settings import CsvSettings, parse

    parsed = parse(settings, around.base)
    assert isinstance(parsed, CsvSettings), CHECKED
    return CsvProber(parsed, around.clock, required(around.rules))


def required(rules: Rules) -> Mapping[str, frozenset[str]]:
    """Return, by kind of source object, the attributes that mappings and filters read."""
    found: dict[str, frozenset[str]] = {}
    for mapping in rules.values():
        if mapping.is_enabled:
            kind = mapping.source_kind
            found[kind] = found.get(kind, frozenset()) | _read_by(mapping)
    return found


def _read_by(mapping: ObjectMapping) -> frozenset[str]:
    groups = (*mapping.scope, *mapping.input_filter, *mapping.category_filter)
    names = {clause.attribute for group in groups for clause in group.clauses}
    for attribute in mapping.attributes:
        if attribute.source is not None:
            names |= attributes_of(attribute.source)
    return frozenset(names)


# SCIM 2.0


def _check_scim(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.http.settings import Invalid
    from provisor.connectors.scim.settings import parse

    parsed = parse(_scim_paths(settings, base))
    if isinstance(parsed, Invalid):
        return [Complaint(problem.key, problem.message) for problem in parsed.problems]
    return ()


def _scim_paths(settings: Settings, base: Path) -> Settings:
    """Make the one path in the settings absolute."""
    name = settings.get("caFile")
    return {**settings, "caFile": str(base / name)} if isinstance(name, str) and name else settings


def _missing_in_scim(settings: Settings) -> str:
    if not settings.get("baseAddress"):
        return "baseAddress"
    has_basic = settings.get("userName") and settings.get("password")
    if settings.get("token") or has_basic or settings.get("oauth"):
        return ""
    return "credentials: token, oauth, or userName with password"


def _scim_settings(settings: Settings, around: Surroundings) -> ScimSettings:
    from provisor.connectors.scim.settings import ScimSettings, parse

    parsed = parse(_scim_paths(settings, around.base))
    assert isinstance(parsed, ScimSettings), CHECKED
    return replace(parsed, door=around.door, hidden=around.hidden)


def _open_scim_source(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.scim.source import ScimSource

    parsed = _scim_settings(settings, around)
    return ScimSource(parsed, around.clock, around.entropy, pace=_pace(parsed, around))


def _probe_scim_source(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.scim.source_probe import ScimSourceProber

    parsed = _scim_settings(settings, around)
    wanted, pace = required(around.rules), _pace(parsed, around)
    return ScimSourceProber(parsed, wanted, around.clock, around.entropy, pace=pace)


def _open_scim_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.scim.reader import ScimReader

    parsed = _scim_settings(settings, around)
    kinds, pace = written(around.rules), _pace(parsed, around)
    return ScimReader(parsed, kinds, around.clock, around.entropy, pace=pace)


def _open_scim_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.scim.target import ScimTarget

    parsed = _scim_settings(settings, around)
    kinds, pace = written(around.rules), _pace(parsed, around)
    return ScimTarget(parsed, kinds, around.clock, around.entropy, pace=pace)


def _probe_scim(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.scim.probe import ScimProber

    parsed = _scim_settings(settings, around)
    kinds, pace = written(around.rules), _pace(parsed, around)
    return ScimProber(parsed, kinds, around.clock, around.entropy, pace=pace)


def _pace(settings: HttpSettings, around: Surroundings) -> Line | None:
    if around.paces is None:
        return None
    return around.paces.of(settings.base, settings.rate_limit, settings.connections_max)


def written(rules: Rules) -> Mapping[str, tuple[AttributeDefinition, ...]]:
    """Return, by kind of target object, the attributes that are mapped."""
    found: dict[str, dict[str, AttributeDefinition]] = {}
    for mapping in rules.values():
        attributes = found.setdefault(mapping.target_kind, {})
        attributes.update((m.target.name, m.target) for m in mapping.attributes)
    return {kind: tuple(attributes.values()) for kind, attributes in found.items()}


# databases


def _check_sql(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.sql.form import Invalid
    from provisor.connectors.sql.settings import parse

    parsed = parse(settings, base)
    if isinstance(parsed, Invalid):
        return [Complaint(problem.path, problem.message) for problem in parsed.problems]
    return ()


def _sql_settings(settings: Settings, base: Path) -> SqlSettings:
    from provisor.connectors.sql.settings import SqlSettings, parse

    parsed = parse(settings, base)
    assert isinstance(parsed, SqlSettings), CHECKED
    return parsed


def _open_sql(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.sql.source import SqlSource

    return SqlSource(_sql_settings(settings, around.base), around.clock)


def _open_sql_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.sql.targetreader import SqlReader

    return SqlReader(_sql_settings(settings, around.base), written(around.rules))


def _open_sql_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.sql.target import SqlTarget

    parsed = _sql_settings(settings, around.base)
    return SqlTarget(parsed, written(around.rules), around.entropy)


def _probe_sql_target(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.sql.probe import SqlProber
    from provisor.connectors.sql.targetreader import target_plan, target_system

    parsed = _sql_settings(settings, around.base)
    mapped = {
        kind: frozenset(one.name for one in every) for kind, every in written(around.rules).items()
    }

    def planner(kind: KindSettings, catalogue: Catalogue) -> Plan:
        return target_plan(kind, catalogue, None)

    return SqlProber(parsed, target_system(parsed), planner, is_target=True, mapped=mapped)


def _probe_sql_source(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.sql.probe import SqlProber
    from provisor.connectors.sql.source import source_plan, system_of

    parsed = _sql_settings(settings, around.base)
    mapped = {kind: names - {IS_SOFT_DELETED} for kind, names in required(around.rules).items()}
    return SqlProber(parsed, system_of(parsed), source_plan, is_target=False, mapped=mapped)


# Microsoft Graph


def _check_graph(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.http.settings import Invalid
    from provisor.connectors.msgraph.settings import parse

    parsed = parse(_scim_paths(settings, base))
    if isinstance(parsed, Invalid):
        return [Complaint(problem.key, problem.message) for problem in parsed.problems]
    return ()


def _missing_in_graph(settings: Settings) -> str:
    if settings.get("token") or (settings.get("clientId") and settings.get("clientSecret")):
        return ""
    return "credentials: tenant, clientId and clientSecret"


def _graph_settings(settings: Settings, around: Surroundings) -> GraphSettings:
    from provisor.connectors.msgraph.settings import GraphSettings, parse

    parsed = parse(_scim_paths(settings, around.base))
    assert isinstance(parsed, GraphSettings), CHECKED
    return replace(parsed, door=around.door, hidden=around.hidden)


def _open_graph_source(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.msgraph.source import GraphSource

    assert around.documents is not None, "the image of a tenant is kept in the store"
    parsed = _graph_settings(settings, around)
    clock, entropy, pace = around.clock, around.entropy, _pace(parsed, around)
    return GraphSource(parsed, around.documents, around.owner, clock, entropy, pace=pace)


def _open_graph_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.msgraph.target import GraphReader

    parsed = _graph_settings(settings, around)
    kinds, pace = written(around.rules), _pace(parsed, around)
    return GraphReader(parsed, kinds, around.clock, around.entropy, pace=pace)


def _open_graph_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.msgraph.target import GraphTarget

    parsed = _graph_settings(settings, around)
    kinds, pace = written(around.rules), _pace(parsed, around)
    return GraphTarget(parsed, kinds, around.clock, around.entropy, pace=pace)


def _probe_graph(settings: Settings, around: Surroundings, *, is_source: bool) -> Prober:
    from provisor.connectors.msgraph.probe import GraphProber

    parsed = _graph_settings(settings, around)
    kinds = written({} if is_source else around.rules)
    clock, entropy, pace = around.clock, around.entropy, _pace(parsed, around)
    return GraphProber(parsed, kinds, clock, entropy, is_source=is_source, pace=pace)


# people pushed through the API


def _check_inbound(settings: Settings, base: Path) -> Sequence[Complaint]:
    return [Complaint(name, "is not a setting of inbound sources") for name in settings]


def _open_inbound(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.inbound.source import InboundDirectory

    assert around.documents is not None, "what was pushed is kept in the store"
    return InboundDirectory(around.documents, around.owner, around.entropy, match="objectId")


def _probe_inbound(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.inbound.probe import InboundProber
    from provisor.connectors.inbound.source import InboundDirectory

    assert around.documents is not None, "what was pushed is kept in the store"
    directory = InboundDirectory(around.documents, around.owner, around.entropy, match="objectId")
    return InboundProber(directory, "objectId")


# LDAP directories


def _check_ldap(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.ldap.settings import Invalid, parse

    parsed = parse(settings, base)
    if isinstance(parsed, Invalid):
        return [Complaint(problem.path, problem.message) for problem in parsed.problems]
    return ()


def _missing_in_ldap(settings: Settings) -> str:
    return next((name for name in ("url", "base") if not settings.get(name)), "")


def _ldap_settings(settings: Settings, base: Path) -> LdapSettings:
    from provisor.connectors.ldap.settings import LdapSettings, parse

    parsed = parse(settings, base)
    assert isinstance(parsed, LdapSettings), CHECKED
    return parsed


def _open_ldap(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.ldap.source import LdapSource

    parsed = _ldap_settings(settings, around.base)
    return LdapSource(parsed, around.clock, required(around.rules))


def _open_ldap_ears(settings: Settings, around: Surroundings) -> Ears:
    from provisor.connectors.ldap.listening import LdapEars

    return LdapEars(_ldap_settings(settings, around.base))


def _open_ldap_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.ldap.reader import LdapReader

    parsed = _ldap_settings(settings, around.base)
    return LdapReader(parsed, written(around.rules), around.clock)


def _open_ldap_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.ldap.target import LdapTarget

    parsed = _ldap_settings(settings, around.base)
    return LdapTarget(parsed, written(around.rules), around.clock)


def _probe_ldap_target(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.ldap.target_probe import LdapTargetProber

    parsed = _ldap_settings(settings, around.base)
    return LdapTargetProber(parsed, written(around.rules), around.clock)


def _probe_ldap(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.ldap.probe import LdapProber

    return LdapProber(_ldap_settings(settings, around.base), required(around.rules))


# Active Directory


def _check_ad(settings: Settings, base: Path) -> Sequence[Complaint]:
    from provisor.connectors.activedirectory.settings import Invalid, parse

    parsed = parse(settings, base)
    if isinstance(parsed, Invalid):
        return [Complaint(problem.path, problem.message) for problem in parsed.problems]
    return ()


def _missing_in_ad(settings: Settings) -> str:
    needed = ("url", "base") if settings.get("sasl") else ("url", "base", "bindDn", "password")
    return next((name for name in needed if not settings.get(name)), "")


def _ad_settings(settings: Settings, base: Path) -> AdSettings:
    from provisor.connectors.activedirectory.settings import AdSettings, parse

    parsed = parse(settings, base)
    assert isinstance(parsed, AdSettings), CHECKED
    return parsed


def _open_ad(settings: Settings, around: Surroundings) -> Source:
    from provisor.connectors.activedirectory.source import AdSource

    return AdSource(_ad_settings(settings, around.base), around.clock, required(around.rules))


def _probe_ad(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.activedirectory.probe import AdProber

    return AdProber(_ad_settings(settings, around.base), around.clock, required(around.rules))


def _open_ad_reader(settings: Settings, around: Surroundings) -> TargetReader:
    from provisor.connectors.activedirectory.reader import AdReader

    return AdReader(_ad_settings(settings, around.base), written(around.rules), around.clock)


def _open_ad_target(settings: Settings, around: Surroundings) -> Target:
    from provisor.connectors.activedirectory.target import AdTarget

    parsed = _ad_settings(settings, around.base)
    return AdTarget(parsed, written(around.rules), around.clock, around.entropy)


def _probe_ad_target(settings: Settings, around: Surroundings) -> Prober:
    from provisor.connectors.activedirectory.target_probe import AdTargetProber

    parsed = _ad_settings(settings, around.base)
    return AdTargetProber(parsed, written(around.rules), around.clock)


CONNECTORS: Final[Mapping[str, Connector]] = MappingProxyType(
    {
        "activedirectory": Connector(
            title="An Active Directory domain",
            check=_check_ad,
            settings=DESCRIBED["activedirectory"],
            secrets=frozenset({"password", "initialPassword"}),
            missing=_missing_in_ad,
            open_source=_open_ad,
            open_reader=_open_ad_reader,
            open_target=_open_ad_target,
            probe_source=_probe_ad,
            probe_target=_probe_ad_target,
        ),
        "csv": Connector(
            title="CSV files of users, groups and memberships",
            check=_check_csv,
            settings=DESCRIBED["csv"],
            definitions=_csv_definitions,
            open_source=_open_csv,
            probe_source=_probe_csv,
        ),
        "inbound": Connector(
            title="People pushed through the API",
            check=_check_inbound,
            settings=DESCRIBED["inbound"],
            open_source=_open_inbound,
            probe_source=_probe_inbound,
        ),
        "ldap": Connector(
            title="A directory that speaks LDAP",
            check=_check_ldap,
            settings=DESCRIBED["ldap"],
            secrets=frozenset({"password"}),
            missing=_missing_in_ldap,
            open_source=_open_ldap,
            open_ears=_open_ldap_ears,
            open_reader=_open_ldap_reader,
            open_target=_open_ldap_target,
            probe_source=_probe_ldap,
            probe_target=_probe_ldap_target,
        ),
        "sql": Connector(
            title="A database: PostgreSQL, MariaDB, MySQL, SQLite, or another",
            check=_check_sql,
            settings=DESCRIBED["sql"],
            secrets=frozenset({"password"}),
            open_source=_open_sql,
            open_reader=_open_sql_reader,
            open_target=_open_sql_target,
            probe_source=_probe_sql_source,
            probe_target=_probe_sql_target,
        ),
        "msgraph": Connector(
            title="A tenant of Microsoft Entra ID, by Microsoft Graph",
            check=_check_graph,
            settings=DESCRIBED["msgraph"],
            secrets=frozenset({"token", "clientSecret", "proxy"}),
            missing=_missing_in_graph,
            open_source=_open_graph_source,
            open_reader=_open_graph_reader,
            open_target=_open_graph_target,
            probe_source=partial(_probe_graph, is_source=True),
            probe_target=partial(_probe_graph, is_source=False),
        ),
        "scim": Connector(
            title="A SCIM 2.0 service",
            check=_check_scim,
            settings=DESCRIBED["scim"],
            secrets=frozenset({"token", "password", "oauth.clientSecret", "headers.", "proxy"}),
            missing=_missing_in_scim,
            open_source=_open_scim_source,
            probe_source=_probe_scim_source,
            open_reader=_open_scim_reader,
            open_target=_open_scim_target,
            probe_target=_probe_scim,
        ),
    }
)
