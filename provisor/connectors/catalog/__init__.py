"""Which connectors there are: by name, what each takes and how it is built.

Adapters are imported when one is used: whoever only asks for help waits for none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from provisor.connectors.catalog.connector import (
    Complaint,
    Connector,
    Settings,
    Surroundings,
    required,
    written,
)
from provisor.connectors.catalog.databases import (
    check_sql,
    open_sql,
    open_sql_reader,
    open_sql_target,
    probe_sql_source,
    probe_sql_target,
)
from provisor.connectors.catalog.directories import (
    check_ad,
    check_ldap,
    missing_in_ad,
    missing_in_ldap,
    open_ad,
    open_ad_reader,
    open_ad_target,
    open_ldap,
    open_ldap_ears,
    open_ldap_reader,
    open_ldap_target,
    probe_ad,
    probe_ad_target,
    probe_ldap,
    probe_ldap_target,
)
from provisor.connectors.catalog.files import (
    check_csv,
    csv_definitions,
    open_csv,
    probe_csv,
)
from provisor.connectors.catalog.inbound import (
    check_inbound,
    open_inbound,
    probe_inbound,
)
from provisor.connectors.catalog.services import (
    check_graph,
    check_scim,
    missing_in_graph,
    missing_in_scim,
    open_graph_reader,
    open_graph_source,
    open_graph_target,
    open_scim_reader,
    open_scim_source,
    open_scim_target,
    probe_graph,
    probe_scim,
    probe_scim_source,
)
from provisor.connectors.described import DESCRIBED

__all__ = [
    "CONNECTORS",
    "Complaint",
    "Connector",
    "Settings",
    "Surroundings",
    "required",
    "written",
]

CONNECTORS: Final[Mapping[str, Connector]] = MappingProxyType(
    {
        "activedirectory": Connector(
            title="An Active Directory domain",
            check=check_ad,
            settings=DESCRIBED["activedirectory"],
            secrets=frozenset({"password", "initialPassword"}),
            missing=missing_in_ad,
            open_source=open_ad,
            open_reader=open_ad_reader,
            open_target=open_ad_target,
            probe_source=probe_ad,
            probe_target=probe_ad_target,
        ),
        "csv": Connector(
            title="CSV files of users, groups and memberships",
            check=check_csv,
            settings=DESCRIBED["csv"],
            definitions=csv_definitions,
            open_source=open_csv,
            probe_source=probe_csv,
        ),
        "inbound": Connector(
            title="People pushed through the API",
            check=check_inbound,
            settings=DESCRIBED["inbound"],
            open_source=open_inbound,
            probe_source=probe_inbound,
        ),
        "ldap": Connector(
            title="A directory that speaks LDAP",
            check=check_ldap,
            settings=DESCRIBED["ldap"],
            secrets=frozenset({"password"}),
            missing=missing_in_ldap,
            open_source=open_ldap,
            open_ears=open_ldap_ears,
            open_reader=open_ldap_reader,
            open_target=open_ldap_target,
            probe_source=probe_ldap,
            probe_target=probe_ldap_target,
        ),
        "sql": Connector(
            title="A database: PostgreSQL, MariaDB, MySQL, SQLite, or another",
            check=check_sql,
            settings=DESCRIBED["sql"],
            secrets=frozenset({"password"}),
            open_source=open_sql,
            open_reader=open_sql_reader,
            open_target=open_sql_target,
            probe_source=probe_sql_source,
            probe_target=probe_sql_target,
        ),
        "msgraph": Connector(
            title="A tenant of Microsoft Entra ID, by Microsoft Graph",
            check=check_graph,
            settings=DESCRIBED["msgraph"],
            secrets=frozenset({"token", "clientSecret", "proxy"}),
            missing=missing_in_graph,
            open_source=open_graph_source,
            open_reader=open_graph_reader,
            open_target=open_graph_target,
            probe_source=partial(probe_graph, is_source=True),
            probe_target=partial(probe_graph, is_source=False),
        ),
        "scim": Connector(
            title="A SCIM 2.0 service",
            check=check_scim,
            settings=DESCRIBED["scim"],
            secrets=frozenset({"token", "password", "oauth.clientSecret", "headers.", "proxy"}),
            missing=missing_in_scim,
            open_source=open_scim_source,
            probe_source=probe_scim_source,
            open_reader=open_scim_reader,
            open_target=open_scim_target,
            probe_target=probe_scim,
        ),
    }
)
