"""What a change of status is to be told about. Pure (spec: behaviour 12.2, 13, 18).

One message when a quarantine is imposed, another whenever its reason changes, none while it lasts.
"""

from __future__ import annotations

from provisor.model.cycles import QuarantineReason
from provisor.model.jobs import Quarantine, Status, StatusCode
from provisor.model.notices import Notice, NoticeKind
from provisor.planner.status import is_given_up


def arising(before: Status, after: Status) -> tuple[Notice, ...]:
    """Return what is to be told of a job whose status was `before` and is `after`."""
    found = [
        *_staged(before, after),
        *_quarantine(before, after),
        *_stopped(before, after),
    ]
    return tuple(found)


def _staged(before: Status, after: Status) -> list[Notice]:
    """More departures wait for an administrator than did at the end of the cycle before."""
    last = after.last
    if last is None or last == before.last:
        return []
    waited = before.last.counts.staged if before.last is not None else 0
    if last.counts.staged <= waited:
        return []
    return [
        Notice(
            key=f"staged {last.id}",
            kind=NoticeKind.DEPARTURES_STAGED,
            at=last.ended,
            reason=QuarantineReason.TOO_MANY_DELETES.value,
            code="TooManyDeletes",
            count=last.counts.staged,
        )
    ]


def _quarantine(before: Status, after: Status) -> list[Notice]:
    now = after.quarantine
    if after.code is not StatusCode.QUARANTINE or now is None:
        return []
    if now.reason is QuarantineReason.TOO_MANY_DELETES and _staged(before, after):
        return []  # told with how many wait
    was = before.quarantine if before.code is StatusCode.QUARANTINE else None
    if was is None:
        return [_of(now, NoticeKind.QUARANTINED)]
    return [] if was.reason is now.reason else [_of(now, NoticeKind.REASON_CHANGED)]


def _of(quarantine: Quarantine, kind: NoticeKind) -> Notice:
    imposed = quarantine.current_began
    return Notice(
        key=f"quarantine {imposed.isoformat()} {quarantine.reason.value}",
        kind=kind,
        at=imposed,
        reason=quarantine.reason.value,
        code=quarantine.error.code,
    )


def _stopped(before: Status, after: Status) -> list[Notice]:
    """A cycle ended with the job being paused: somebody has to look before it goes on."""
    last = after.last
    if last is None or last == before.last or after.code is not StatusCode.PAUSED:
        return []
    code = after.troubleshooting_code
    if is_given_up(before, after) and before.quarantine is not None:
        reason = before.quarantine.reason.value
        kind = NoticeKind.DISABLED
        return [
            Notice(key=f"disabled {last.id}", kind=kind, at=last.ended, reason=reason, code=code)
        ]
    if last.are_escrows_pruned and before.code is not StatusCode.PAUSED:
        kind = NoticeKind.ESCROWS_PRUNED
        return [Notice(key=f"pruned {last.id}", kind=kind, at=last.ended, code=code)]
    return []
