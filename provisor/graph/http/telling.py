"""Who is told of a job, by which ways, and where the words come from: put together."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import structlog

from provisor.graph.credentials import load_secrets
from provisor.graph.http.exchange import line_to, post_bytes
from provisor.graph.http.faults import bad_request
from provisor.graph.policy import NOTIFICATIONS, from_api
from provisor.graph.troubleshooting import page_url
from provisor.messages.mail import Mail, Post
from provisor.messages.message import Message, Way, is_address
from provisor.messages.texts import About, composed
from provisor.messages.webhook import Webhook
from provisor.model.jobs import Application, Job
from provisor.model.notices import Notice, NoticeKind
from provisor.model.rules import Policy
from provisor.ports import Pending
from provisor.runtime.notifier import Notifier
from provisor.runtime.parts import Parts
from provisor.settings.connections import TARGET
from provisor.settings.notifications import PORTS, Notifications, Smtp, of_tree
from provisor.settings.references import resolve
from provisor.settings.stored import base_of, load_applied, load_tenant
from provisor.settings.tokens import load_tokens
from provisor.store.owners import HOME
from provisor.store.tenants import tenants

log = structlog.get_logger()
Expiry = Callable[[Application], Awaitable[Mapping[str, datetime]]]
"""When an application's credentials expire, by side, where they tell."""


def notifier(parts: Parts, teller: Callable[[str], Teller]) -> Notifier:
    """Return what tells every tenant of its own jobs, by its own ways. `parts` see all jobs."""

    async def of(pending: Pending, job: Job | None) -> Teller:
        if job is None:
            return teller(pending.notice.tenant)
        application = await parts.registry.find_application(job.application_id)
        return teller(application.tenant if application else HOME)

    async def compose(pending: Pending, job: Job | None) -> Message:
        return await (await of(pending, job)).compose(pending, job)

    async def ways(pending: Pending, job: Job | None) -> Sequence[Way]:
        return await (await of(pending, job)).ways(job)

    async def look_ahead() -> None:
        for tenant in (HOME, *await tenants(parts.registry)):
            await teller(tenant).look_ahead()

    return Notifier(
        registry=parts.registry,
        clock=parts.clock,
        compose=compose,
        ways=ways,
        look_ahead=look_ahead,
    )


async def load_notifications(parts: Parts) -> Notifications:
    """Return what is in force, with every reference resolved as of now."""
    tenant = await load_tenant(parts.registry)
    if tenant is None or not tenant.notifications:
        return Notifications()
    base = await _base(parts)
    resolved = resolve(tenant.notifications, base, os.environ, {})
    for one in resolved.unresolved:
        log.warning("notifications incomplete", setting=one.path)
    tree = resolved.settings
    for section in ("smtp", "webhook"):
        lost = [one for one in resolved.unresolved if one.path.startswith(f"{section}.")]
        tree = {name: value for name, value in tree.items() if name != section or not lost}
    return of_tree(tree)


async def _base(parts: Parts) -> Path:
    """Return what paths in the file are relative to."""
    return base_of(parts.folder, await load_applied(parts.registry))


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    parts: Parts
    docs: str
    expiry: Expiry

    async def compose(self, pending: Pending, job: Job | None) -> Message:
        tenant = await load_tenant(self.parts.registry)
        code = pending.notice.code
        page = page_url(self.docs, code) if code else ""
        return composed(pending, About(tenant=tenant.id if tenant else "", job=job, page=page))

    async def ways(self, job: Job | None) -> Sequence[Way]:
        """Return the workspace's own ways, and those that `SyncNotificationSettings` names."""
        told = await load_notifications(self.parts)
        found: list[Way] = []
        if told.smtp is not None:
            post = _post(told.smtp, told.sender, await _base(self.parts))
            more = await self._named(job, told) if job is not None else ()
            named = dict.fromkeys((*told.recipients, *more))
            found += [Mail(post=post, to=to, dial=line_to, clock=self.parts.clock) for to in named]
        if told.webhook is not None:
            hook = told.webhook
            found.append(
                Webhook(
                    url=hook.url, secret=hook.secret, send_out=post_bytes, clock=self.parts.clock
                )
            )
        return found

    async def _named(self, job: Job, told: Notifications) -> list[str]:
        application = await self.parts.registry.find_application(job.application_id)
        if application is None:
            return []
        put = await load_secrets(self.parts.registry, self.parts.vault, application)
        asked = _asked(put)
        return [one for one in asked if told.may_write_to(one)]

    async def look_ahead(self) -> None:
        """Announce what expires soon, once for each date; nothing where nobody would be told."""
        told = await load_notifications(self.parts)
        if told.smtp is None and told.webhook is None:
            return
        for application in await self.parts.registry.applications():
            if jobs := await self.parts.registry.jobs_of(application.id):
                await self._credentials(application, jobs, told.expire_within)
        await self._keys(told.expire_within)

    async def _credentials(
        self, application: Application, jobs: Sequence[Job], within: timedelta
    ) -> None:
        now = self.parts.clock.now()
        for side, expires in (await self.expiry(application)).items():
            if not now <= expires <= now + within:
                continue
            whose = "" if side == TARGET else side
            notice = Notice(
                key=" ".join(("expires", *([whose] if whose else ()), expires.isoformat())),
                kind=NoticeKind.CREDENTIALS_EXPIRE,
                at=now,
                expires=expires,
                whose=whose,
            )
            for job in jobs:
                await self.parts.registry.announce(job.id, notice)

    async def _keys(self, within: timedelta) -> None:
        """Announce API keys. One that was made for a shorter time is told of halfway."""
        now = self.parts.clock.now()
        for key in await load_tokens(self.parts.registry):
            if key.expires is None or not key.is_good(now):
                continue
            if key.expires - now > min(within, (key.expires - key.created) / 2):
                continue
            notice = Notice(
                key=f"key {key.id} expires {key.expires.isoformat()}",
                kind=NoticeKind.KEY_EXPIRES,
                at=now,
                expires=key.expires,
                whose=key.name,
            )
            await self.parts.registry.announce("", notice)


def _post(smtp: Smtp, sender: str, base: Path) -> Post:
    return Post(
        host=smtp.host,
        port=smtp.port or PORTS[smtp.security],
        security=smtp.security,
        sender=sender,
        username=smtp.username,
        password=smtp.password,
        ca_file=str(base / smtp.ca_file) if smtp.ca_file else "",
    )


def _asked(put: Mapping[str, str]) -> tuple[str, ...]:
    """Return whom `SyncNotificationSettings` asks to be told."""
    switches = {name: value for name, value in put.items() if name == NOTIFICATIONS}
    options, _ = from_api(Policy(), settings={}, secrets=switches)
    told = options.notifications
    return told.recipients if told.is_enabled else ()


async def check_recipients(parts: Parts, put: Mapping[str, str]) -> None:
    """Refuse receivers that no mail would be sent to. Raises Fault."""
    asked = _asked(put)
    if wrong := [one for one in asked if not is_address(one)]:
        raise bad_request(f"This is no mail address: {wrong[0]!r}.", code="RecipientNotAllowed")
    told = await load_notifications(parts) if asked else Notifications()
    if told.smtp is not None and (far := [one for one in asked if not told.may_write_to(one)]):
        raise bad_request(
            f"Mail is not sent to {far[0]}: its domain is not among those that "
            "tenant.notifications.domains lists.",
            code="RecipientNotAllowed",
        )


# when credentials expire


class _Claims(msgspec.Struct):
    exp: float | None = None


def expiry_of(token: str, expiration: str) -> datetime | None:
    """Return when a target's credentials expire: as `TokenExpiration` says, or the token itself."""
    if expiration:
        try:
            at = datetime.fromisoformat(expiration)
        except ValueError:
            return None
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return _expiry_of_jwt(token)


def _expiry_of_jwt(token: str) -> datetime | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims)
        return datetime.fromtimestamp(claims.exp, UTC) if claims.exp is not None else None
    except (binascii.Error, msgspec.DecodeError, ValueError, OverflowError, OSError):
        return None
