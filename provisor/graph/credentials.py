"""Secrets as the API takes them: which there are, where they lie, and the settings they make.

What the API put lies over what the file says (spec: settled 34, 35). Values are in the vault; the
order in which they were put is beside the application, so that they come back in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias, cast
from urllib.parse import urlsplit

import msgspec

from provisor.graph.policy import HARD_DELETES, NOTIFICATIONS, SKIP_OUT_OF_SCOPE, SYNC_ALL
from provisor.model.jobs import Application
from provisor.ports import Registry, Vault

SECRETS: Final = "secrets"
"""The document with the keys in their order."""
MASK: Final = "*"

KEYS: Final = (
    "None", "UserName", "Password", "SecretToken", "AppKey", "BaseAddress", "ClientIdentifier",
    "ClientSecret", "SingleSignOnType", "Sandbox", "Url", "Domain", "ConsumerKey",
    "ConsumerSecret", "TokenKey", "TokenExpiration", "Oauth2AccessToken",
    "Oauth2AccessTokenCreationTime", "Oauth2RefreshToken", "SyncAll", "InstanceName",
    "Oauth2ClientId", "Oauth2ClientSecret", "CompanyId", "UpdateKeyOnSoftDelete",
    "SynchronizationSchedule", "SystemOfRecord", "SandboxName", "EnforceDomain",
    "SyncNotificationSettings", "SkipOutOfScopeDeletions", "Oauth2AuthorizationCode",
    "Oauth2RedirectUri", "ApplicationTemplateIdentifier", "Oauth2TokenExchangeUri",
    "Oauth2AuthorizationUri", "AuthenticationType", "Server",
    "PerformInboundEntitlementGrants", "HardDeletesEnabled", "SyncAgentCompatibilityKey",
    "SyncAgentADContainer", "ValidateDomain", "TestReferences", "ConnectionString",
)  # fmt: skip
MASKED: Final = frozenset(
    ("Password", "SecretToken", "AppKey", "ClientSecret", "ConsumerSecret", "TokenKey",
     "Oauth2AccessToken", "Oauth2RefreshToken", "Oauth2ClientSecret", "Oauth2AuthorizationCode",
     "ConnectionString")
)  # fmt: skip
ADDRESSES: Final = ("BaseAddress", "Oauth2TokenExchangeUri")
"""Where other secrets are sent to."""
PLACES: Final = (*ADDRESSES, "Oauth2AuthorizationUri", "Url", "Server", "InstanceName")
"""What names a host."""
BOUND: Final = "secrets-bound"
"""The document that says where each secret was given for."""
Bounds: TypeAlias = Mapping[str, Mapping[str, str]]
"""By secret: the origins of the places that it was given with, by key."""
SETTINGS: Final = (SYNC_ALL, SKIP_OUT_OF_SCOPE, HARD_DELETES, NOTIFICATIONS)
"""Secrets that are settings of a job."""

_BY_CASE: Final = {key.lower(): key for key in KEYS}
CREDENTIALS: Final = ("token", "userName", "password", "oauth")


def canonical_key(text: str) -> str | None:
    """Return how a key is spelled; None if there is no such key."""
    return _BY_CASE.get(text.lower())


async def load_keys(registry: Registry, application: Application) -> tuple[str, ...] | None:
    """Return the keys that the API put, in their order; None if it never put any."""
    content = await registry.document(application.id, SECRETS)
    return msgspec.json.decode(content, type=tuple[str, ...]) if content is not None else None


async def load_secrets(
    registry: Registry, vault: Vault, application: Application
) -> Mapping[str, str]:
    """Return what the API put."""
    found: dict[str, str] = {}
    for key in await load_keys(registry, application) or ():
        value = await vault.get(application.id, key)
        if value is not None:
            found[key] = value
    return found


async def load_bounds(registry: Registry, application: Application) -> Bounds:
    content = await registry.document(application.id, BOUND)
    return msgspec.json.decode(content, type=dict[str, dict[str, str]]) if content else {}


def bounds_of(secrets: Mapping[str, str]) -> Mapping[str, str]:
    """Return the origins that secrets name, by key."""
    return {key: repr(origin(secrets[key])) for key in PLACES if secrets.get(key)}


def strays(kept: Iterable[str], secrets: Mapping[str, str], bounds: Bounds) -> str:
    """Return the place that leads elsewhere than one of the kept secrets was given for; "" if
    none does. Without an address a secret was given for none."""
    now = bounds_of(secrets)
    for key in kept:
        bound = bounds.get(key, {})
        for place, where in now.items():
            if (place in bound or place in ADDRESSES) and bound.get(place) != where:
                return place
    return ""


async def put_secrets(
    registry: Registry,
    vault: Vault,
    application: Application,
    secrets: Mapping[str, str],
    kept: Collection[str] = (),
) -> None:
    """Replace all that the API put. Nothing but these stays; `kept` were not given anew."""
    old, new = await load_bounds(registry, application), bounds_of(secrets)
    bounds = {key: old.get(key, {}) if key in kept else new for key in secrets if key in MASKED}
    # What binds a secret is stored before it: a crash between the two leaves it bound too tightly.
    await registry.put_document(application.id, BOUND, msgspec.json.encode(bounds))
    before = await load_keys(registry, application) or ()
    for key, value in secrets.items():
        await vault.put(application.id, key, value)
    content = msgspec.json.encode(list(secrets))
    await registry.put_document(application.id, SECRETS, content)
    for key in before:
        if key not in secrets:
            await vault.delete(application.id, key)


def overlaid(settings: Mapping[str, object], secrets: Mapping[str, str]) -> Mapping[str, object]:
    """Return a target's settings with what the API put over them.

    Credentials of the file go nowhere but where the file sends them: with another address they are
    left away (spec: settled 35).
    """
    said = settings_of(secrets)
    merged = dict(settings)
    file_address = str(settings.get("baseAddress") or "")
    if "baseAddress" in said and origin(str(said["baseAddress"])) != origin(file_address):
        for name in (*CREDENTIALS, "headers", "proxy", "allowInsecure", "caFile"):
            merged.pop(name, None)
    if any(name in said for name in CREDENTIALS):
        for name in CREDENTIALS:
            merged.pop(name, None)
    return {**merged, **said}


def replaced_by(secrets: Mapping[str, str]) -> frozenset[str]:
    """Return the settings of the file that no longer count beside these secrets."""
    said = frozenset(settings_of(secrets))
    return said | frozenset(CREDENTIALS) if said & frozenset(CREDENTIALS) else said


def settings_of(secrets: Mapping[str, str]) -> dict[str, object]:
    """Return the settings of a SCIM target that secrets make."""
    made: dict[str, object] = {}
    if address := secrets.get("BaseAddress"):
        made["baseAddress"] = address
    client = secrets.get("Oauth2ClientId") or secrets.get("ClientIdentifier")
    secret = secrets.get("Oauth2ClientSecret") or secrets.get("ClientSecret")
    exchange = secrets.get("Oauth2TokenExchangeUri")
    if token := secrets.get("SecretToken") or secrets.get("Oauth2AccessToken"):
        made["token"] = token
    elif client and secret and exchange:
        made["oauth"] = {"tokenUrl": exchange, "clientId": client, "clientSecret": secret}
    elif secrets.get("UserName") and secrets.get("Password"):
        made["userName"], made["password"] = secrets["UserName"], secrets["Password"]
    return made


def secrets_of(settings: Mapping[str, object]) -> Mapping[str, str]:
    """Return what a file says of a SCIM target as the secrets it amounts to."""
    oauth = settings.get("oauth")
    inner: Mapping[str, object] = {}
    if isinstance(oauth, Mapping):
        inner = cast(Mapping[str, object], oauth)
    pairs = (
        ("BaseAddress", settings.get("baseAddress")),
        ("SecretToken", settings.get("token")),
        ("UserName", settings.get("userName")),
        ("Password", settings.get("password")),
        ("Oauth2ClientId", inner.get("clientId")),
        ("Oauth2ClientSecret", inner.get("clientSecret")),
        ("Oauth2TokenExchangeUri", inner.get("tokenUrl")),
    )
    return {key: str(value) for key, value in pairs if value}


def masked_values(secrets: Mapping[str, str]) -> tuple[str, ...]:
    """Return what must not be shown of some secrets."""
    return tuple(value for key, value in secrets.items() if key in MASKED and value)


def shown(pairs: Mapping[str, str] | Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return secrets as they may be seen."""
    listed = pairs.items() if isinstance(pairs, Mapping) else pairs
    return [{"key": key, "value": MASK if key in MASKED else value} for key, value in listed]


def origin(address: str) -> tuple[str, str, int | None]:
    """Return what decides where an address leads: scheme, host and port."""
    try:
        parts = urlsplit(address.strip())
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        host = (parts.hostname or address.strip()).lower()
        return parts.scheme, host, parts.port or usual
    except ValueError:
        return "", address, None
