"""Where Terraform begins: what there is, and a short-lived token for an API key."""

from __future__ import annotations

from urllib.parse import parse_qsl

from provisor.graph.http.answers import Answer, Document, said
from provisor.graph.http.auth import LIFETIME_S
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault
from provisor.graph.http.throttle import TOKENS

SUFFIXES = (
    "azureDataLakeStoreFileSystem", "acrLoginServer", "sqlServerHostname",
    "azureDataLakeAnalyticsCatalogAndJob", "keyVaultDns", "storage",
    "azureFrontDoorEndpointSuffix", "storageSyncEndpointSuffix", "mhsmDns",
    "mysqlServerEndpoint", "postgresqlServerEndpoint", "mariadbServerEndpoint",
    "synapseAnalytics", "attestationEndpoint",
)  # fmt: skip


async def endpoints(call: Call) -> Answer:
    """Return where everything is: here."""
    base = f"{call.base}/"
    made: Document = {
        "name": "Provisor",
        "portal": base,
        "resourceManager": base,
        "microsoftGraphResourceId": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": [base],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": dict.fromkeys(SUFFIXES, "none.invalid"),
    }
    return said(made)


async def token(call: Call) -> Answer:
    """Exchange an API key for a token of an hour: its id is the client, its text the secret."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    client, secret = form.get("client_id", ""), form.get("client_secret", "")
    call.house.throttle.admit(TOKENS, client)
    try:
        if form.get("grant_type") != "client_credentials":
            raise Fault(400, "unsupported_grant_type", "client_credentials is what is granted.")
        text, _ = await call.gatekeeper.grant(call.key("tenant"), client, secret)
    except Fault as fault:
        return said({"error": fault.code, "error_description": fault.message}, fault.status)
    made: Document = {"token_type": "Bearer", "expires_in": LIFETIME_S, "access_token": text}
    return said(made, headers={"Cache-Control": "no-store"})
