"""What a new job still needs, step by step: each done where the job itself says so, so that
nothing is lost when the server restarts in the middle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import structs
from starlette.responses import Response

from provisor.console.asking import meant
from provisor.console.drafts import At, at_of, attributes_of, changed, found
from provisor.console.matching import Suggestion, suggestions
from provisor.console.pages.explain import schema_of
from provisor.console.pages.job import standing
from provisor.console.pages.mappings import parsed, weighed
from provisor.console.visit import Visit, to
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.wire.guided import AttributesFound
from provisor.graph.wire.schemas import (
    AttributeMapping,
    AttributeMappingSource,
    DirectoryDefinition,
    Discoverabilities,
    Mutability,
    ObjectMapping,
    SourceType,
    SynchronizationSchema,
)
from provisor.graph.wire.systems import Connections, ProbeDocument

ROWS_MAX = 60
SOURCE = "source"
OF_THE_ENGINE = ("IsSoftDeleted",)
"""Attributes that every source object has, since they are ours."""
Found: TypeAlias = Mapping[tuple[str, str], Sequence[str]]
"""Names of attributes by side and kind, the kind in small letters."""
EVERYTHING = "AttributeNames, AttributeDataTypes, AttributeReadOnly, ReferenceAttributes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What could be mapped besides, in one object mapping."""

    at: str
    mapping: ObjectMapping
    sources: Sequence[str]
    rows: Sequence[Suggestion]
    unmapped: Sequence[str]
    """Target attributes that nobody has a suggestion for."""
    lost: Sequence[tuple[str, str]]
    """What is mapped from what the source does not have: target attribute, and that."""
    instead: Mapping[str, str]
    """The same, by target attribute, where a suggestion could take its place."""


async def setup(visit: Visit) -> Response:
    return await _page(visit)


async def _page(
    visit: Visit, *, probed: ProbeDocument | None = None, wrong: str = "", status: int = 200
) -> Response:
    schema = await schema_of(visit)
    systems = await visit.api.read(Connections, meant(("GET", "~/connections"), visit.keys)[1])
    missing = [one for one in systems.value if one.missing]
    head = await standing(visit)
    is_known = _is_discovered(schema)
    return await visit.render(
        "setup.html",
        status,
        systems=systems.value,
        missing=missing,
        is_connected=len(systems.value) == 2 and not missing,
        is_known=is_known,
        discovered=_discovered(schema),
        has_run=head.summary.status.last_execution is not None,
        proposals=proposals(schema, await _found(visit)) if is_known else [],
        version=schema.version or "",
        probed=probed,
        wrong=wrong,
        may_probe=await visit.may("POST", f"{visit.at}/probe"),
        tab="setup",
        head=head,
    )


def _sides(schema: SynchronizationSchema) -> Sequence[DirectoryDefinition]:
    """Return the directories that rules read from and write to."""
    names = {
        name
        for rule in schema.synchronization_rules
        for name in (rule.source_directory_name, rule.target_directory_name)
    }
    return [one for one in schema.directories if one.name in names]


def _discovered(schema: SynchronizationSchema) -> Sequence[tuple[str, int]]:
    """Return the directories that were asked, and how many attributes each has."""
    return [
        (one.name or "", sum(len(each.attributes) for each in one.objects))
        for one in _sides(schema)
        if one.discovery_date_time
    ]


def _is_discovered(schema: SynchronizationSchema) -> bool:
    sides = _sides(schema)
    return bool(sides) and all(one.discovery_date_time for one in sides)


async def look(visit: Visit) -> Response:
    """Probe both systems, and ask them what attributes they have. What a mapping lacks makes a
    source unusable as it is mapped: what it has is asked all the same, to map it otherwise."""
    probed, wrong = None, list[str]()
    try:
        probed = await visit.api.posted(ProbeDocument, f"{visit.at}/probe", {})
    except Fault as fault:
        wrong.append(_told(fault))
    for one in _sides(await schema_of(visit)):
        try:
            await _discover(visit, one)
        except Fault as fault:
            wrong.append(_told(fault))
    if probed is None or wrong:
        # What the probe found is told by its findings; a side that it passed may fail still.
        is_told = probed is not None and not (probed.source.is_usable and probed.target.is_usable)
        return await _page(visit, probed=probed, wrong="" if is_told else "\n".join(wrong))
    if probed.source.is_usable and probed.target.is_usable:
        return to(f"{visit.here}/setup", did="looked")
    return await _page(visit, probed=probed)


def _told(fault: Fault) -> str:
    """Return what a system failed with. Raises what is no failure of a system."""
    if fault.status != 400:
        raise fault
    return f"{fault.message} ({fault.code})"


async def _discover(visit: Visit, directory: DirectoryDefinition) -> None:
    """Ask a system for its attributes. Templates do not say of sources that they can be asked."""
    at = f"{visit.at}/schema/directories/{directory.id}"
    if directory.discoverabilities is Discoverabilities.NONE:
        await visit.api.send("PATCH", at, {"discoverabilities": EVERYTHING})
    await visit.api.send("POST", f"{at}/discover")


# mapping with suggestions


async def _found(visit: Visit) -> Found:
    """Return what both systems said of themselves: names of attributes by side and kind."""
    told = await visit.api.read(AttributesFound, f"{visit.at}/attributes")
    return {
        (one.side, each.name.lower()): each.attributes for one in told.value for each in one.objects
    }


def proposals(schema: SynchronizationSchema, said: Found) -> list[Proposal]:
    """Return what could be mapped besides, and what cannot be, by object mapping.

    A system that says nothing of itself is believed to have what the schema knows.
    """
    made: list[Proposal] = []
    for number, rule in enumerate(schema.synchronization_rules):
        for place, mapping in enumerate(rule.object_mappings):
            has = said.get((SOURCE, (mapping.source_object_name or "").lower()), ())
            known = _names(schema, rule.source_directory_name, mapping.source_object_name)
            sources = [name for name in known if not has or name in has]
            lost = _lost(mapping, frozenset(has)) if has else []
            free = _free(schema, rule.target_directory_name, mapping)
            targets = [*(target for target, _ in lost), *free]
            rows = suggestions(sources, targets)[:ROWS_MAX]
            suggested = {one.target for one in rows}
            made.append(
                Proposal(
                    at=At(number, place).text,
                    mapping=mapping,
                    sources=sources,
                    rows=rows,
                    unmapped=[name for name in free if name not in suggested],
                    lost=[one for one in lost if one[0] not in suggested],
                    instead=dict(one for one in lost if one[0] in suggested),
                )
            )
    return made


def _lost(mapping: ObjectMapping, has: Collection[str]) -> list[tuple[str, str]]:
    """Return the mappings that read what the source does not have."""
    return [
        (one.target_attribute_name or "", ", ".join(sorted(missing)))
        for one in mapping.attribute_mappings
        if one.source is not None
        if (missing := attributes_in(one.source) - {*has, *OF_THE_ENGINE})
    ]


def attributes_in(source: AttributeMappingSource) -> frozenset[str]:
    """Return the attributes that an expression reads."""
    if source.type is SourceType.ATTRIBUTE:
        return frozenset((source.name,) if source.name else ())
    inner = [attributes_in(one.value) for one in source.parameters if one.value is not None]
    return frozenset[str]().union(*inner)


def _names(schema: SynchronizationSchema, directory: str | None, kind: str | None) -> list[str]:
    described = attributes_of(schema, directory, kind)
    return [one.name for one in described if not one.referenced_objects]


def _free(
    schema: SynchronizationSchema, directory: str | None, mapping: ObjectMapping
) -> list[str]:
    """Return the target attributes that may be written and that nothing is written to yet."""
    taken = {(one.target_attribute_name or "").lower() for one in mapping.attribute_mappings}
    return [
        one.name
        for one in attributes_of(schema, directory, mapping.target_object_name)
        if one.mutability is not Mutability.READ_ONLY
        and not one.anchor
        and not one.referenced_objects
        and one.name.lower() not in taken
    ]


async def map_suggested(visit: Visit) -> Response:
    """Show what mapping the chosen pairs besides would change, before it is saved."""
    schema, at = await schema_of(visit), at_of(visit.form.get("at", ""))
    found(schema, at)
    pairs = [
        (visit.form.get(f"target-{index}", ""), visit.form.get(f"source-{index}", ""))
        for index in range(ROWS_MAX)
        if visit.form.get(f"take-{index}")
    ]
    pairs = [(target, source) for target, source in pairs if target and source]
    dropped = {
        visit.form.get(f"lost-{index}", "")
        for index in range(ROWS_MAX)
        if visit.form.get(f"drop-{index}")
    }
    if not pairs and not dropped:
        raise bad_request("Choose what is to be mapped, or not to be mapped any more.")
    wanted: dict[str, AttributeMappingSource] = {}
    for target, source in pairs:
        told = await parsed(visit, {"expression": f"[{source}]"})
        if told.parsed_expression is None:
            raise bad_request(f"{source} is no attribute that can be mapped.")
        wanted[target] = told.parsed_expression

    def with_these(mapping: ObjectMapping) -> ObjectMapping:
        known = [
            structs.replace(one, source=wanted.get(one.target_attribute_name or "", one.source))
            for one in mapping.attribute_mappings
            if one.target_attribute_name not in dropped
        ]
        names = {one.target_attribute_name for one in known}
        more = [
            AttributeMapping(target_attribute_name=target, source=source)
            for target, source in wanted.items()
            if target not in names
        ]
        return structs.replace(mapping, attribute_mappings=(*known, *more))

    return await weighed(
        visit, changed(schema, at, with_these), visit.form.get("version", ""), then="setup"
    )
