"""Saved plans: written, read, approved by their hash."""

from __future__ import annotations

from pathlib import Path

import msgspec

from provisor.cli.exits import WrongUse
from provisor.cli.workspace import Workspace
from provisor.engine.plans import is_intact
from provisor.model.jobs import Job
from provisor.model.plans import Plan
from provisor.store.files import replace_private
from provisor.store.keys import KeyUnusable
from provisor.store.planfile import PlanUnreadable, decode, encode

SAVED, APPROVAL = "plan", "plan-approval"


class Saved(msgspec.Struct, frozen=True):
    """What is remembered of the plan that was saved last."""

    hash: str
    made_at: str
    steps: int


class Approval(msgspec.Struct, frozen=True):
    """Whose word lets the departures of a saved plan pass; used once."""

    hash: str
    by: str
    at: str


async def save_plan(workspace: Workspace, job: Job, plan: Plan, file: Path) -> None:
    """Write a plan to a file that only we may read. Raises WrongUse."""
    _write(file, encode(plan, workspace.seal))
    saved = Saved(hash=plan.hash, made_at=plan.made_at.isoformat(), steps=len(plan.steps))
    await workspace.parts.registry.put_document(job.id, SAVED, msgspec.json.encode(saved))


def _write(file: Path, content: bytes) -> None:
    try:
        replace_private(file.absolute(), content)
    except OSError as failure:
        raise WrongUse(f"{file} cannot be written: {failure.strerror}") from failure


def read_plan(workspace: Workspace, job: Job, file: Path) -> Plan:
    """Return a saved plan of this job. Raises WrongUse."""
    again = f"make a new one with `provisor plan {job.name} --out {file}`"
    try:
        plan = decode(file.read_bytes(), workspace.unseal)
    except OSError as failure:
        raise WrongUse(f"{file} cannot be read: {failure.strerror}") from failure
    except (PlanUnreadable, KeyUnusable) as failure:
        raise WrongUse(f"{file}: {failure}; {again}") from failure
    if plan.job != job.id:
        raise WrongUse(f"{file} is a plan of the job {plan.job}, not of {job.name}")
    if not is_intact(plan):
        raise WrongUse(f"{file} was edited: its steps are not those that its hash names; {again}")
    return plan


async def saved_plan(workspace: Workspace, job: Job) -> Saved | None:
    content = await workspace.parts.registry.document(job.id, SAVED)
    return msgspec.json.decode(content, type=Saved) if content else None


async def approve_plan(workspace: Workspace, job: Job, hash: str, by: str) -> None:
    parts = workspace.parts
    now = parts.clock.now()
    approval = Approval(hash=hash, by=by, at=now.isoformat())
    await parts.registry.put_document(job.id, APPROVAL, msgspec.json.encode(approval))
    await parts.registry.audit(now, by, "approve", f"{job.id} plan {hash}")


async def consume_approval(workspace: Workspace, job: Job, plan: Plan) -> bool:
    """Return whether this very plan was approved; it is not from here on."""
    registry = workspace.parts.registry
    content = await registry.document(job.id, APPROVAL)
    approval = msgspec.json.decode(content, type=Approval) if content else None
    if approval is None or approval.hash != plan.hash:
        return False
    used = msgspec.json.encode(Approval(hash="", by="", at=""))
    await registry.put_document(job.id, APPROVAL, used)
    return True
