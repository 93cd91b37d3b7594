"""Sources of the API become trees, and trees the sources that the API shows."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.expressions import parse, print_expression
from provisor.expressions.sources import SourceError, read_source, write_source


def attribute(name: str) -> dict[str, Any]:
    return {"expression": f"[{name}]", "name": name, "parameters": [], "type": "Attribute"}


def constant(text: str) -> dict[str, Any]:
    return {"expression": f'"{text}"', "name": text, "parameters": [], "type": "Constant"}


def entry(key: str, value: object) -> dict[str, object]:
    return {"key": key, "value": value}


def function(name: str, *parameters: dict[str, object], **more: object) -> dict[str, object]:
    return {"name": name, "type": "Function", "parameters": list(parameters), **more}


def test_the_published_replace_is_written_as_published() -> None:
    written = write_source(parse('Replace([preferredLanguage], "-", , , "_", ,  )'))

    assert written == {
        "expression": 'Replace([preferredLanguage], "-", , , "_", , )',
        "name": "Replace",
        "parameters": [
            entry("source", attribute("preferredLanguage")),
            entry("Find", constant("-")),
            entry("Replacement", constant("_")),
        ],
        "type": "Function",
    }


def test_numbers_are_constants_in_quotes_and_come_back_as_numbers() -> None:
    written = write_source(parse("Mid([userPrincipalName], 1, 8)"))

    assert written["parameters"] == [
        entry("source", attribute("userPrincipalName")),
        entry("start", constant("1")),
        entry("length", constant("8")),
    ]
    del written["expression"]
    assert print_expression(read_source(written)) == "Mid([userPrincipalName], 1, 8)"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({"name": "officeCode", "type": "Attribute"}, "[officeCode]"),
        ({"name": "officeCode"}, "[officeCode]"),
        ({"name": "en_US", "type": "Constant"}, '"en_US"'),
        ({"name": "", "type": "Constant"}, '""'),
        ({"name": "x", "type": "Constant", "expression": "en_US"}, '"x"'),
        ({"expression": "Not([IsSoftDeleted])"}, "Not([IsSoftDeleted])"),
        ({"expression": "Now()", "type": "Function", "parameters": None}, "Now()"),
        (function("Now"), "Now()"),
        (function("toLower", entry("source", attribute("a"))), "ToLower([a])"),
        (
            function(
                "Replace",
                entry("Replacement", constant("_")),
                entry("source", attribute("a")),
                entry("find", constant("-")),
            ),
            'Replace([a], "-", , , "_", , )',
        ),
        (
            function(
                "FormatDateTime",
                entry("source", attribute("a")),
                entry("inputFormat", constant("o")),
                entry("outputFormat", constant("s")),
            ),
            'FormatDateTime([a], , "o", "s")',
        ),
        (
            function(
                "Switch",
                entry("source", attribute("a")),
                entry("switchValue", constant("k")),
                entry("switchValue", None),
            ),
            'Switch([a], , "k", )',
        ),
        (
            function("IIF", entry("condition", function("=", entry("left", attribute("a")),
                     entry("right", constant("b")))), entry("valueIfTrue", attribute("a")),
                     entry("valueIfFalse", constant("c"))),
            'IIF([a] = "b", [a], "c")',
        ),
    ],
)  # fmt: skip
def test_sparse_sources_are_understood(source: object, text: str) -> None:
    assert print_expression(read_source(source)) == text


def test_text_rules_where_text_and_parameters_disagree() -> None:
    source = function("Left", entry("String", attribute("a")), entry("NumChars", constant("1")))

    assert print_expression(read_source({**source, "expression": "Left([b], 2)"})) == "Left([b], 2)"


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (None, "$.source"),
        ([], "$.source"),
        ({}, "$.source"),
        ({"name": 1}, "$.source.name"),
        ({"name": "a", "type": "Other"}, "$.source.type"),
        ({"name": "a]b", "type": "Attribute"}, "$.source.name"),
        ({"expression": "Left([a]"}, "$.source.expression"),
        (function("Nope"), "$.source.name"),
        (function("Left", entry("String", attribute("a"))), "$.source.parameters"),
        (function("Left", entry("Strung", attribute("a"))), "$.source.parameters[0].key"),
        (
            function("ToLower", entry("source", attribute("a")), entry("source", attribute("a"))),
            "$.source.parameters[1].key",
        ),
        (function("Not", parameters=7), "$.source.parameters"),
        (function("Not", parameters=[7]), "$.source.parameters[0]"),
        (
            function("Not", entry("source", function("Len", entry("String", {"name": 3})))),
            "$.source.parameters[0].value.parameters[0].value.name",
        ),
        (function("=", entry("left", attribute("a"))), "$.source.parameters"),
        (function("&", entry("source", None)), "$.source.parameters"),
    ],
)
def test_an_error_names_its_place(source: object, path: str) -> None:
    with pytest.raises(SourceError) as raised:
        read_source(source, "$.source")

    assert raised.value.path == path
    assert str(raised.value).startswith(f"{path}: ")
