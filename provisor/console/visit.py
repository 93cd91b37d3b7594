"""One request as pages see it: who looks, at what, and what there is to show it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from provisor.console.asking import Api, job_path, meant
from provisor.console.once import name_of
from provisor.console.render import page
from provisor.console.sessions import PATH, Session
from provisor.console.words import DONE
from provisor.graph.http.faults import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    request: Request
    session: Session
    api: Api
    keys: Mapping[str, str]
    """What the address names, by name."""
    form: Mapping[str, str]
    csrf: str
    nonce: str
    """What scripts and styles within this one page are known by."""
    now: datetime
    shown: dict[str, bool] = field(default_factory=dict[str, bool])
    """What was found out about what the person may."""

    @property
    def at(self) -> str:
        """Where the job that the address names is in the API."""
        return job_path(self.keys["sp"], self.keys["job"])

    @property
    def here(self) -> str:
        """Where its pages are."""
        return job_page(self.keys["sp"], self.keys["job"])

    @property
    def is_part(self) -> bool:
        """True where only a part of a page is to be fetched anew."""
        return "hx-request" in self.request.headers

    def asked(self, name: str) -> str:
        return self.request.query_params.get(name, "").strip()

    async def may(self, method: str, path: str) -> bool:
        name = f"{method} {path}"
        if name not in self.shown:
            self.shown[name] = await self.api.may(method, path)
        return self.shown[name]

    async def render(self, template: str, status: int = 200, **values: object) -> Response:
        """Return a page, or with a name that begins with an underscore a part of one."""
        is_whole = not template.startswith("_")
        common: dict[str, object] = {
            "visit": self,
            "person": self.session.name,
            "csrf": self.csrf,
            "once": name_of(self.nonce),
            "nonce": self.nonce,
            "now": self.now,
            "did": DONE.get(self.asked("did"), ""),
            "tabs": await self._tabs() if is_whole and "job" in self.keys else [],
            "places": await self._places() if is_whole else [],
        }
        return page(template, status, {**common, **values})

    async def _places(self) -> list[tuple[str, str]]:
        """Return where the person may go, from everywhere."""
        return [(name, to) for name, to, needs in PLACES if await self.may(*needs)]

    async def _tabs(self) -> list[tuple[str, str, str]]:
        """Return what there is to see of a job: name, address below it, words."""
        return [
            (name, address, text)
            for name, address, text, needs in TABS
            if await self.may(*meant(needs, self.keys))
        ]


TABS: tuple[tuple[str, str, str, tuple[str, str]], ...] = (
    ("status", "", "Status", ("GET", "@")),
    ("plan", "/plan", "Plan", ("POST", "@/plan")),
    ("staged", "/staged", "Staged", ("GET", "@/staged")),
    ("explain", "/explain", "Explain", ("GET", "@/explain")),
    ("mappings", "/mappings", "Mappings", ("GET", "@/schema")),
    ("escrows", "/escrows", "Escrows", ("GET", "@/escrows")),
    ("drift", "/drift", "Drift", ("GET", "@/drift")),
    ("connection", "/connection", "Connection", ("GET", "~/connections")),
    ("log", "/log", "Log", ("GET", "auditLogs/provisioning")),
)
"""Name, address and words of a page about a job, and what it needs of the API."""
PLACES: tuple[tuple[str, str, tuple[str, str]], ...] = (
    ("Jobs", f"{PATH}/", ("GET", "/provisor/jobs")),
    ("Applications", f"{PATH}/applications", ("GET", "/provisor/applications")),
    ("Connections", f"{PATH}/connections", ("GET", "/provisor/connections")),
    ("Log", f"{PATH}/log", ("GET", "auditLogs/provisioning")),
    ("Audit", f"{PATH}/audit", ("GET", "auditLogs/directoryAudits")),
    ("Keys", f"{PATH}/keys", ("GET", "/provisor/tokens")),
)
"""Name, address, and what the API must let a person do for it to be offered."""


def job_page(principal: str, job: str) -> str:
    return f"{PATH}/jobs/{quote(principal)}/{quote(job)}"


def to(address: str, *, did: str = "") -> Response:
    """Send the browser on to another page, which tells what was done."""
    mark = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{mark}did={did}" if did else address, 303)


def refused(fault: Fault) -> tuple[str, str, str]:
    """Return heading, sentence and way out for a request that the API refuses."""
    told = fault.message or "; ".join(problem.message for problem in fault.problems)
    match fault.status:
        case 403:
            return (
                "You may not do this",
                "You do not have the permission that this needs.",
                "Ask whoever administers Provisor here for it.",
            )
        case 404:
            return "Nothing is here", told, "It may have been deleted. Go back to all jobs."
        case 409:
            return "Something changed meanwhile", told, "Look again, then decide."
        case 429 | 503:
            return "Not just now", told, "Wait a few seconds, then try again."
        case 500:
            return (
                "This did not work",
                f"{told} ({fault.code})",
                "The log of the server says more. Nothing was changed by looking.",
            )
        case _:
            return "This cannot be done so", f"{told} ({fault.code})", "Go back and change it."
