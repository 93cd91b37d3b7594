"""Everything that is wrong with a schema is said at once: what, where, and the way out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisor.graph.problems import Problem, Severity
from provisor.graph.schema.codes import LIMITS, Code
from provisor.graph.schema.document import schema_of, uneditable
from tests.unit.graph.schemas import Json, check, schema, users, with_clause, with_mapping

RULE = "synchronizationRules[0]"
MAPPING = f"{RULE}.objectMappings[0]"
NEW = f"{MAPPING}.attributeMappings[3]"
CLAUSE = f"{MAPPING}.scope.groups[0].clauses[0]"
DEPARTMENT = {"name": "department"}


def changed(change: Callable[[Json], object]) -> Json:
    document = schema()
    change(document)
    return document


def expression(text: str, **more: object) -> Json:
    return with_mapping(targetAttributeName="nickName", source={"expression": text}, **more)


def attribute(side: int, **definition: object) -> Json:
    """Return the schema with one attribute more in the source (0) or the target (1)."""
    document = schema()
    document["directories"][side]["objects"][0]["attributes"].append(definition)
    return document


def update(**properties: object) -> Json:
    return changed(lambda document: users(document).update(properties))


def rule(**properties: object) -> Json:
    return changed(lambda document: document["synchronizationRules"][0].update(properties))


def repeated(key: str) -> Json:
    return changed(lambda document: document[key].append(document[key][0]))


ERRORS: list[tuple[str, Json, str, str]] = [
    # the document
    ("WrongType", {"directories": {}}, "directories", ""),
    ("WrongType", update(enabled="yes"), f"{MAPPING}.enabled", ""),
    ("UnknownValue", update(flowTypes="Add, Rename"), f"{MAPPING}.flowTypes", ""),
    (
        "UnknownValue",
        attribute(1, name="x", type="Text"),
        "directories[1].objects[0].attributes[10].type",
        "",
    ),
    # directories
    ("NameMissing", changed(lambda d: d["directories"].append({})), "directories[2].name", ""),
    ("NameRepeated", repeated("directories"), "directories[2].name", "'HR'"),
    (
        "NameRepeated",
        attribute(0, name="level"),
        "directories[0].objects[0].attributes[9].name",
        "",
    ),
    (
        "AnchorRepeated",
        attribute(1, name="x", anchor=True),
        "directories[1].objects[0].attributes",
        "id, x",
    ),
    (
        "DefaultInvalid",
        attribute(1, name="x", type="Integer", defaultValue="many"),
        "directories[1].objects[0].attributes[10].defaultValue",
        "whole number",
    ),
    # rules
    ("RuleIdMissing", rule(id=None), f"{RULE}.id", ""),
    ("RuleIdRepeated", repeated("synchronizationRules"), "synchronizationRules[1].id", ""),
    ("NameMissing", rule(sourceDirectoryName=None), f"{RULE}.sourceDirectoryName", ""),
    (
        "DirectoryUnknown",
        rule(targetDirectoryName="Apps"),
        f"{RULE}.targetDirectoryName",
        "Did you mean 'App'?",
    ),
    (
        "DirectoryReadOnly",
        changed(lambda d: d["directories"][1].update(readOnly=True)),
        f"{RULE}.targetDirectoryName",
        "",
    ),
    (
        "FilterNotSupported",
        rule(containerFilter={"includedContainers": ["OU=x"]}),
        f"{RULE}.containerFilter",
        "search base",
    ),
    (
        "ContainerAndGroupFilter",
        rule(
            containerFilter={"includedContainers": ["OU=x"]}, groupFilter={"includedGroups": ["g"]}
        ),
        RULE,
        "",
    ),
    # object mappings
    ("NameMissing", update(sourceObjectName=None), f"{MAPPING}.sourceObjectName", ""),
    (
        "ObjectUnknown",
        update(targetObjectName="Users"),
        f"{MAPPING}.targetObjectName",
        "Did you mean 'User'?",
    ),
    (
        "MatchingMissing",
        changed(lambda d: users(d)["attributeMappings"][0].update(matchingPriority=0)),
        f"{MAPPING}.attributeMappings",
        "matchingPriority",
    ),
    # attribute mappings
    ("NameMissing", with_mapping(source=DEPARTMENT), f"{NEW}.targetAttributeName", ""),
    (
        "TargetAttributeUnknown",
        with_mapping(targetAttributeName="nickNames", source=DEPARTMENT),
        f"{NEW}.targetAttributeName",
        "Did you mean 'nickName'? To add it",
    ),
    (
        "TargetAttributeRepeated",
        with_mapping(targetAttributeName="DISPLAYNAME", source=DEPARTMENT),
        f"{NEW}.targetAttributeName",
        "attributeMappings[1]",
    ),
    (
        "AnchorMapped",
        with_mapping(targetAttributeName="id", source=DEPARTMENT),
        f"{NEW}.targetAttributeName",
        "",
    ),
    (
        "SourceIncomplete",
        with_mapping(targetAttributeName="nickName", source={}),
        f"{NEW}.source",
        "",
    ),
    (
        "SourceAttributeUnknown",
        with_mapping(targetAttributeName="nickName", source={"name": "departments"}),
        f"{NEW}.source.name",
        "Did you mean 'department'?",
    ),
    (
        "SourceAttributeUnknown",
        expression("ToLower([nobody])"),
        f"{NEW}.source.expression",
        '"name": "nobody"',
    ),
    ("InvalidExpression", expression("ToLower([department]"), f"{NEW}.source.expression", ""),
    ("InvalidExpression", expression("Lower([department])"), f"{NEW}.source.expression", "ToLower"),
    (
        "InvalidExpression",
        with_mapping(
            targetAttributeName="nickName",
            source={
                "type": "Function",
                "name": "Append",
                "parameters": [{"key": "nothing", "value": DEPARTMENT}],
            },
        ),
        f"{NEW}.source.parameters[0].key",
        "",
    ),
    (
        "SelectUniqueValueAtEveryExport",
        expression('SelectUniqueValue([department], Append([department], "1"))'),
        f"{NEW}.source.expression",
        "ObjectAddOnly",
    ),
    (
        "DefaultInvalid",
        with_mapping(targetAttributeName="score", source={"name": "level"}, defaultValue="x"),
        f"{NEW}.defaultValue",
        "",
    ),
    (
        "ReferenceNotDirect",
        with_mapping(targetAttributeName="manager", source={"expression": "Trim([manager])"}),
        f"{NEW}.source",
        "",
    ),
    (
        "ReferenceNotDirect",
        with_mapping(targetAttributeName="manager", source=None),
        f"{NEW}.source",
        "",
    ),
    (
        "ReferenceFromText",
        with_mapping(targetAttributeName="manager", source=DEPARTMENT),
        f"{NEW}.source",
        "",
    ),
    (
        "NullFlowNotPossible",
        with_mapping(targetAttributeName="roles", source=DEPARTMENT, flowNullValues=True),
        f"{NEW}.flowNullValues",
        "",
    ),
    # matching
    (
        "MatchingPriorityInvalid",
        expression("[department]", matchingPriority=-1),
        f"{NEW}.matchingPriority",
        "",
    ),
    (
        "MatchingPriorityRepeated",
        expression("[department]", matchingPriority=1),
        f"{NEW}.matchingPriority",
        "",
    ),
    (
        "MatchingNotPossible",
        expression('"all"', matchingPriority=2),
        f"{NEW}.matchingPriority",
        "the same for every object",
    ),
    (
        "MatchingNotPossible",
        with_mapping(targetAttributeName="nickName", defaultValue="x", matchingPriority=2),
        f"{NEW}.matchingPriority",
        "no source",
    ),
    (
        "MatchingNotPossible",
        with_mapping(targetAttributeName="password", source=DEPARTMENT, matchingPriority=2),
        f"{NEW}.matchingPriority",
        "",
    ),
    (
        "MatchingNotPossible",
        with_mapping(targetAttributeName="roles", source=DEPARTMENT, matchingPriority=2),
        f"{NEW}.matchingPriority",
        "",
    ),
    (
        "MatchingNotPossible",
        with_mapping(targetAttributeName="manager", source={"name": "manager"}, matchingPriority=2),
        f"{NEW}.matchingPriority",
        "",
    ),
    (
        "MatchingNotPossible",
        expression("[department]", matchingPriority=2, flowNullValues=True),
        f"{NEW}.matchingPriority",
        "",
    ),
    (
        "SelectUniqueValueOnMatching",
        expression(
            "SelectUniqueValue([department], [userPrincipalName])",
            matchingPriority=2,
            flowType="ObjectAddOnly",
        ),
        f"{NEW}.source.expression",
        "",
    ),
    # scoping filters
    (
        "OperatorUnknown",
        with_clause(
            sourceOperandName="department", operatorName="EQUAL", targetOperand={"values": ["x"]}
        ),
        f"{CLAUSE}.operatorName",
        "Did you mean 'EQUALS'?",
    ),
    ("NameMissing", with_clause(operatorName="IS NULL"), f"{CLAUSE}.sourceOperandName", ""),
    (
        "SourceAttributeUnknown",
        with_clause(sourceOperandName="dept", operatorName="IS NULL"),
        f"{CLAUSE}.sourceOperandName",
        "",
    ),
    (
        "OperandMissing",
        with_clause(sourceOperandName="department", operatorName="EQUALS"),
        f"{CLAUSE}.targetOperand.values",
        "",
    ),
    (
        "OperandInvalid",
        with_clause(
            sourceOperandName="department",
            operatorName="REGEX MATCH",
            targetOperand={"values": ["("]},
        ),
        f"{CLAUSE}.targetOperand.values",
        "",
    ),
    (
        "OperandInvalid",
        with_clause(
            sourceOperandName="level",
            operatorName="GREATER_THAN",
            targetOperand={"values": ["many"]},
        ),
        f"{CLAUSE}.targetOperand.values",
        "",
    ),
    (
        "ClauseTypeNotSupported",
        with_clause(sourceOperandName="otherMails", operatorName="IS NULL"),
        f"{CLAUSE}.sourceOperandName",
        "",
    ),
    (
        "ClauseTypeNotSupported",
        with_clause(sourceOperandName="manager", operatorName="IS NULL"),
        f"{CLAUSE}.sourceOperandName",
        "",
    ),
    (
        "ClauseTypeNotSupported",
        with_clause(
            sourceOperandName="hired",
            operatorName="EQUALS",
            targetOperand={"values": ["2026-01-01"]},
        ),
        f"{CLAUSE}.sourceOperandName",
        "",
    ),
    (
        "ClauseTypeNotSupported",
        with_clause(sourceOperandName="department", operatorName="IS TRUE"),
        f"{CLAUSE}.sourceOperandName",
        "",
    ),
]

WARNINGS: list[tuple[str, Json, str, str]] = [
    ("UnknownProperty", update(futureFlag=True), f"{MAPPING}.futureFlag", ""),
    (
        "AnchorMissing",
        changed(lambda d: d["directories"][1]["objects"][0]["attributes"].pop(0)),
        "directories[1].objects[0].attributes",
        "",
    ),
    (
        "DispositionNotSupported",
        update(metadata=[{"key": "Disposition", "value": '"Discard"'}]),
        f"{MAPPING}.metadata[0]",
        "",
    ),
    (
        "TargetAttributeReadOnly",
        with_mapping(targetAttributeName="created", source=DEPARTMENT),
        f"{NEW}.targetAttributeName",
        "",
    ),
    (
        "RequiredNotMapped",
        attribute(1, name="country", required=True),
        f"{MAPPING}.attributeMappings",
        "no object can be created",
    ),
    ("MappingWithoutValue", with_mapping(targetAttributeName="nickName"), f"{NEW}.source", ""),
    (
        "NullFlowWithoutEffect",
        with_mapping(targetAttributeName="score", source={"name": "level"}, flowNullValues=True),
        f"{NEW}.flowNullValues",
        "",
    ),
    (
        "ExpressionDiscouraged",
        expression("tolower([department])"),
        f"{NEW}.source.expression",
        "ToLower",
    ),
    ("FailsAlways", expression('Item("a", 2)'), f"{NEW}.source.expression", "whatever the object"),
    ("DrawnAtEveryExport", expression("Guid()"), f"{NEW}.source.expression", ""),
    (
        "OperandNotUsed",
        with_clause(
            sourceOperandName="department", operatorName="IS NULL", targetOperand={"values": ["x"]}
        ),
        f"{CLAUSE}.targetOperand.values",
        "",
    ),
    (
        "ClausesMissing",
        update(scope={"groups": [{"name": "all"}]}),
        f"{MAPPING}.scope.groups[0].clauses",
        "",
    ),
    ("NothingEnabled", update(enabled=False), "synchronizationRules", ""),
    (
        "ReferencedObjectUnknown",
        changed(
            lambda d: (
                d["directories"][1]["objects"][0]["attributes"][9].update(
                    referencedObjects=[{"referencedObjectName": "Group"}]
                ),
                users(d)["attributeMappings"].append(
                    {"targetAttributeName": "manager", "source": {"name": "manager"}}
                ),
            )
        ),
        MAPPING,
        "Group",
    ),
]


@pytest.mark.parametrize(("code", "document", "path", "says"), ERRORS, ids=[e[0] for e in ERRORS])
def test_an_error_names_its_place_and_the_way_out(
    code: str, document: Json, path: str, says: str
) -> None:
    rules, problems = check(document)

    (found,) = (p for p in problems if p.code == code)
    assert found.path == path
    assert found.severity is Severity.ERROR
    assert says in f"{found.message} {found.remedy}"
    assert rules == {}


@pytest.mark.parametrize(
    ("code", "document", "path", "says"), WARNINGS, ids=[w[0] for w in WARNINGS]
)
def test_a_warning_keeps_nothing_from_running(
    code: str, document: Json, path: str, says: str
) -> None:
    rules, problems = check(document)

    assert [(p.code, p.path, p.severity) for p in problems] == [(code, path, Severity.WARNING)]
    assert says in f"{problems[0].message} {problems[0].remedy}"
    assert rules


def test_every_code_is_shown_here() -> None:
    shown = {case[0] for case in (*ERRORS, *WARNINGS)}
    elsewhere = {
        Code.INVALID_JSON,
        Code.MISSING,
        Code.RULE_NOT_EDITABLE,
        Code.TWO_DIRECTIONS,
        Code.OBJECT_NOT_IN_SOURCE,
        Code.SOURCE_ATTRIBUTE_NOT_READ,
    }
    assert set(Code) - shown - LIMITS == elsewhere


def test_all_problems_are_reported_at_once() -> None:
    document = with_clause(sourceOperandName="nobody", operatorName="IS SOMETHING")
    mappings = users(document)["attributeMappings"]
    mappings.append({"targetAttributeName": "id", "source": {"expression": "Lower([x]"}})
    mappings.append({"targetAttributeName": "ghost", "source": {"expression": "[spectre]"}})
    document["synchronizationRules"][0]["targetDirectoryName"] = "App"
    document["directories"].append({"name": "HR"})

    _, problems = check(document)

    assert {p.code for p in problems} == {
        "NameRepeated",
        "InvalidExpression",
        "AnchorMapped",
        "TargetAttributeUnknown",
        "SourceAttributeUnknown",
        "OperatorUnknown",
    }


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("ToLower([department]", 20),
        ("ToLower( [nobody] )", 9),
        ('Append([department], [nobody] & "x")', 21),
    ],
)
def test_a_problem_inside_an_expression_has_a_position(text: str, position: int) -> None:
    _, problems = check(expression(text))
    assert [p.position for p in problems] == [position]


def test_a_rule_that_goes_the_other_way_is_refused_unless_it_is_disabled() -> None:
    document = schema()
    back = changed(lambda _: None)["synchronizationRules"][0]
    back.update(id="r2", sourceDirectoryName="App", targetDirectoryName="HR")
    back["objectMappings"][0]["attributeMappings"] = [
        {
            "targetAttributeName": "userPrincipalName",
            "source": {"name": "userName"},
            "matchingPriority": 1,
        }
    ]
    document["synchronizationRules"].append(back)

    _, problems = check(document)
    assert [(p.code, p.path) for p in problems] == [("TwoDirections", "synchronizationRules[1]")]

    back["objectMappings"][0]["enabled"] = False
    rules, problems = check(document)
    assert problems == ()
    assert len(rules) == 2


def test_a_rule_that_is_not_editable_stays() -> None:
    fixed = rule(editable=False)
    before, _ = schema_of(fixed)
    same, _ = schema_of(fixed)
    fixed["synchronizationRules"][0]["priority"] = 2
    after, _ = schema_of(fixed)
    gone, _ = schema_of({"directories": fixed["directories"]})
    assert before is not None
    assert after is not None
    assert same is not None
    assert gone is not None

    assert uneditable(before, same) == ()
    assert codes(uneditable(before, after)) == ["RuleNotEditable"]
    assert codes(uneditable(before, gone)) == ["RuleNotEditable"]


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]


def test_a_problem_reads_as_a_sentence() -> None:
    _, problems = check(expression("ToLower([nobody])"))
    assert str(problems[0]) == (
        "synchronizationRules[0].objectMappings[0].attributeMappings[3].source.expression, "
        "character 9: User of the source has no attribute 'nobody'. To add it, give the source's "
        'User the attribute {"name": "nobody", "type": "String"}.'
    )
