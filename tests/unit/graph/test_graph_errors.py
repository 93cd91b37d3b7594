"""Errors in Graph's envelope."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from provisor.graph.problems import Problem, RequestIds, Severity, envelope, invalid
from provisor.graph.wire.coding import plain

IDS = RequestIds(request="r-1", client="c-1")
AT = datetime(2023, 11, 8, 16, 1, 3, 999, tzinfo=timezone(timedelta(hours=1)))


def test_an_error_has_code_message_and_both_ids() -> None:
    assert plain(envelope("ResourceNotFound", "There is no job 'x'.", IDS, AT)) == {
        "error": {
            "code": "ResourceNotFound",
            "message": "There is no job 'x'.",
            "target": None,
            "details": [],
            "innerError": {
                "date": "2023-11-08T15:01:03",
                "request-id": "r-1",
                "client-request-id": "c-1",
            },
        }
    }


def test_everything_wrong_with_a_document_is_in_one_answer() -> None:
    problems = [
        Problem(code="A", path="x[0].y", message="This is wrong.", remedy="Do that."),
        Problem(code="W", path="w", message="Odd.", severity=Severity.WARNING),
        Problem(code="B", path="", message="So is this."),
    ]

    body: Any = plain(invalid(problems, IDS, AT))

    error = body["error"]
    assert error["code"] == "RequestParameterInvalid"
    assert error["message"] == "x[0].y: This is wrong. Do that.\nSo is this."
    assert error["target"] == "x[0].y"
    assert [(d["code"], d["target"]) for d in error["details"]] == [("A", "x[0].y"), ("B", "")]


def test_a_message_stays_readable() -> None:
    problems = [Problem(code="A", path=f"x[{n}]", message="Wrong.") for n in range(50)]
    error = invalid(problems, IDS, AT).error
    assert error.message.endswith("\nand 30 more")
    assert len(error.details) == 50
