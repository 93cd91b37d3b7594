"""Answers as text, as the API, previews and test cases show them (spec: expression 11)."""

from __future__ import annotations

from typing import TypeAlias

from provisor.expressions.context import Answer, Candidates, Flow
from provisor.expressions.values import inner_text

Rendered: TypeAlias = str | list[str] | None


def rendered(answer: Answer) -> Rendered:
    """Return an answer as text: a list for several values, a Flow by its name, None for null.

    Of candidates all are listed, best first. Raises ExpressionError where computing one fails.
    """
    match answer:
        case None:
            return None
        case Flow():
            return answer.value
        case Candidates(values):
            return [text for value in values for text in texts(value)]
        case tuple():
            return texts(answer)
        case _:
            return inner_text(answer)


def texts(answer: Answer) -> list[str]:
    """Return one text for each value, none for null and for a Flow (spec: graph-api 3.11).

    Of candidates the first stands for all: what a target without any objects would take.
    """
    match answer:
        case None | Flow():
            return []
        case Candidates(values):
            return texts(next(iter(values), None))
        case tuple():
            return [inner_text(value) for value in answer]
        case _:
            return [inner_text(answer)]
