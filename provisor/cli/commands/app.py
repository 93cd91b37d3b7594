"""`app`: the applications that people are provisioned to."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from provisor.cli.main import Session
from provisor.cli.render import say, table
from provisor.cli.session import within
from provisor.cli.shape import json_option, workspace_option
from provisor.cli.workspace import Workspace
from provisor.model.jobs import Application, Job


@click.group(epilog="\b\nExample:\n  provisor app list")
def app() -> None:
    """Show applications: what the API calls service principals."""


@app.command("list", epilog="\b\nExample:\n  provisor app list --json")
@json_option
@workspace_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> int:
    """Show applications with the ids that the API knows them by, and their jobs."""

    async def work(workspace: Workspace) -> None:
        registry = workspace.parts.registry
        jobs = await registry.jobs()
        found = sorted(await registry.applications(), key=lambda one: one.name)
        if as_json:
            shown = [_document(one, jobs) for one in found]
            say(msgspec.json.encode(shown).decode())
            return
        rows = [
            (one.name, one.principal_id, one.app_id, " ".join(job.id for job in _of(one, jobs)))
            for one in found
        ]
        heading = ("NAME", "SERVICE PRINCIPAL", "APP ID", "JOBS")
        say(table([heading, *rows]) if rows else "no applications")

    return within(session, work)


def _of(application: Application, jobs: Sequence[Job]) -> list[Job]:
    return [job for job in jobs if job.application_id == application.id]


def _document(application: Application, jobs: Sequence[Job]) -> dict[str, object]:
    return {
        "id": application.principal_id,
        "appId": application.app_id,
        "displayName": application.display_name,
        "name": application.name,
        "applicationId": application.id,
        "jobs": [{"id": job.id, "name": job.name} for job in _of(application, jobs)],
    }
