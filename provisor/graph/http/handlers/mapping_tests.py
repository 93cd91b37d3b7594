"""Tests stored beside a job's mappings, run through its rules, or through a drafted schema's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs

from provisor.expressions import Context
from provisor.graph.http.answers import Answer, done, said
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.http.handlers.common import job_of
from provisor.graph.http.schemas import Place, drafted
from provisor.graph.problems import Problem
from provisor.graph.wire.mapping_tests import (
    MappingTest,
    MappingTestResult,
    MappingTestResults,
    MappingTests,
    TestDifference,
    TestRun,
)
from provisor.model.jobs import Job
from provisor.model.rules import MappingName, ObjectMapping, Policy, Rules
from provisor.planner.terms import terms_of
from provisor.settings.examples import TESTS, Example, read_examples
from provisor.settings.problems import Invalid, Problems
from provisor.settings.stored import TESTS_OF_FILE
from provisor.settings.trying import differences, mapping_of

KEPT: Final = "mapping tests"
TESTS_MAX, NAME_LENGTH_MAX = 500, 200


async def run(call: Call) -> Answer:
    """Run every test of a job through the rules that it would run under now."""
    _, job = await job_of(call)
    return said(await _results(call, job, None))


async def run_draft(call: Call) -> Answer:
    """Run tests through the rules of a drafted schema: those of the job, or those in the body.
    Nothing is saved. Raises Fault, with all that is wrong with the draft."""
    application, job = await job_of(call)
    wanted, draft = call.read(TestRun), None
    if wanted.schema is not None:
        place = Place(application=application, job=job)
        draft = await drafted(call.house, place, msgspec.json.encode(wanted.schema))
    return said(await _results(call, job, draft, wanted.tests))


async def replace(call: Call) -> Answer:
    """Keep these tests, and no others; those of `provisor.yaml` are changed there."""
    _, job = await job_of(call)
    tests = call.read(MappingTests).value
    if len(tests) > TESTS_MAX:
        raise bad_request(f"A job has at most {TESTS_MAX} tests.")
    names = [one.name for one in tests]
    if any(not 0 < len(name) <= NAME_LENGTH_MAX for name in names) or len({*names}) < len(names):
        raise bad_request(f"A test has a name of its own, of up to {NAME_LENGTH_MAX} characters.")
    _read(tests)
    content = msgspec.json.encode([_written(one) for one in tests])
    await call.house.parts.registry.put_document(job.id, KEPT, content)
    about = f"{job.name} {job.id}"
    await call.house.audit(call.caller.name, "Update tests of mappings", about)
    return done()


def _written(one: MappingTest) -> Mapping[str, object]:
    """Return a test as `tests:` has it: what it does not say is left out."""
    said = msgspec.json.decode(msgspec.json.encode(one), type=dict[str, object])
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def _read(tests: Sequence[MappingTest]) -> Sequence[Example]:
    """Return tests as they are run. Raises Fault with all that is wrong."""
    problems = Problems(Path(TESTS))
    examples = read_examples([_written(one) for one in tests], problems, ("value",))
    if problems.found:
        found = [
            Problem(code="BadRequest", path=one.path, message=f"{one.path} {one.message}")
            for one in problems.found
        ]
        raise Fault(400, "RequestParameterInvalid", "", problems=found)
    return examples


async def _results(
    call: Call, job: Job, draft: bytes | None, given: Sequence[MappingTest] | None = None
) -> MappingTestResults:
    house = call.house
    try:
        rules = (await house.mandate(job, draft)).rules
    except Invalid as wrong:
        raise bad_request(str(wrong)) from wrong
    results: list[MappingTestResult] = []
    for kind, is_of_file in ((KEPT, False), (TESTS_OF_FILE, True)):
        tests = given or ()
        if given is None:
            content = await house.parts.registry.document(job.id, kind) or b"[]"
            tests = msgspec.json.decode(content, type=tuple[MappingTest, ...])
        elif is_of_file:
            break
        results += await asyncio.to_thread(_all, call, rules, tests, is_of_file=is_of_file)
    failed = sum(not one.succeeded for one in results)
    return MappingTestResults(value=tuple(results), failed=failed)


def _all(
    call: Call, rules: Rules, tests: Sequence[MappingTest], *, is_of_file: bool
) -> list[MappingTestResult]:
    pairs = zip(_read(tests), tests, strict=True)
    return [_result(call, rules, *pair, is_of_file=is_of_file) for pair in pairs]


def _result(
    call: Call, rules: Rules, example: Example, test: MappingTest, *, is_of_file: bool
) -> MappingTestResult:
    mapping = mapping_of(rules, example)
    found = _tried(call, mapping, example) if mapping is not None else _nowhere(rules, example)
    return MappingTestResult(
        **structs.asdict(test),
        object_mapping=mapping.name if mapping is not None else "",
        is_of_file=is_of_file,
        succeeded=not found,
        differences=tuple(found),
    )


def _tried(call: Call, mapping: ObjectMapping, example: Example) -> Sequence[TestDifference]:
    parts, domain = call.house.parts, call.house.tenant.default_domain
    context = Context(example.now or parts.clock.now(), domain, parts.entropy)
    terms = terms_of(mapping, Policy(default_domain=domain), context)
    return [
        TestDifference(what=one.what, expected=one.expected, found=one.found)
        for one in differences(terms, example)
    ]


def _nowhere(rules: Mapping[MappingName, ObjectMapping], example: Example) -> list[TestDifference]:
    known = ", ".join(rules) or "there is none"
    return [TestDifference(what="mapping", expected=example.mapping, found=known)]
