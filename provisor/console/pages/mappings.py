"""The schema as a table to edit: tried on real objects, and weighed before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from starlette.responses import Response

from provisor.console.drafts import (
    FLOWS,
    At,
    at_of,
    attributes_of,
    changed,
    found,
    with_attribute,
    with_scope,
    without_attribute,
)
from provisor.console.pages.audit import AUDITS
from provisor.console.pages.explain import schema_of
from provisor.console.pages.job import standing
from provisor.console.pages.mapping_tests import about, keep, results_of, results_under
from provisor.console.shapes import Explanations, Functions, Operators, WhatIf
from provisor.console.visit import Visit, to
from provisor.graph.http.faults import Fault, bad_request, conflict
from provisor.graph.problems import Problem
from provisor.graph.wire.coding import decode, encode, plain
from provisor.graph.wire.mapping_tests import MappingTestResult
from provisor.graph.wire.requests import ParseExpressionResponse
from provisor.graph.wire.schemas import (
    AttributeMapping,
    AttributeMappingSource,
    FlowBehavior,
    FlowType,
    ObjectMapping,
    SynchronizationSchema,
)

SCHEMA = "schema"
CHANGED = "Somebody changed the schema meanwhile. Look at it again, then make your change anew."
KEPT = (
    "Somebody changed the schema meanwhile. What you wrote is still here: see once more what it "
    "would change."
)


async def mappings(visit: Visit) -> Response:
    schema = await schema_of(visit)
    return await visit.render(
        "mappings.html",
        schema=schema,
        flows=FLOWS,
        results=await results_of(visit),
        about=about,
        may_audit=await visit.may("GET", AUDITS),
        may_edit=await visit.may("PUT", f"{visit.at}/{SCHEMA}"),
        tab="mappings",
        head=await standing(visit),
    )


# one attribute mapping


async def attribute_form(visit: Visit) -> Response:
    """Show the form for one attribute mapping: of the target attribute named, else a new one."""
    schema = await schema_of(visit)
    at, before = at_of(visit.keys["at"]), visit.asked("target")
    _, mapping = found(schema, at)
    known = next(
        (one for one in mapping.attribute_mappings if one.target_attribute_name == before), None
    )
    return await _attribute(visit, schema, at, fields_of(known, visit.asked("object")), ())


def fields_of(known: AttributeMapping | None, object: str) -> Mapping[str, str]:
    """Return what the form for an attribute mapping begins with; `object`: whom to try it on."""
    one = known or AttributeMapping()
    return {
        "object": object,
        "before": (known.target_attribute_name or "") if known else "",
        "target": one.target_attribute_name or "",
        "expression": (one.source.expression or "") if one.source else "",
        "default": one.default_value or "",
        "flow": one.flow_type.value,
        "behavior": one.flow_behavior.value,
        "priority": str(one.matching_priority),
    }


async def _attribute(
    visit: Visit,
    schema: SynchronizationSchema,
    at: At,
    fields: Mapping[str, str],
    problems: tuple[Problem, ...],
    wrong: str = "",
) -> Response:
    rule, mapping = found(schema, at)
    functions = await visit.api.read(Functions, f"{visit.at}/{SCHEMA}/functions", top="999")
    return await visit.render(
        "mapping.html",
        400 if problems or wrong else 200,
        at=at.text,
        mapping=mapping,
        fields=fields,
        problems=problems,
        wrong=wrong,
        version=schema.version or "",
        sources=_attributes(schema, rule.source_directory_name, mapping.source_object_name),
        targets=_attributes(schema, rule.target_directory_name, mapping.target_object_name),
        functions=[one.name for one in functions.value],
        flow_types=[one.value for one in FlowType],
        behaviors=[one.value for one in FlowBehavior],
        tab="mappings",
        head=await standing(visit),
    )


def _attributes(
    schema: SynchronizationSchema, directory: str | None, kind: str | None
) -> list[str]:
    return [one.name for one in attributes_of(schema, directory, kind)]


async def attempt(visit: Visit) -> Response:
    """Try the expression of the form on the object that was chosen, while it is typed."""
    expression = visit.form.get("expression", "")
    who, source, wrong = await _chosen(visit)
    body: dict[str, object] = {"expression": expression}
    if source is not None:
        pairs = [{"key": name, "value": value} for name, value in source.items()]
        body["testInputObject"] = {"properties": pairs}
    told = await parsed(visit, body) if expression.strip() else ParseExpressionResponse()
    results, problem = await _judged(visit, told)
    return await visit.render(
        "_attempt.html",
        told=told,
        problem=problem,
        who=who,
        source=source,
        wrong=wrong,
        expression=expression,
        results=results,
        may_keep=await visit.may("PUT", f"{visit.at}/{SCHEMA}/tests"),
    )


async def _judged(
    visit: Visit, told: ParseExpressionResponse
) -> tuple[Sequence[MappingTestResult], Problem | None]:
    """Run the tests of the target attribute as the form would have it, none where it cannot be;
    and return what is wrong with an expression that can be read, such as a name that nobody has."""
    if not visit.form.get("target", "").strip() or told.parsed_expression is None:
        return (), None
    draft: SynchronizationSchema | None = None
    try:
        draft = await _drafted(visit, told)
        return about(await results_under(visit, draft), *_meant(visit, draft)), None
    except Fault as fault:
        if fault.status != 400:
            raise
        if draft is None:  # what is wrong with the rest of the form is told when it is weighed
            return (), None
        here = [one for one in fault.problems if one.path.startswith(_place(visit, draft))]
        return (), next(iter(here), None)


def _place(visit: Visit, draft: SynchronizationSchema) -> str:
    """Return where the source of the form's attribute mapping stands in a draft."""
    at = at_of(visit.form.get("at", ""))
    mapping, target = _meant(visit, draft)
    names = [one.target_attribute_name for one in mapping.attribute_mappings]
    within = f"synchronizationRules[{at.rule}].objectMappings[{at.mapping}]"
    return f"{within}.attributeMappings[{names.index(target)}].source"


async def _drafted(visit: Visit, told: ParseExpressionResponse) -> SynchronizationSchema:
    """Return the schema as the form would have it. Raises Fault."""
    schema, at, form = await schema_of(visit), at_of(visit.form.get("at", "")), visit.form
    source = told.parsed_expression
    return changed(
        schema, at, lambda one: with_attribute(one, form.get("before", ""), form, source)
    )


def _meant(visit: Visit, draft: SynchronizationSchema) -> tuple[ObjectMapping, str]:
    _, mapping = found(draft, at_of(visit.form.get("at", "")))
    return mapping, visit.form.get("target", "").strip()


async def keep_test(visit: Visit) -> Response:
    """Keep what the form makes of the object that was tried as a test."""
    told = await parsed(visit, {"expression": visit.form.get("expression", "")})
    if told.parsed_expression is None:
        raise bad_request("Write an expression that can be read first.")
    results = await keep(visit, await _drafted(visit, told))
    return await visit.render("_tests.html", results=results, may_remove=False)


async def parsed(visit: Visit, body: Mapping[str, object]) -> ParseExpressionResponse:
    answer = await visit.api.send("POST", f"{visit.at}/{SCHEMA}/parseExpression", body)
    return msgspec.json.decode(answer.body, type=ParseExpressionResponse)


async def _chosen(visit: Visit) -> tuple[str, Mapping[str, object] | None, str]:
    """Return the object that the form names, what its source says, and why there is none.

    It is kept in the form once it was looked up, so that typing asks neither system.
    """
    named = visit.form.get("object", "").strip()
    if not named:
        return "", None, ""
    if visit.form.get("held") == named and visit.form.get("attributes"):
        held = msgspec.json.decode(visit.form["attributes"], type=dict[str, object])
        return visit.form.get("called", named), held, ""
    try:
        told = await visit.api.read(Explanations, f"{visit.at}/explain", _object=named)
    except Fault as fault:
        if fault.status == 404:
            return (
                named,
                None,
                f"{named} is nobody's id. Choose one of those found.",
            )
        return named, None, fault.message
    one = told.value[0]
    return one.whose.called, one.source, ""


# what changes, and saving it


async def attribute_preview(visit: Visit) -> Response:
    """Show what the attribute mapping of the form would change, before it is saved."""
    schema, at = await schema_of(visit), at_of(visit.keys["at"])
    form = visit.form
    if form.get("remove"):
        return await _preview(visit, schema, at, lambda one: without_attribute(one, form["before"]))
    told = await parsed(visit, {"expression": form.get("expression", "")})
    try:
        if told.parsed_expression is None:
            message = told.error.message if told.error else None
            raise Fault(400, "InvalidExpression", message or "This is no expression.")
        source: AttributeMappingSource = told.parsed_expression
        return await _preview(
            visit, schema, at, lambda one: with_attribute(one, form.get("before", ""), form, source)
        )
    except Fault as fault:
        if fault.status not in (400, 409):
            raise
        wrong = KEPT if fault.status == 409 else fault.message
        return await _attribute(visit, schema, at, form, tuple(fault.problems), wrong)


async def _preview(
    visit: Visit,
    schema: SynchronizationSchema,
    at: At,
    change: Callable[[ObjectMapping], ObjectMapping],
) -> Response:
    if visit.form.get("version", "") != (schema.version or ""):
        raise conflict(CHANGED)
    return await weighed(visit, changed(schema, at, change), schema.version or "")


async def weighed(
    visit: Visit, draft: SynchronizationSchema, version: str, then: str = "mappings"
) -> Response:
    """Show what a draft would change, with the guard's verdict, and offer to save it; `then` is
    the page that saving leads to."""
    told = await visit.api.posted(WhatIf, f"{visit.at}/{SCHEMA}/whatIf", plain(draft))
    results = await results_under(visit, draft)
    return await visit.render(
        "what_if.html",
        told=told,
        results=results,
        red=[one for one in results if not one.succeeded],
        draft=encode(draft).decode(),
        version=version,
        then=then,
        may_edit=await visit.may("PUT", f"{visit.at}/{SCHEMA}"),
        tab=then,
        head=await standing(visit),
    )


async def save(visit: Visit) -> Response:
    """Save the draft that was weighed, unless the schema is another by now."""
    schema = await schema_of(visit)
    if visit.form.get("version", "") != (schema.version or ""):
        raise conflict(CHANGED)
    draft = msgspec.json.decode(visit.form.get("draft", "{}"))
    await visit.api.send("PUT", f"{visit.at}/{SCHEMA}", draft)
    then = "setup" if visit.form.get("then") == "setup" else "mappings"
    return to(f"{visit.here}/{then}", did="saved")


# scope and flows of an object mapping


async def scope_form(visit: Visit) -> Response:
    return await _scope(visit, await schema_of(visit), at_of(visit.keys["at"]))


async def _scope(
    visit: Visit,
    schema: SynchronizationSchema,
    at: At,
    problems: tuple[Problem, ...] = (),
    wrong: str = "",
) -> Response:
    rule, mapping = found(schema, at)
    operators = await visit.api.read(Operators, f"{visit.at}/{SCHEMA}/filterOperators", top="999")
    clauses = [
        (number, clause)
        for number, group in enumerate(mapping.scope.groups if mapping.scope else (), 1)
        for clause in group.clauses
    ]
    return await visit.render(
        "scope.html",
        400 if problems or wrong else 200,
        at=at.text,
        mapping=mapping,
        clauses=clauses,
        flows=FLOWS,
        problems=problems,
        wrong=wrong,
        version=schema.version or "",
        operators=[one.name for one in operators.value],
        sources=_attributes(schema, rule.source_directory_name, mapping.source_object_name),
        tab="mappings",
        head=await standing(visit),
    )


async def scope_preview(visit: Visit) -> Response:
    schema, at = await schema_of(visit), at_of(visit.keys["at"])
    try:
        return await _preview(visit, schema, at, lambda one: with_scope(one, visit.form))
    except Fault as fault:
        if fault.status not in (400, 409):
            raise
        # What was written is shown again, as it was written.
        written = changed(schema, at, lambda one: with_scope(one, visit.form))
        wrong = KEPT if fault.status == 409 else fault.message
        return await _scope(visit, written, at, tuple(fault.problems), wrong)


# the whole schema


async def whole_form(visit: Visit) -> Response:
    """Show the schema as Graph has it, to be changed as a whole."""
    schema = await schema_of(visit)
    text = msgspec.json.format(encode(schema), indent=2).decode()
    return await _whole(visit, text, schema.version or "")


async def _whole(
    visit: Visit, text: str, version: str, problems: Sequence[Problem] = (), wrong: str = ""
) -> Response:
    return await visit.render(
        "schema.html",
        400 if problems or wrong else 200,
        text=text,
        version=version,
        problems=problems,
        wrong=wrong,
        tab="mappings",
        head=await standing(visit),
    )


async def whole_preview(visit: Visit) -> Response:
    """Show what the schema of the form would change, or everything that is wrong with it."""
    text, version = visit.form.get("schema", ""), visit.form.get("version", "")
    if version != ((await schema_of(visit)).version or ""):
        # With the version that it was written for: it would take back what somebody else did.
        return await _whole(visit, text, version, wrong=CHANGED)
    draft, problems = decode(SynchronizationSchema, text.encode())
    if draft is None:
        return await _whole(visit, text, version, problems)
    try:
        return await weighed(visit, draft, version)
    except Fault as fault:
        if fault.status != 400:
            raise
        return await _whole(visit, text, version, fault.problems, fault.message)
