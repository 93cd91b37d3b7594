"""All jobs: where each stands, what is wrong in one sentence, and the way out."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from starlette.responses import Response

from provisor.console.asking import INSTANTIATE, literal
from provisor.console.reasons import way_of
from provisor.console.visit import Visit
from provisor.console.words import CODES, CONCERNS
from provisor.graph.wire.guided import DemonstrationState
from provisor.graph.wire.overview import JobOverview

SIZE = 50
DEMONSTRATION = "/provisor/demonstration"
ORDERS = {
    "worst": "severity desc",
    "name": "name",
    "ended": "lastEnded desc",
    "next": "nextRun",
}


async def overview(visit: Visit) -> Response:
    """Show the jobs that the address asks for, the worst first."""
    order = visit.asked("order") if visit.asked("order") in ORDERS else "worst"
    number = int(visit.asked("page")) if visit.asked("page").isdigit() else 1
    options = {
        "orderby": ORDERS[order],
        "top": str(SIZE),
        "skip": str((max(number, 1) - 1) * SIZE),
    }
    if condition := _condition(visit):
        options["filter"] = condition
    told = await visit.api.read(JobOverview, "/provisor/jobs", **options)
    template = "_jobs.html" if visit.is_part else "overview.html"
    may_show, demonstration = await _demonstration(visit)
    return await visit.render(
        template,
        told=told,
        total=sum(told.codes.values()),
        wrong=sum(n for concern, n in told.concerns.items() if _is_wrong(concern)),
        search=visit.asked("search"),
        concern=visit.asked("concern"),
        code=visit.asked("code"),
        order=order,
        number=number,
        pages=max(1, -(-told.count // SIZE)),
        link=partial(_link, visit),
        way_of=way_of,
        may_make=await visit.may("POST", INSTANTIATE),
        may_show=may_show,
        demonstration=demonstration,
    )


async def _demonstration(visit: Visit) -> tuple[bool, DemonstrationState]:
    """Return whether the demo organisation is here, for who may make and remove it."""
    may_show = not visit.is_part and await visit.may("POST", DEMONSTRATION)
    told = DemonstrationState()
    if may_show:
        told = await visit.api.read(DemonstrationState, DEMONSTRATION)
    return may_show, told


def _is_wrong(concern: str) -> bool:
    return concern not in ("none", "notConfigured")


def _condition(visit: Visit) -> str:
    """Return what is looked for, as the API's filter says it."""
    parts: list[str] = []
    if text := visit.asked("search"):
        parts.append(
            f"(contains(name, {literal(text)}) or contains(applicationName, {literal(text)}))"
        )
    if (concern := visit.asked("concern")) in CONCERNS:
        parts.append(f"concern eq {literal(concern)}")
    if (code := visit.asked("code")) in CODES:
        parts.append(f"code eq {literal(code)}")
    return " and ".join(parts)


def _link(visit: Visit, **changes: object) -> str:
    """Return this page's address with something else asked for."""
    now = {name: visit.asked(name) for name in ("search", "concern", "code", "order")}
    asked = {**now, **changes}
    said = {name: str(value) for name, value in asked.items() if value}
    return f"?{urlencode(said)}" if said else "?"
