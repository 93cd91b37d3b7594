"""`init`: a folder becomes a workspace."""

from __future__ import annotations

import os
from pathlib import Path

from provisor.cli.main import Session
from provisor.cli.places import FILE, KEY
from provisor.cli.render import say
from provisor.cli.session import within
from provisor.cli.shape import command
from provisor.cli.workspace import Workspace
from provisor.settings.problems import Problems
from provisor.settings.stored import load_tenant
from provisor.settings.yamlfile import load, with_tenant

TEMPLATE = """\
# The configuration of one tenant; docs/configuration.md explains each key.
tenant:
  id: {tenant}          # keep it: all other ids come from it

jobs:
  # people:
  #   source:
  #     connector: csv
  #     settings: {{users: people.csv, groups: groups.csv, members: members.csv, anchor: id}}
  #   target:
  #     connector: scim
  #     settings: {{baseAddress: "https://app.example.com/scim/v2", token: "env:APP_TOKEN"}}
  #   template: scim
  #   syncAll: true
  #   schedule: PT40M
  #   guards: {{departures: {{percent: 20, floor: 10}}}}
"""


@command("init", "provisor init\nprovisor --workspace /srv/provisor init")
def init(session: Session) -> int:
    """Make a workspace in this folder: provisor.yaml, the store and its key.

    What is there already is kept; a provisor.yaml without a tenant id is given one.
    """
    session.folder.mkdir(parents=True, exist_ok=True)

    async def work(workspace: Workspace) -> None:
        file = workspace.folder / FILE
        held = await load_tenant(workspace.parts.registry)
        tenant = held.id if held else workspace.parts.entropy.uuid()
        done = _write(file, tenant)
        say(f"{done} {file}")
        say(f"The store is {workspace.store}, its key {KEY}: back up both, in different places.")
        say(f"Next: describe a job in {FILE}, then `provisor apply {FILE}`.")

    return within(session, work, creates=True, warns=False)


def _write(file: Path, tenant: str) -> str:
    """Write the file, or a tenant id into one that has none. Raises Invalid."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(TEMPLATE.format(tenant=tenant))
        return "Wrote"
    problems = Problems(file)
    raw = load(file, problems)
    problems.raise_any()
    said = raw.get("tenant")
    if isinstance(said, dict) and "id" in said:
        return "Kept"
    passing = file.with_name(file.name + ".new")
    passing.write_text(with_tenant(file.read_text("utf-8-sig"), tenant), encoding="utf-8")
    passing.replace(file)
    return "Wrote the tenant id into"
