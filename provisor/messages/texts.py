"""A notice in words, and as a document: which job, what happened, where to read on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from provisor.messages.message import Message, one_line
from provisor.model.jobs import Job
from provisor.model.notices import Notice, NoticeKind
from provisor.ports import Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whose notice it is."""

    tenant: str
    job: Job | None
    """None: it is about the whole tenant."""
    page: str
    """Where the error is explained; empty where there is none."""


def composed(pending: Pending, about: About) -> Message:
    notice = pending.notice
    name = one_line(about.job.name) if about.job else ""
    headline, advice = _told(notice, name)
    lines = [
        f"{headline}.",
        "",
        f"At:     {notice.at:%Y-%m-%d %H:%M:%S} UTC",
        *([f"Job:    {about.job.id}"] if about.job else []),
        *([f"Reason: {notice.reason}"] if notice.reason else []),
        *([f"Error:  {notice.code}"] if notice.code else []),
        *([f"Help:   {about.page}"] if about.page else []),
        "",
        advice,
    ]
    return Message(
        id=f"provisor-{about.tenant}-{pending.number}",
        subject=f"Provisor: {headline}",
        text="\n".join(lines) + "\n",
        document=_document(pending, about, name),
    )


def _told(notice: Notice, job: str) -> tuple[str, str]:
    """Return what happened, and what can be done about it."""
    match notice.kind:
        case NoticeKind.QUARANTINED:
            return (
                f"the job {job} is in quarantine",
                f"It is tried again by itself, more and more seldom, for 28 days. {_ways_out(job)}",
            )
        case NoticeKind.REASON_CHANGED:
            return (
                f"the job {job} is in quarantine for another reason",
                _ways_out(job),
            )
        case NoticeKind.DEPARTURES_STAGED:
            lets = (
                f"`provisor plan {job}` lists them, `provisor approve {job} HASH` lets them pass."
            )
            return (
                f"{notice.count} departures of the job {job} wait for an administrator",
                f"None of them was sent. {lets}",
            )
        case NoticeKind.DISABLED:
            return (
                f"the job {job} was disabled after 28 days in quarantine",
                f"It runs no more until somebody says `provisor start {job}`.",
            )
        case NoticeKind.ESCROWS_PRUNED:
            return (
                f"the job {job} was paused after a first cycle with too many errors",
                f"`provisor log {job}` lists them, `provisor start {job}` goes on.",
            )
        case NoticeKind.CREDENTIALS_EXPIRE:
            assert notice.expires is not None
            side = f" for its {notice.whose}" if notice.whose else ""
            return (
                f"the credentials of the job {job}{side} expire on {notice.expires:%Y-%m-%d}",
                "Put new ones before that day: from then on nothing is provisioned.",
            )
        case NoticeKind.KEY_EXPIRES:
            assert notice.expires is not None
            return (
                f"the API key {one_line(notice.whose)} expires on {notice.expires:%Y-%m-%d}",
                "From then on it is refused: `provisor token create` makes the next one.",
            )
        case _:
            assert_never(notice.kind)


def _ways_out(job: str) -> str:
    return f"`provisor status {job}` says more, `provisor start {job}` tries at once."


def _document(pending: Pending, about: About, name: str) -> dict[str, object]:
    notice = pending.notice
    said: dict[str, object] = {
        "id": f"provisor-{about.tenant}-{pending.number}",
        "kind": notice.kind.value,
        "at": notice.at.isoformat(),
        "tenantId": about.tenant,
        "job": {"id": about.job.id, "name": name} if about.job else None,
        "reason": notice.reason or None,
        "code": notice.code or None,
        "help": about.page or None,
    }
    if notice.kind is NoticeKind.DEPARTURES_STAGED:
        said["count"] = notice.count
    if notice.expires is not None:
        said["expires"] = notice.expires.isoformat()
        said["whose"] = one_line(notice.whose) or "target"
    return said
