"""`tenant.notifications` of `provisor.yaml`: who is told, and how it gets there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from msgspec import Struct, convert

from provisor.messages.mail import Security
from provisor.messages.message import domain_of, is_address
from provisor.settings.durations import parse_duration
from provisor.settings.leaves import Leaves, nest
from provisor.settings.references import is_reference

SECTION = "notifications"
SECRETS = ("smtp.password", "webhook.secret")
PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
EXPIRE_WITHIN = timedelta(days=14)


class Smtp(Struct, frozen=True, kw_only=True, rename="camel"):
    host: str
    port: int = 0
    """0: the usual one."""
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = ""
    ca_file: str = ""
    """Relative to `provisor.yaml`; empty: those whom this machine trusts."""


class Hook(Struct, frozen=True, kw_only=True, rename="camel"):
    url: str
    secret: str


class Notifications(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is in force, with references resolved or not."""

    sender: str = ""
    recipients: tuple[str, ...] = ()
    """Those of every job."""
    domains: tuple[str, ...] = ()
    """Where those named through the API may be, besides the domains of `recipients`."""
    smtp: Smtp | None = None
    webhook: Hook | None = None
    credentials_expire_within: str = ""

    @property
    def expire_within(self) -> timedelta:
        return parse_duration(self.credentials_expire_within) or EXPIRE_WITHIN

    def may_write_to(self, address: str) -> bool:
        named = {domain.lower() for domain in self.domains}
        named |= {domain_of(one) for one in self.recipients}
        return is_address(address) and domain_of(address) in named


def of_leaves(leaves: Leaves) -> Notifications:
    """Return what checked leaves of the tenant say."""
    return of_tree(nest(leaves, f"{SECTION}."))


def of_tree(tree: Mapping[str, object]) -> Notifications:
    return convert(tree, Notifications)


def check(leaves: Leaves, refuse: Callable[[str, str], None]) -> None:
    """Note everything that is wrong with the section, by path below it."""
    given = {path.removeprefix(f"{SECTION}."): value for path, value in leaves.items()}
    sender = str(given.get("sender", ""))
    for path in ("recipients", "domains"):
        values = given.get(path, [])
        for value in values if isinstance(values, list) else []:  # pyright: ignore[reportUnknownVariableType]
            text = str(value)  # pyright: ignore[reportUnknownArgumentType]
            if not is_address(text if path == "recipients" else f"x@{text}"):
                refuse(path, f"{text!r} is no {'address' if path == 'recipients' else 'domain'}")
    if sender and (not is_address(parseaddr(sender)[1]) or not sender.isprintable()):
        refuse("sender", "is to be an address, or a name with the address in <>")
    if any(path.startswith("smtp.") for path in given) and not sender:
        refuse("sender", "is missing: mail has to come from somebody")
    security = given.get("smtp.security", Security.STARTTLS.value)
    if security not in [one.value for one in Security]:
        refuse("smtp.security", f"is to be one of {', '.join(one.value for one in Security)}")
    if security == Security.NONE.value and "smtp.password" in given:
        refuse("smtp.security", "none would send the password in the open")
    for path in SECRETS:
        if path in given and not is_reference(given[path]):
            refuse(path, "is to be env:NAME or file:PATH, so that it does not stand in this file")
    if "webhook.url" in given and not _is_address_of_hook(str(given["webhook.url"])):
        refuse("webhook.url", "is to begin with https://, or http:// on this machine")
    within = given.get("credentialsExpireWithin")
    if within is not None and parse_duration(str(within)) is None:
        refuse("credentialsExpireWithin", "is to be a duration such as P14D (fourteen days)")


def _is_address_of_hook(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    is_here = host in ("localhost", "127.0.0.1", "::1")
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))
