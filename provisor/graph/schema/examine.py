"""A schema document to rules, with all that is wrong at once: its form, and what it means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from provisor.graph.problems import Problem, errors
from provisor.graph.schema.codes import EXCESSIVE, LIMITS, Code
from provisor.graph.schema.document import read_schema, salvaged_schema
from provisor.graph.schema.rules import NO_DEFINITIONS, Definitions, to_rules
from provisor.graph.wire.schemas import SynchronizationSchema
from provisor.model.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a document says. Without a schema, or with an error, there are no rules."""

    schema: SynchronizationSchema | None
    rules: Rules
    problems: tuple[Problem, ...]


def examined(content: bytes, definitions: Definitions = NO_DEFINITIONS) -> Examined:
    """Read a document and make its rules.

    Where its form is wrong, what the rest means is examined all the same.
    """
    schema, form = read_schema(content)
    if schema is None:
        return Examined(
            schema=None, rules={}, problems=(*form, *beyond(content, form, definitions))
        )
    rules, found = to_rules(schema, definitions)
    return Examined(schema=schema, rules=rules, problems=(*form, *found))


def beyond(
    content: bytes, form: Sequence[Problem], definitions: Definitions
) -> tuple[Problem, ...]:
    """Return what else is wrong with a document whose form is wrong.

    What was said wrongly counts as not said. What may only follow from that is left out.
    """
    torn = salvaged_schema(content) if _can_be_salvaged(form) else None
    if torn is None:
        return ()
    _, found = to_rules(torn, definitions)
    # Nothing follows from what is too long: it is there.
    wrong = [_holder(problem.path) for problem in errors(form) if problem.code not in LIMITS]
    return tuple(one for one in found if not _is_within(one.path, wrong))


def _can_be_salvaged(form: Iterable[Problem]) -> bool:
    """False where elements of a list were lost: all behind them would be told at other places."""
    hopeless = {Code.INVALID_JSON, Code.MISSING, *EXCESSIVE}
    return not any(one.code in hopeless or one.path.endswith("]") for one in form)


def _holder(path: str) -> str:
    """Return the place that holds what is at a path."""
    return path.rpartition(".")[0]


def _is_within(path: str, places: Iterable[str]) -> bool:
    return any(place and path.startswith(place) for place in places)
