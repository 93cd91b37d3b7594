"""`probe`: both systems of a job, looked at before anything is read or written."""

from __future__ import annotations

import msgspec

from provisor.cli.exits import Exit
from provisor.cli.main import Session
from provisor.cli.render import clean, say, table
from provisor.cli.session import audit, find_job, within
from provisor.cli.shape import command, job_argument, json_option
from provisor.cli.workspace import Workspace
from provisor.model.directories import Finding, Probed, Weight
from provisor.runtime.told import probe_document

MARKS = {Weight.OK: "ok", Weight.WARNING: "warning", Weight.ERROR: "ERROR"}


@command("probe", "provisor probe people\nprovisor probe people --json")
@job_argument()
@json_option
def probe(session: Session, job: str, *, as_json: bool) -> int:
    """Test source and target of JOB: connection, credentials, permissions, and what they can do.

    Says what the connectors will therefore do. Nothing is written, unless a target's settings
    have `probeWrites: true`: then objects are made for the purpose, and removed again.
    """

    async def work(workspace: Workspace) -> int:
        chosen = await find_job(workspace, job)
        probed = await workspace.probe(chosen)
        await audit(workspace, "Probe systems", f"{chosen.name} {chosen.id}")
        if as_json:
            say(msgspec.json.encode(probe_document(probed)).decode())
        else:
            for side, one in probed.items():
                _show(side, one)
        usable = all(one.report.is_usable for one in probed.values())
        return Exit.SUCCEEDED if usable else Exit.FAILED

    return within(session, work)


def _show(side: str, probed: Probed) -> None:
    say(f"{side}: {probed.connector}, {clean(probed.report.system.identity)}")
    rows = [(one.topic.value, MARKS[one.weight], _told(one)) for one in probed.report.findings]
    say(table(rows, "  "))
    for name, value in probed.report.learned.items():
        say(f"  learned      {name}: {value}; it is kept, and used while the settings stay")


def _told(finding: Finding) -> str:
    text = f"{finding.message} {finding.remedy}".rstrip()
    return text if finding.weight is Weight.OK else f"{text} ({finding.code})"
