"""Both systems of a job: how they are set up, a probe of them, and the target's credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from msgspec import Struct
from starlette.responses import Response

from provisor.console.pages.explain import schema_of
from provisor.console.pages.job import standing
from provisor.console.visit import Visit, to
from provisor.console.words import CREDENTIALS
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.wire.pairs import SecretPair
from provisor.graph.wire.schemas import DirectoryDefinition
from provisor.graph.wire.systems import Connections, ProbeDocument

MASK = "*"
SCIM, SOURCE, TARGET = "scim", "source", "target"
DIRECTORIES = "schema/directories"
REMOVED = "remove-"
"""Begins the name of the box that says: keep nothing in its place."""


class SecretList(Struct, frozen=True, kw_only=True):
    value: tuple[SecretPair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of trying or saving credentials."""

    is_good: bool
    sentence: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class KindFound:
    """One kind of object that a system says it has."""

    name: str
    attributes: Sequence[str]
    new: Sequence[str]
    """Those of them that the schema did not know before."""


async def connection(visit: Visit) -> Response:
    return await _page(visit)


async def _page(
    visit: Visit,
    *,
    probed: ProbeDocument | None = None,
    refusal: Fault | None = None,
    told: Told | None = None,
    discovered: tuple[str, Sequence[KindFound]] | None = None,
    status: int = 200,
) -> Response:
    systems = await _systems(visit)
    target = next((one for one in systems.value if one.side == TARGET), None)
    may_see = await visit.may("GET", f"{_synchronization(visit)}/secrets")
    has_form = may_see and target is not None and target.connector == SCIM
    kept: Mapping[str, str] = await _kept(visit) if has_form else {}
    return await visit.render(
        "connection.html",
        status,
        systems=systems.value,
        target=target,
        probed=probed,
        refusal=refusal,
        told=told,
        discovered=discovered,
        may_discover=await visit.may("POST", f"{visit.at}/{DIRECTORIES}/any/discover"),
        has_form=has_form,
        kept=kept,
        others=[key for key in kept if key not in CREDENTIALS],
        may_probe=await visit.may("POST", f"{visit.at}/probe"),
        may_save=await visit.may("PUT", f"{_synchronization(visit)}/secrets"),
        tab="connection",
        head=await standing(visit),
    )


def _synchronization(visit: Visit) -> str:
    return visit.at.rpartition("/jobs/")[0]


async def _systems(visit: Visit) -> Connections:
    return await visit.api.read(Connections, f"{_synchronization(visit)}/connections")


async def _kept(visit: Visit) -> Mapping[str, str]:
    """Return the secrets that hold, masked where they may not be shown, in their order."""
    told = await visit.api.read(SecretList, f"{_synchronization(visit)}/secrets")
    return {pair.key: pair.value or "" for pair in told.value}


async def probe(visit: Visit) -> Response:
    """Probe both systems; what is wrong with a side stands on the page as well."""
    try:
        probed = await visit.api.posted(ProbeDocument, f"{visit.at}/probe", {})
    except Fault as fault:
        if fault.status != 400:
            raise
        return await _page(visit, refusal=fault)
    return await _page(visit, probed=probed)


async def discover(visit: Visit) -> Response:
    """Have one system say what it has, so that mappings may name it."""
    side = visit.form.get("side", "")
    rules = (await schema_of(visit)).synchronization_rules
    names = [
        one.source_directory_name if side == SOURCE else one.target_directory_name
        for one in rules
        if side in (SOURCE, TARGET)
    ]
    if not names or not names[0]:
        raise bad_request("There is no directory of this side to discover.")
    at = f"{visit.at}/{DIRECTORIES}/{quote(names[0], safe='')}"
    before = await visit.api.wire(DirectoryDefinition, at)
    try:
        await visit.api.send("POST", f"{at}/discover")
    except Fault as fault:
        if fault.status != 400:
            raise
        return await _page(visit, refusal=fault)
    now = await visit.api.wire(DirectoryDefinition, at)
    return await _page(visit, discovered=(side, list(_kinds(before, now))))


def _kinds(before: DirectoryDefinition, now: DirectoryDefinition) -> Iterator[KindFound]:
    known = {one.name: {each.name for each in one.attributes} for one in before.objects}
    for one in now.objects:
        names = [each.name for each in one.attributes]
        new = [name for name in names if name not in known.get(one.name, ())]
        yield KindFound(one.name, names, new)


# credentials


async def check(visit: Visit) -> Response:
    """Try out what the form says, and keep nothing of it."""
    pairs = await _pairs(visit)
    body: dict[str, object] = (
        {"useSavedCredentials": True} if pairs is None else {"credentials": pairs}
    )
    try:
        await visit.api.send("POST", f"{visit.at}/validateCredentials", body)
    except Fault as fault:
        return await _answered(visit, _wrong(fault))
    sentence = "The target takes these credentials. They are not saved yet."
    if pairs is None:
        sentence = "The target takes the credentials that are in use."
    return await _answered(visit, Told(is_good=True, sentence=sentence))


async def save(visit: Visit) -> Response:
    pairs = await _pairs(visit)
    if pairs is None:
        return await _answered(visit, Told(is_good=True, sentence="Nothing was changed."))
    try:
        await visit.api.send("PUT", f"{_synchronization(visit)}/secrets", {"value": pairs})
    except Fault as fault:
        return await _answered(visit, _wrong(fault))
    address = f"{visit.here}/connection"
    if visit.is_part:
        return Response(status_code=204, headers={"HX-Redirect": f"{address}?did=credentials"})
    return to(address, did="credentials")


def _wrong(fault: Fault) -> Told:
    """Return what is said at the form. Raises the fault where it is about something else."""
    if fault.status != 400:
        raise fault
    sentence = fault.message or "; ".join(one.message for one in fault.problems)
    return Told(is_good=False, sentence=sentence, code=fault.code)


async def _answered(visit: Visit, told: Told) -> Response:
    """Answer beside the form, which keeps what was typed into it; else the page anew."""
    if visit.is_part:
        return await visit.render("_checked.html", told=told)
    return await _page(visit, told=told, status=200 if told.is_good else 400)


async def _pairs(visit: Visit) -> Sequence[Mapping[str, str]] | None:
    """Return the secrets that the form says; None where it says what is in use anyway.

    A field for what may not be shown comes back empty: then what is saved is meant, by its mask.
    What `provisor.yaml` says was never saved, so that it is meant by saying nothing.
    """
    kept, form = await _kept(visit), visit.form
    systems = await _systems(visit)
    is_saved = any(one.has_secrets_of_api for one in systems.value)
    wanted: dict[str, str] = {}
    for key in dict.fromkeys((*CREDENTIALS, *kept)):
        written = form.get(key, "").strip()
        is_hidden = kept.get(key) == MASK
        if written:
            wanted[key] = written
        elif is_hidden and is_saved and not form.get(f"{REMOVED}{key}"):
            wanted[key] = MASK
        elif is_hidden and not is_saved:
            kept = {name: value for name, value in kept.items() if name != key}
    if wanted == dict(kept):
        return None
    return [{"key": key, "value": value} for key, value in wanted.items()]
