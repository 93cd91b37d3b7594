"""The one table of pages: the address, what shows it, and what the API must let a person do.

A page is offered and shown exactly to those whom the API would let do what it needs.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

from starlette.responses import Response

from provisor.console.asking import INSTANTIATE
from provisor.console.pages import (
    applications,
    audit,
    beginning,
    connection,
    drift,
    escrows,
    explain,
    job,
    joined,
    keys,
    live,
    log,
    mapping_tests,
    mappings,
    overview,
    plan,
    setup,
)
from provisor.console.visit import Visit

Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]
JOBS = ("GET", "/provisor/jobs")


@dataclass(frozen=True, slots=True)
class Page:
    method: str
    path: str
    """Below `/console`; `{name}` stands for one segment."""
    handler: Handler
    needs: tuple[str, str]
    """Method and path in the API, as `meant` reads them."""


JOB = "/jobs/{sp}/{job}"
APPLICATION = "/applications/{sp}"
ASSIGN = ("POST", "^/appRoleAssignedTo")
SYSTEMS = ("GET", "~/connections")
DISCOVER = ("POST", f"@/{connection.DIRECTORIES}/any/discover")
CHECK = ("POST", "@/validateCredentials")
WHAT_IF = ("POST", "@/schema/whatIf")
NEW = ("POST", INSTANTIATE)
DEMO = "/provisor/demonstration"
KEEP = ("PUT", "@/schema/tests")
PAGES: tuple[Page, ...] = (
    Page("GET", "/", overview.overview, JOBS),
    Page("GET", "/new", beginning.begin, NEW),
    Page("POST", "/new", beginning.create, NEW),
    Page("GET", "/new/lines", beginning.lines, NEW),
    Page("GET", "/new/waiting", beginning.waiting, JOBS),
    Page("POST", "/demonstration", beginning.demonstrate, ("POST", DEMO)),
    Page("POST", "/demonstration/day", beginning.another_day, ("POST", f"{DEMO}/day")),
    Page("POST", "/demonstration/remove", beginning.remove_demonstration, ("DELETE", DEMO)),
    Page("GET", JOB, job.job, ("GET", "@")),
    Page("GET", f"{JOB}/history", job.history, ("GET", "@/cycles")),
    Page("GET", f"{JOB}/live", live.live, ("GET", "@")),
    Page("GET", f"{JOB}/restart", job.restart_form, ("POST", "@/restart")),
    Page("POST", f"{JOB}/restart", job.restart, ("POST", "@/restart")),
    Page("POST", f"{JOB}/do/{{act}}", job.act, ("POST", "@/start")),
    Page("GET", f"{JOB}/plan", plan.plan_form, ("POST", "@/plan")),
    Page("POST", f"{JOB}/plan", plan.plan, ("POST", "@/plan")),
    Page("POST", f"{JOB}/plan.json", plan.download, ("POST", "@/plan")),
    Page("GET", f"{JOB}/staged", plan.staged, ("GET", "@/staged")),
    Page("POST", f"{JOB}/staged/approve", plan.approve, ("POST", "@/staged/approve")),
    Page("GET", f"{JOB}/explain", explain.explain, ("GET", "@/explain")),
    Page("GET", f"{JOB}/found", explain.suggestions, ("GET", "@/objects")),
    Page("POST", f"{JOB}/provision", explain.provision, ("POST", "@/provisionOnDemand")),
    Page("GET", f"{JOB}/escrows", escrows.escrows, ("GET", "@/escrows")),
    Page("POST", f"{JOB}/escrows/retry", escrows.retry, ("POST", "@/escrows/retry")),
    Page("GET", f"{JOB}/drift", drift.drift, ("GET", "@/drift")),
    Page("POST", f"{JOB}/drift/{{act}}", drift.decide, ("POST", "@/drift/accept")),
    Page("GET", f"{JOB}/connection", connection.connection, SYSTEMS),
    Page("POST", f"{JOB}/connection/probe", connection.probe, ("POST", "@/probe")),
    Page("POST", f"{JOB}/connection/discover", connection.discover, DISCOVER),
    Page("POST", f"{JOB}/connection/check", connection.check, CHECK),
    Page("POST", f"{JOB}/connection/save", connection.save, ("PUT", "~/secrets")),
    Page("GET", f"{JOB}/setup", setup.setup, ("PUT", "@/schema")),
    Page("POST", f"{JOB}/setup/look", setup.look, ("POST", "@/probe")),
    Page("POST", f"{JOB}/setup/map", setup.map_suggested, WHAT_IF),
    Page("GET", f"{JOB}/log", log.log, ("GET", log.LOGS)),
    Page("GET", f"{JOB}/log.zip", log.download, ("GET", log.LOGS)),
    Page("GET", f"{JOB}/log.json", log.download_json, ("GET", log.LOGS)),
    Page("GET", f"{JOB}/mappings", mappings.mappings, ("GET", "@/schema")),
    Page("POST", f"{JOB}/mappings/save", mappings.save, ("PUT", "@/schema")),
    Page("GET", f"{JOB}/mappings/schema", mappings.whole_form, ("PUT", "@/schema")),
    Page("POST", f"{JOB}/mappings/schema", mappings.whole_preview, WHAT_IF),
    Page("POST", f"{JOB}/mappings/tests/keep", mappings.keep_test, KEEP),
    Page("POST", f"{JOB}/mappings/tests/remove", mapping_tests.remove, KEEP),
    Page("POST", f"{JOB}/mappings/try", mappings.attempt, ("POST", "@/schema/parseExpression")),
    Page("GET", f"{JOB}/mappings/{{at}}/attribute", mappings.attribute_form, ("PUT", "@/schema")),
    Page("POST", f"{JOB}/mappings/{{at}}/attribute", mappings.attribute_preview, WHAT_IF),
    Page("GET", f"{JOB}/mappings/{{at}}/scope", mappings.scope_form, ("PUT", "@/schema")),
    Page("POST", f"{JOB}/mappings/{{at}}/scope", mappings.scope_preview, WHAT_IF),
    Page("GET", "/applications", applications.applications, ("GET", applications.ALL)),
    Page("POST", "/applications", applications.make, NEW),
    Page("GET", APPLICATION, applications.application, ("GET", "^")),
    Page("POST", f"{APPLICATION}/jobs", applications.add_job, ("POST", "~/jobs")),
    Page("GET", f"{APPLICATION}/assignable", applications.suggestions, ("GET", "users")),
    Page("POST", f"{APPLICATION}/assign", applications.assign, ASSIGN),
    Page("POST", f"{APPLICATION}/unassign", applications.unassign, ASSIGN),
    Page("GET", "/connections", joined.connections, ("GET", "/provisor/connections")),
    Page("GET", "/keys", keys.keys, ("GET", keys.TOKENS)),
    Page("POST", "/keys", keys.make, ("POST", keys.TOKENS)),
    Page("POST", "/keys/revoke", keys.revoke, ("DELETE", f"{keys.TOKENS}/any")),
    Page("GET", "/audit", audit.audit, ("GET", audit.AUDITS)),
    Page("GET", "/log", log.log, ("GET", log.LOGS)),
    Page("GET", "/log.zip", log.download, ("GET", log.LOGS)),
    Page("GET", "/log.json", log.download_json, ("GET", log.LOGS)),
    Page("GET", "/log/{entry}", log.entry, ("GET", log.LOGS)),
)


@dataclass(frozen=True, slots=True)
class Led:
    """Where an address leads."""

    pages: Mapping[str, Page]
    """By method."""
    keys: Mapping[str, str]


_PATTERNS = {
    path: re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)) + "/?")
    for path in dict.fromkeys(page.path for page in PAGES)
}


def led(path: str) -> Led | None:
    """Return where an address below `/console`, percent-encoded, leads; None: nowhere."""
    for known, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(path):
            keys = {name: unquote(value) for name, value in found.groupdict().items()}
            return Led({page.method: page for page in PAGES if page.path == known}, keys)
    return None
