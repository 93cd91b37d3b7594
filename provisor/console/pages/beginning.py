"""The beginning: a new job from source and target, and the demo organisation.

What is typed lives in the address or in the job that was made, so that a restart of the server
loses nothing. The API names connections, never files or addresses: where a system needs those, the
lines for `provisor.yaml` are shown, and the page goes on by itself once they are applied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast
from urllib.parse import quote, urlencode

import msgspec
from starlette.responses import Response

from provisor.console.asking import INSTANTIATE, literal
from provisor.console.visit import Visit, job_page, to
from provisor.console.words import CREDENTIALS
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.wire.guided import (
    ConnectorCatalogue,
    ConnectorDescription,
    DemonstrationState,
    SettingDescription,
    SourceInUse,
    SourcesInUse,
)
from provisor.graph.wire.overview import JobOverview
from provisor.graph.wire.systems import Connections

Tree: TypeAlias = dict[str, object]
SHARED, PUSHED, SCIM = "of:", "inbound", "scim"
TEMPLATES = {PUSHED: "API2SCIM"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
WORDS_OF_YAML = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
"""What YAML reads as something else than a text."""
SIDES = ("source", "target")
WRONG_NAME = "A name has up to 64 letters, digits, dots, hyphens and underscores."
UNREFERENCED = (
    "says where its secret is, never what it is: env:NAME means a variable of the environment, "
    "file:NAME a file beside provisor.yaml"
)


class Made(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What instantiating an application answers."""

    service_principal: Principal


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the address says about a job that is to be."""

    name: str
    source: str
    """A connector, or `of:` and the service principal whose source it is."""
    target: str
    connectors: Mapping[str, ConnectorDescription]
    shared: Mapping[str, SourceInUse]
    """By what stands in the address for it."""

    @property
    def is_whole(self) -> bool:
        has_source = self.source in self.shared or self.source in self.connectors
        return bool(NAME.fullmatch(self.name)) and has_source and self.target in self.connectors

    @property
    def is_through_api(self) -> bool:
        """True where nothing has to be said that only `provisor.yaml` may say."""
        return self.target == SCIM and (self.source == PUSHED or self.source in self.shared)

    def settings(self, side: str) -> Sequence[SettingDescription]:
        """Return what may be said about a side, the usual first."""
        known = self.connectors.get(self.source if side == "source" else self.target)
        return [one for one in known.settings if one.side in ("", side)] if known else []


async def _chosen(visit: Visit) -> Chosen:
    said = visit.form or dict(visit.request.query_params)
    catalogue = await visit.api.read(ConnectorCatalogue, "/provisor/connectors")
    shared = await visit.api.read(SourcesInUse, "/provisor/sources")
    return Chosen(
        name=said.get("name", "").strip(),
        source=said.get("source", ""),
        target=said.get("target", ""),
        connectors={one.name: one for one in catalogue.value},
        shared={f"{SHARED}{one.principal_id}": one for one in shared.value},
    )


async def begin(visit: Visit) -> Response:
    """Ask for source and target; once they are chosen, for what has to be known of each."""
    chosen = await _chosen(visit)
    wrong = WRONG_NAME if chosen.name and not NAME.fullmatch(chosen.name) else ""
    if not wrong and chosen.name and (at := await _job_called(visit, chosen.name)):
        wrong = f"There is a job {chosen.name} already."
        return await _form(visit, chosen, wrong, there=at, status=409)
    return await _form(visit, chosen, wrong, status=400 if wrong else 200)


async def _form(
    visit: Visit, chosen: Chosen, wrong: str = "", *, there: str = "", status: int = 200
) -> Response:
    demonstration = await visit.api.read(DemonstrationState, "/provisor/demonstration")
    return await visit.render(
        "beginning.html",
        status,
        chosen=chosen,
        wrong=wrong,
        there=there,
        is_described=chosen.is_whole and not wrong,
        said=visit.request.query_params,
        demonstration=demonstration,
        credentials=CREDENTIALS,
        may_show=await visit.may("POST", "/provisor/demonstration"),
    )


# lines for provisor.yaml


async def lines(visit: Visit) -> Response:
    """Show what to put into `provisor.yaml`, and wait for it to be applied."""
    chosen = await _chosen(visit)
    if not chosen.is_whole:
        return await begin(visit)
    said = visit.request.query_params
    wrong = [
        f"{side}: {one.path} {message}"
        for side in SIDES
        for one in chosen.settings(side)
        if (message := _wrong(one, said.get(f"{side}.{one.path}", "").strip()))
    ]
    if wrong:
        return await _form(visit, chosen, "; ".join(wrong) + ".", status=400)
    return await visit.render(
        "lines.html",
        chosen=chosen,
        text=written({"jobs": {chosen.name: await _job_of(visit, chosen)}}),
        back=urlencode(list(said.multi_items())),
    )


def _wrong(one: SettingDescription, value: str) -> str:
    if not value:
        return "is missing" if one.is_required else ""
    if one.kind == "secret":
        kind, _, name = value.partition(":")
        is_named = (kind == "env" and VARIABLE.fullmatch(name)) or (kind == "file" and name)
        return "" if is_named else UNREFERENCED
    if one.kind == "number" and not re.fullmatch(r"\d+(\.\d+)?", value):
        return "is a number"
    return ""


async def _job_of(visit: Visit, chosen: Chosen) -> Tree:
    said = visit.request.query_params
    job: Tree = {}
    for side in SIDES:
        name = chosen.source if side == "source" else chosen.target
        if name in chosen.shared:
            job[side] = await _shared(visit, chosen.shared[name])
            continue
        settings: Tree = {}
        for one in chosen.settings(side):
            value = said.get(f"{side}.{one.path}", "").strip()
            if value and value != one.default:
                _put(settings, one.path.split("."), _typed(one, value))
        job[side] = {"connector": name, **({"settings": settings} if settings else {})}
    job["syncAll"] = True
    return job


async def _shared(visit: Visit, one: SourceInUse) -> Tree:
    """Return a source that is in use, as the file would say it again; its secrets are not shown."""
    at = f"servicePrincipals/{quote(one.principal_id)}/synchronization/connections"
    sides = await visit.api.read(Connections, at)
    settings: Tree = {}
    for side in sides.value:
        if side.side == "source":
            for path, value in side.settings.items():
                shown = "env:SECRET_OF_THE_SOURCE" if value == "*" else value
                _put(settings, path.split("."), shown)
    return {"connector": one.connector, "settings": settings}


def _put(tree: Tree, steps: Sequence[str], value: object) -> None:
    for step in steps[:-1]:
        tree = cast(Tree, tree.setdefault(step, {}))
    tree[steps[-1]] = value


def _typed(one: SettingDescription, value: str) -> object:
    match one.kind:
        case "flag":
            return value == "true"
        case "number":
            return float(value) if "." in value else int(value)
        case _:
            return value


def written(tree: Mapping[str, object], indent: int = 0) -> str:
    """Return YAML. Texts are written as JSON writes them, which YAML reads as they are."""
    rows: list[str] = []
    for name, value in tree.items():
        key = name if _is_plain(name) else json.dumps(name, ensure_ascii=False)
        if isinstance(value, dict):
            rows.append(f"{' ' * indent}{key}:")
            rows.append(written(cast(Tree, value), indent + 2))
        else:
            rows.append(f"{' ' * indent}{key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(rows)


def _is_plain(key: str) -> bool:
    return bool(PLAIN_KEY.fullmatch(key)) and key.lower() not in WORDS_OF_YAML


async def waiting(visit: Visit) -> Response:
    """Look whether the job is there by now; if so, go on with it."""
    name = visit.asked("name")
    if at := await _job_called(visit, name):
        return Response(status_code=200, headers={"HX-Redirect": f"{at}/setup"})
    return await visit.render("_waiting.html", name=name)


async def _job_called(visit: Visit, name: str) -> str:
    """Return where the pages of the job of this name are; empty: there is none."""
    told = await visit.api.read(
        JobOverview, "/provisor/jobs", filter=f"name eq {literal(name)}", top="2"
    )
    found = next((one for one in told.value if one.name == name), None)
    return job_page(found.principal_id, found.id) if found else ""


# through the API


async def create(visit: Visit) -> Response:
    """Make application and job, and keep what was said of the target."""
    chosen = await _chosen(visit)
    if not (chosen.is_whole and chosen.is_through_api):
        raise bad_request("Source and target of this job belong into provisor.yaml.")
    made = await visit.api.posted(Made, INSTANTIATE, {"displayName": chosen.name})
    principal = made.service_principal.id
    at = f"servicePrincipals/{quote(principal)}/synchronization"
    if chosen.source in chosen.shared:
        owner = chosen.shared[chosen.source].principal_id
        await visit.api.send("PUT", f"{at}/source", {"principalId": owner})
    template = TEMPLATES.get(chosen.source, SCIM)
    answer = await visit.api.send("POST", f"{at}/jobs", {"templateId": template})
    job = msgspec.json.decode(answer.body, type=_JobId)
    pairs = [
        {"key": key, "value": value}
        for key in CREDENTIALS
        if (value := visit.form.get(key, "").strip())
    ]
    address, did = f"{job_page(principal, job.id)}/setup", "made"
    if pairs:
        try:
            await visit.api.send("PUT", f"{at}/secrets", {"value": pairs})
        except Fault as fault:
            if fault.status != 400:
                raise
            did = "made-without-credentials"
    return to(address, did=did)


class _JobId(msgspec.Struct, frozen=True, kw_only=True):
    id: str


# the demo organisation


async def demonstrate(visit: Visit) -> Response:
    """Make the demo organisation, and show its job at work."""
    made = await visit.api.posted(DemonstrationState, "/provisor/demonstration", {})
    return to(job_page(made.principal_id, made.job_id), did="demonstration")


async def another_day(visit: Visit) -> Response:
    closes = bool(visit.form.get("closes"))
    await visit.api.send("POST", "/provisor/demonstration/day", {"closesSite": closes})
    told = await visit.api.read(DemonstrationState, "/provisor/demonstration")
    return to(job_page(told.principal_id, told.job_id), did="day")


async def remove_demonstration(visit: Visit) -> Response:
    await visit.api.send("DELETE", "/provisor/demonstration")
    return to("/console/", did="demonstration-removed")
