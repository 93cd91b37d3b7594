"""What a drafted schema would change, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from provisor.cli.changes import change_text
from provisor.cli.commands.schema import content_of
from provisor.cli.render import clean, count, say
from provisor.cli.workspace import Workspace
from provisor.engine.whatif import Altered, Effect, WhatIf, what_if
from provisor.model.jobs import Job
from provisor.runtime.told import whatif_document

TITLES = {
    Effect.ENTER: "enter: {kind}, comes into scope; matched or created",
    Effect.AWAIT: "await: {kind}, waits for its account as before; made with other values",
    Effect.RETURN: "return: {kind}, comes back into scope",
    Effect.UPDATE: "update: {kind}, another value",
    Effect.REFERENCES: "set references: {kind}",
    Effect.DISABLE: "disable: {kind}, leaves scope",
    Effect.DELETE: "delete: {kind}, leaves scope",
    Effect.STAGED: "staged, would wait for your approval: {kind}, leaves scope",
    Effect.RELEASE: "release: {kind}, leaves scope; the account stays as it is",
    Effect.UNMAPPABLE: "fail: {kind}, would wait in escrow",
    Effect.SETTLE: "settle: {kind}, needs nothing any more",
}


async def preview(workspace: Workspace, job: Job, file: Path) -> WhatIf:
    """Tell what the schema in a file would change. Source and target are not asked.

    Raises WrongUse, Invalid.
    """
    present = await workspace.mandate(job)
    draft = await workspace.mandate(job, content_of(file))
    view = await workspace.parts.registry.view_journal(job.id)
    return await what_if(present, draft, view, workspace.parts.clock.now())


def show_preview(job: Job, file: Path, told: WhatIf, objects_max: int | None) -> None:
    for note in notes(told):
        say(note)
    if not told.altered:
        say(f"{job.name}: {file} changes no object; {count(told.examined, 'object')} looked at")
        return
    groups: dict[str, list[Altered]] = {}
    for effect in Effect:
        for one in told.altered:
            if one.effect is effect:
                groups.setdefault(title_of(one), []).append(one)
    objects = len({one.key for one in told.altered})
    say(
        f"{job.name}: {count(objects, 'object')} of {told.examined:,} would change, told from what "
        "is stored; nothing was read or written"
    )
    for title, many in groups.items():
        say(f"  {len(many):>7,}  {title}")
    for title, many in groups.items():
        say()
        say(f"{title} ({len(many):,})")
        for one in many[:objects_max]:
            say(f"  {clean(one.key.anchor)}  {clean(one.name)}".rstrip())
            for change in one.changes:
                say(f"      {change_text(change)}")
            if one.reason:
                say(f"      {one.code}: {clean(one.reason)}")
        if objects_max is not None and len(many) > objects_max:
            say(f"  … and {len(many) - objects_max:,} more; --all shows them")


def title_of(altered: Altered) -> str:
    return TITLES[altered.effect].format(kind=altered.key.mapping)


def notes(told: WhatIf) -> Iterator[str]:
    """Yield what an administrator has to know of the answer as a whole."""
    for name, links in told.dropped.items():
        linked = count(links, "linked object")
        yield f"{name} is gone or disabled: {linked} would stay in the target as they are"
    if told.unseen:
        yield (
            f"no object remembered has {', '.join(told.unseen)}: values may be there once the "
            "source is read for it"
        )
    if told.unshown:
        yield (
            f"what the target says of {', '.join(told.unshown)} is not known yet: who says so "
            "already will be written nothing"
        )
    if told.in_doubt:
        objects = count(told.in_doubt, "object")
        yield f"{objects} left out: what the target says of them is not known for certain"
    if told.error is not None:
        yield f"the guard would hold departures: {told.error.message}"


def preview_json(job: Job, told: WhatIf) -> str:
    """Return the stable form, described in docs/mappings.md."""
    return msgspec.json.encode(whatif_document(job, told)).decode()
