"""What needs no workspace: how configurations, schemas and settings are checked, and advice."""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import structs

from provisor.app.machine import OsEntropy, SystemClock
from provisor.cli.workspace import Examined, SchemaProblem, Tools
from provisor.graph.policy import from_api
from provisor.graph.problems import Problem, Severity, errors
from provisor.graph.schema.document import canonical, write_schema
from provisor.graph.schema.examine import examined
from provisor.graph.templates import template, templates
from provisor.graph.troubleshooting import trouble_of
from provisor.graph.wire.schemas import SynchronizationSchema
from provisor.model.rules import Policy
from provisor.settings.workspace import CheckedSchema, Definitions, Surroundings


def template_schema(id: str) -> str:
    """Return the schema of a template as it is stored; empty if there is no such template."""
    found = template(id)
    return _stored_form(found.schema) if found else ""


def check_schema(content: bytes, definitions: Definitions) -> CheckedSchema:
    """Examine a schema file: its form, and what its rules mean for this source."""
    found = examined(content, definitions)
    wrong = errors(found.problems)
    odd = tuple(str(problem) for problem in found.problems if problem not in wrong)
    if wrong or found.schema is None:
        return CheckedSchema(errors=tuple(map(str, wrong)), warnings=odd)
    return CheckedSchema(text=_stored_form(found.schema), warnings=odd)


def check_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is wrong with Graph's settings of a job, by their names."""
    _, found = from_api(Policy(), settings=settings, secrets={})
    spelled = {name.lower(): name for name in settings}
    wrong = {problem.path.split(".")[0]: problem for problem in found}
    return {
        spelled[path.lower()]: f"{problem.message} {problem.remedy}".strip()
        for path, problem in wrong.items()
    }


def examine_schema(content: bytes, definitions: Definitions) -> Examined:
    """Return the rules that a schema makes, and all that is wrong with it, or odd."""
    found = examined(content, definitions)
    return Examined(rules=found.rules, problems=tuple(map(_told, found.problems)))


def _told(problem: Problem) -> SchemaProblem:
    return SchemaProblem(
        code=problem.code,
        path=problem.path,
        position=problem.position,
        message=problem.message,
        remedy=problem.remedy,
        is_error=problem.severity is Severity.ERROR,
    )


def tools() -> Tools:
    """Return what configurations are checked with. No workspace is needed for it."""
    around = Surroundings(
        templates=tuple(templates()),
        check_schema=check_schema,
        check_settings=check_settings,
        template_schema=template_schema,
        environment=os.environ,
    )
    return Tools(
        clock=SystemClock(),
        entropy=OsEntropy(),
        around=around,
        examine_schema=examine_schema,
        describe_api=describe_api,
    )


def describe_api(base: str) -> bytes:
    """Return the OpenAPI description of the API. What only this needs is imported here."""
    from provisor.graph.http.openapi import description
    from provisor.graph.wire.coding import encode

    return encode(description(base))


def _stored_form(schema: SynchronizationSchema) -> str:
    """Return a schema in the one form in which they are stored and compared."""
    return write_schema(structs.replace(canonical(schema), id="")).decode()


def advice(code: str) -> str:
    """Return what to do about an error code."""
    known = trouble_of(code)
    return known.advice if known else "Look at what the target says about it in its own log."
