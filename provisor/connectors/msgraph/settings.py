"""The settings of a connection to Microsoft Graph, checked once, with all problems at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from provisor.connectors.http.settings import (
    Anonymous,
    Bearer,
    ClientCredentials,
    Credentials,
    HttpSettings,
    Invalid,
    Placement,
    SettingsReader,
    base_of,
    read_ca_file,
    read_proxy,
    read_timeouts,
    read_url,
)

DAY_S: Final = 86_400.0
BASE: Final = "https://graph.microsoft.com/v1.0"
AUTHORITY: Final = "https://login.microsoftonline.com"
PROPERTY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSettings(HttpSettings):
    tenant: str = ""
    page_size: int = 200
    reads_groups: bool = True
    full_read_every_s: float = 7 * DAY_S
    attributes: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    """Names inside by property of users, as the administrator wrote them; None leaves it out."""

    @property
    def account(self) -> str:
        """The tenant and who we are there. Never a secret."""
        match self.credentials:
            case ClientCredentials(client_id=client_id):
                return f"{self.tenant}:{client_id}"
            case _:
                return self.tenant


def parse(raw: Mapping[str, object]) -> GraphSettings | Invalid:
    """Return the settings that a mapping holds, or all that is wrong with it."""
    reader = SettingsReader(raw, "Microsoft Graph")
    allows_insecure = reader.flag("allowInsecure", default=False)
    address = read_url(reader, "baseAddress", reader.text("baseAddress", BASE), allows_insecure)
    base = base_of(address) if address is not None else ""
    tenant = reader.text("tenant")
    attributes = reader.renames("attributes")
    for name in attributes:
        if not PROPERTY.fullmatch(name):
            reader.complain(f"attributes.{name}", "is no property of a user")
    settings = GraphSettings(
        base=base,
        tenant=tenant,
        credentials=_credentials(reader, tenant, base, allows_insecure),
        ca_file=read_ca_file(reader),
        proxy=read_proxy(reader),
        timeouts=read_timeouts(reader),
        rate_limit=reader.amount("rateLimit", None),
        connections_max=reader.count("connectionsMax", 16),
        page_size=min(reader.count("pageSize", 200), 999),
        reads_groups=reader.flag("groups", default=True),
        full_read_every_s=reader.seconds("fullReadEvery", 7 * DAY_S, 60, 365 * DAY_S),
        attributes=attributes,
    )
    reader.finish()
    return Invalid(tuple(reader.problems)) if reader.problems else settings


def _credentials(
    reader: SettingsReader, tenant: str, base: str, allows_insecure: bool
) -> Credentials:
    token, authority = reader.text("token"), reader.text("authority", AUTHORITY).rstrip("/")
    client_id, client_secret = reader.text("clientId"), reader.text("clientSecret")
    if token:
        if client_id or client_secret:
            reader.complain("token", "give either a token, or clientId with clientSecret")
        return Bearer(token.strip())
    if not client_id and not client_secret:
        return Anonymous()
    for key, value in (("clientId", client_id), ("clientSecret", client_secret)):
        if not value:
            reader.complain(key, "is missing: clientId and clientSecret go together")
    if not tenant:
        reader.complain("tenant", "is missing: the id or a domain of the tenant")
    read_url(reader, "authority", authority, allows_insecure)
    origin = "/".join(base.split("/")[:3])
    return ClientCredentials(
        token_url=f"{authority}/{tenant}/oauth2/v2.0/token",
        client_id=client_id,
        client_secret=client_secret,
        scopes=(f"{origin}/.default",),
        placement=Placement.BODY,
    )
