"""A schema has limits. Each has a code of its own, its place, and a page that says the way out."""

from __future__ import annotations

import json

import pytest

from provisor.expressions.context import DEPTH_MAX, LENGTH_MAX, RESULT_MAX
from provisor.graph.problems import Problems, errors
from provisor.graph.schema import limits
from provisor.graph.schema.codes import LIMITS
from provisor.graph.schema.document import canonical, read_schema, schema_of, write_schema
from provisor.graph.schema.examine import examined
from provisor.graph.schema.sources import tree_of
from provisor.graph.troubleshooting import TROUBLES
from provisor.graph.wire.schemas import AttributeMappingSource, SourceParameter, SourceType
from tests.unit.graph.schemas import Json, check, schema, users, with_mapping

RULE = "synchronizationRules[0]"
MAPPING = f"{RULE}.objectMappings[0]"
NEW = f"{MAPPING}.attributeMappings[3].source"


def many(count: int, **item: object) -> list[Json]:
    return [{"name": f"n{number}", **item} for number in range(count)]


def directories(**properties: object) -> Json:
    document = schema()
    document["directories"][0].update(properties)
    return document


def source_object(**properties: object) -> Json:
    document = schema()
    document["directories"][0]["objects"][0].update(properties)
    return document


def rule(**properties: object) -> Json:
    document = schema()
    document["synchronizationRules"][0].update(properties)
    return document


def mapping(**properties: object) -> Json:
    document = schema()
    users(document).update(properties)
    return document


def expression(text: str) -> Json:
    return with_mapping(targetAttributeName="nickName", source={"expression": text})


def clauses(groups: int, each: int) -> Json:
    clause = {"sourceOperandName": "department", "operatorName": "IS NULL"}
    return {"groups": many(groups, clauses=[clause] * each)}


def nested(levels: int) -> str:
    return "ToLower(" * (levels - 1) + "[department]" + ")" * (levels - 1)


BEYOND: list[tuple[str, Json, str, int]] = [
    ("TooManyDirectories", {"directories": many(17)}, "directories", limits.DIRECTORIES_MAX),
    (
        "TooManyObjects",
        directories(objects=many(201)),
        "directories[0].objects",
        limits.OBJECTS_MAX,
    ),
    (
        "TooManyAttributes",
        source_object(attributes=many(5001)),
        "directories[0].objects[0].attributes",
        limits.ATTRIBUTES_MAX,
    ),
    ("TooManyRules", {"synchronizationRules": many(65)}, "synchronizationRules", limits.RULES_MAX),
    (
        "TooManyObjectMappings",
        rule(objectMappings=many(65)),
        f"{RULE}.objectMappings",
        limits.OBJECT_MAPPINGS_MAX,
    ),
    (
        "TooManyAttributeMappings",
        mapping(attributeMappings=many(1001)),
        f"{MAPPING}.attributeMappings",
        limits.ATTRIBUTE_MAPPINGS_MAX,
    ),
    ("TooManyClauses", mapping(scope=clauses(10, 100)), f"{MAPPING}.scope", limits.CLAUSES_MAX),
    (
        "TooManyEntries",
        mapping(metadata=[{"key": "k", "value": "v"}] * 5001),
        f"{MAPPING}.metadata",
        limits.ENTRIES_MAX,
    ),
    ("NameTooLong", rule(name="x" * 1025), f"{RULE}.name", limits.NAME_LENGTH_MAX),
    (
        "ValueTooLong",
        mapping(metadata=[{"key": "k", "value": "v" * 32_769}]),
        f"{MAPPING}.metadata[0].value",
        limits.VALUE_LENGTH_MAX,
    ),
    ("ExpressionTooLong", expression(f'"{"x" * LENGTH_MAX}"'), f"{NEW}.expression", LENGTH_MAX),
    ("ExpressionTooDeep", expression(nested(DEPTH_MAX + 1)), f"{NEW}.expression", DEPTH_MAX),
    (
        "ResultTooLong",
        expression(f'PadLeft([department], {RESULT_MAX + 1}, "0")'),
        f"{NEW}.expression",
        RESULT_MAX,
    ),
]


@pytest.mark.parametrize(("code", "document", "path", "most"), BEYOND, ids=[b[0] for b in BEYOND])
def test_what_is_beyond_a_limit_is_told_with_its_place_and_the_limit(
    code: str, document: Json, path: str, most: int
) -> None:
    rules, problems = check(document)

    (found,) = (problem for problem in problems if problem.code == code)
    assert found.path == path
    assert str(most) in found.message
    assert found.remedy
    assert found in errors(problems)
    assert rules == {}


WITHIN = [
    {"directories": many(16)},
    rule(name="x" * 1024),
    mapping(scope=clauses(10, 99)),
    mapping(metadata=[{"key": "k", "value": "v" * 32_768}]),
    expression(nested(DEPTH_MAX)),
    expression(f'PadLeft([department], {RESULT_MAX}, "0")'),
]


@pytest.mark.parametrize("document", WITHIN)
def test_as_much_as_the_limit_says_is_fine(document: Json) -> None:
    _, problems = check(document)

    assert [problem for problem in problems if problem.code in LIMITS] == []


def test_a_document_is_measured_before_it_is_read() -> None:
    body = b" " * (limits.DOCUMENT_BYTES_MAX - 1) + b"{}"

    _, problems = read_schema(body)
    _, shorter = read_schema(body[1:])

    assert [problem.code for problem in problems] == ["DocumentTooLong"]
    assert shorter == ()


def test_a_source_of_parameters_that_nests_too_deeply_has_the_same_code() -> None:
    source = AttributeMappingSource(name="department")
    for _ in range(DEPTH_MAX):
        parameters = (SourceParameter(key="source", value=source),)
        source = AttributeMappingSource(
            name="ToLower", type=SourceType.FUNCTION, parameters=parameters
        )

    problems = Problems()
    assert tree_of(source, problems) is None
    assert [problem.code for problem in problems.found] == ["ExpressionTooDeep"]


def test_the_deepest_expression_can_be_stored_in_all_its_forms() -> None:
    read, _ = schema_of(expression(nested(DEPTH_MAX)))
    assert read is not None

    again, problems = read_schema(write_schema(canonical(read)))

    assert again == canonical(read)
    assert problems == ()


def test_a_document_that_nests_without_end_is_not_looked_into() -> None:
    body = b'{"x":' * 300 + b"1" + b"}" * 300

    assert [problem.code for problem in examined(body).problems] == ["DocumentTooDeep"]


def test_what_is_too_much_hides_nothing_that_can_be_told() -> None:
    document = rule(name="x" * 1025)
    users(document)["attributeMappings"][0]["targetAttributeName"] = "userNames"

    problems = examined(json.dumps(document).encode()).problems

    assert {p.code for p in errors(problems)} >= {"NameTooLong", "TargetAttributeUnknown"}


def test_every_limit_is_shown_here_and_has_a_page() -> None:
    assert {b[0] for b in BEYOND} | {"DocumentTooLong", "DocumentTooDeep"} == LIMITS
    assert TROUBLES.keys() >= LIMITS
