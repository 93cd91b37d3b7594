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

from provisor.console.asking import job_path
from provisor.console.pages import job, live, overview
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
    """Method and path in the API; `@` stands for the job that the address names."""

    def needed(self, keys: Mapping[str, str]) -> tuple[str, str]:
        method, path = self.needs
        if not path.startswith("@"):
            return method, path
        return method, job_path(keys["sp"], keys["job"]) + path[1:]


JOB = "/jobs/{sp}/{job}"
PAGES: tuple[Page, ...] = (
    Page("GET", "/", overview.overview, JOBS),
    Page("GET", JOB, job.job, ("GET", "@")),
    Page("GET", f"{JOB}/history", job.history, ("GET", "@/cycles")),
    Page("GET", f"{JOB}/live", live.live, ("GET", "@")),
    Page("GET", f"{JOB}/restart", job.restart_form, ("POST", "@/restart")),
    Page("POST", f"{JOB}/restart", job.restart, ("POST", "@/restart")),
    Page("POST", f"{JOB}/do/{{act}}", job.act, ("POST", "@/start")),
)


@dataclass(frozen=True, slots=True)
class Led:
    """Where an address leads."""

    pages: Mapping[str, Page]
    """By method."""
    keys: Mapping[str, str]


_PATTERNS = {
    path: re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?")
    for path in dict.fromkeys(page.path for page in PAGES)
}


def led(path: str) -> Led | None:
    """Return where an address below `/console`, percent-encoded, leads; None: nowhere."""
    for known, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(path):
            keys = {name: unquote(value) for name, value in found.groupdict().items()}
            return Led({page.method: page for page in PAGES if page.path == known}, keys)
    return None
