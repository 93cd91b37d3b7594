"""A document with a wrong form is examined beyond it: one look tells all that there is to mend."""

from __future__ import annotations

import json

from provisor.graph.problems import Severity
from provisor.graph.schema.examine import examined
from tests.unit.graph.schemas import Json, schema


def told(document: Json) -> dict[str, str]:
    """Return the codes of all errors by place."""
    found = examined(json.dumps(document).encode()).problems
    assert all(one.remedy for one in found)
    return {one.path: one.code for one in found if one.severity is Severity.ERROR}


def mappings(document: Json) -> list[Json]:
    return document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]


AT = "synchronizationRules[0].objectMappings[0].attributeMappings"


def test_what_is_wrong_in_form_hides_nothing_of_what_is_wrong_in_meaning() -> None:
    document = schema()
    mappings(document)[1]["flowType"] = "Sometimes"
    mappings(document)[2]["source"] = {"expression": "Not([IsSoftDeleted]"}
    mappings(document)[0]["targetAttributeName"] = "userNames"
    document["directories"][0]["readOnly"] = "yes"

    assert told(document) == {
        "directories[0].readOnly": "WrongType",
        f"{AT}[1].flowType": "UnknownValue",
        f"{AT}[2].source.expression": "InvalidExpression",
        f"{AT}[0].targetAttributeName": "TargetAttributeUnknown",
    }


def test_what_may_only_follow_from_a_wrong_form_is_not_told() -> None:
    document = schema()
    mappings(document)[1] |= {
        "flowType": "AtCreation",
        "source": {"expression": "SelectUniqueValue([displayName], [userPrincipalName])"},
    }

    assert told(document) == {f"{AT}[1].flowType": "UnknownValue"}


def test_where_elements_are_lost_nothing_is_told_at_wrong_places() -> None:
    document = schema()
    mappings(document)[2]["source"] = {"expression": "Not("}
    mappings(document).insert(0, "userName")  # pyright: ignore[reportArgumentType]

    assert told(document) == {f"{AT}[0]": "WrongType"}


def test_no_json_is_one_problem() -> None:
    found = examined(b'{"directories": [')

    assert [one.code for one in found.problems] == ["InvalidJson"]
    assert found.schema is None
    assert found.rules == {}


def test_null_in_place_of_the_rules_does_not_do_away_with_them() -> None:
    for name in ("synchronizationRules", "SynchronizationRules"):
        for said in (None, [None]):
            document = {"directories": schema()["directories"], name: said}
            assert told(document) == {name: "WrongType"}

    assert told(schema() | {"synchronizationRules": []}) == {}
    assert told({"directories": schema()["directories"]}) == {}
