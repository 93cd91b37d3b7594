"""Tests beside mappings: run live, kept from what was tried, taken away again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec
from starlette.responses import Response

from provisor.console.drafts import at_of, found
from provisor.console.pages.explain import names_of
from provisor.console.visit import Visit, to
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.wire.coding import plain
from provisor.graph.wire.mapping_tests import MappingTest, MappingTestResult, MappingTestResults
from provisor.graph.wire.schemas import ObjectMapping, SynchronizationSchema

TESTS = "schema/tests"
REDACTED = "[Redact]"


async def results_of(visit: Visit) -> Sequence[MappingTestResult]:
    """Return every test of the job, run through its rules as they are; none where they cannot be
    run: why not is told elsewhere."""
    try:
        return (await visit.api.read(MappingTestResults, f"{visit.at}/{TESTS}")).value
    except Fault as fault:
        if fault.status != 400:
            raise
        return ()


async def results_under(
    visit: Visit, draft: SynchronizationSchema, tests: Sequence[MappingTest] | None = None
) -> Sequence[MappingTestResult]:
    """Return tests, run through a draft: those of the job, or these. Raises Fault."""
    asked: dict[str, object] = {"schema": plain(draft)}
    if tests is not None:
        asked["tests"] = [msgspec.to_builtins(one) for one in tests]
    path = f"{visit.at}/{TESTS}/run"
    return (await visit.api.posted(MappingTestResults, path, asked)).value


def about(
    results: Sequence[MappingTestResult], mapping: ObjectMapping, target: str = ""
) -> Sequence[MappingTestResult]:
    """Return those of one object mapping; with a target attribute those that expect it."""
    names = names_of(mapping)
    return [
        one
        for one in results
        if one.object_mapping in names and (not target or target in one.target)
    ]


async def keep(visit: Visit, draft: SynchronizationSchema) -> Sequence[MappingTestResult]:
    """Keep what a draft makes of the object that was tried as a test of its target attribute;
    return the tests of that mapping. Raises Fault."""
    form, (_, mapping) = visit.form, found(draft, at_of(visit.form.get("at", "")))
    target, called = form.get("target", "").strip(), form.get("called", "")
    if not target or not form.get("attributes"):
        raise bad_request("Say which target attribute it is, and try it on somebody first.")
    source = msgspec.json.decode(form["attributes"], type=dict[str, object])
    test = MappingTest(
        name=f"{target} of {called}",
        mapping=names_of(mapping)[0],
        source=source,
        # Nothing says this: what comes out instead is what is to come out from here on.
        target={target: [REDACTED, REDACTED]},
    )
    (told,) = await results_under(visit, draft, [test])
    value = next((one.found for one in told.differences if one.what == target), REDACTED)
    if value == REDACTED or any(one.what == "error" for one in told.differences):
        raise bad_request("There is no value that could be kept.")
    made = msgspec.structs.replace(test, target={target: value})
    kept = [one for one in await results_of(visit) if not one.is_of_file and one.name != made.name]
    await _put(visit, [*map(_bare, kept), made])
    return about(await results_under(visit, draft), mapping, target)


async def remove(visit: Visit) -> Response:
    name = visit.form.get("name", "")
    kept = [one for one in await results_of(visit) if not one.is_of_file and one.name != name]
    await _put(visit, [*map(_bare, kept)])
    return to(f"{visit.here}/mappings", did="test-removed")


def _bare(one: MappingTestResult) -> MappingTest:
    names = MappingTest.__struct_fields__
    return MappingTest(**{name: getattr(one, name) for name in names})


async def _put(visit: Visit, tests: Sequence[MappingTest]) -> None:
    value = [cast(object, msgspec.to_builtins(one)) for one in tests]
    await visit.api.send("PUT", f"{visit.at}/{TESTS}", {"value": value})
