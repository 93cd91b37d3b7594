"""Every function of the mapping language, in one table (spec: expression 6)."""

from __future__ import annotations

from collections.abc import Mapping

from provisor.expressions.functions import (
    directory,
    generators,
    lists,
    logic,
    moments,
    replacing,
    roles,
    text,
)
from provisor.expressions.functions.shape import (
    ArityProblem,
    Example,
    Form,
    Function,
    Parameter,
    arity_problem,
    signature,
)

GROUPS: Mapping[str, tuple[Function, ...]] = {
    "Text": text.FUNCTIONS + replacing.FUNCTIONS,
    "Logic and flow": logic.FUNCTIONS,
    "Lists and numbers": lists.FUNCTIONS,
    "App roles": roles.FUNCTIONS,
    "Dates": moments.FUNCTIONS,
    "Generated values": generators.FUNCTIONS,
    "Directory names": directory.FUNCTIONS,
}
"""The functions by subject, as the reference presents them."""

FUNCTIONS: Mapping[str, Function] = {
    function.name: function for group in GROUPS.values() for function in group
}
"""The functions by their canonical names."""

NAMES: Mapping[str, str] = {name.lower(): name for name in FUNCTIONS}
"""Canonical names by how they look in lower case."""


def function_schemas() -> list[dict[str, object]]:
    """Return all functions as the API lists them (spec: graph-api 4.15, 8.6)."""
    return [
        {
            "id": function.name,
            "name": function.name,
            "parameters": [
                {
                    "allowMultipleOccurrences": parameter.repeats,
                    "name": parameter.name,
                    "required": parameter.is_required,
                    "type": parameter.type.value,
                }
                for parameter in function.parameters
            ],
        }
        for function in FUNCTIONS.values()
    ]


__all__ = [
    "FUNCTIONS",
    "GROUPS",
    "NAMES",
    "ArityProblem",
    "Example",
    "Form",
    "Function",
    "Parameter",
    "arity_problem",
    "function_schemas",
    "signature",
]
