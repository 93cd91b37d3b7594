"""What the schema's functions and operators look like when they are listed (graph-api 4.15).

The CSDL has `id`, the live service sends `name`: both are sent.
"""

from __future__ import annotations

from enum import StrEnum

from provisor.graph.wire.base import Wire
from provisor.model.rules import AttributeType


class ScopeOperatorType(StrEnum):
    BINARY = "Binary"
    UNARY = "Unary"


class MultiValuedComparison(StrEnum):
    ALL = "All"
    ANY = "Any"


class FilterOperatorSchema(Wire, frozen=True, kw_only=True):
    id: str
    name: str
    arity: ScopeOperatorType = ScopeOperatorType.BINARY
    multivalued_comparison_type: MultiValuedComparison = MultiValuedComparison.ALL
    supported_attribute_types: tuple[AttributeType, ...] = ()


class ParameterSchema(Wire, frozen=True, kw_only=True):
    """`attributeMappingParameterSchema`."""

    allow_multiple_occurrences: bool = False
    name: str
    required: bool = False
    type: AttributeType = AttributeType.STRING


class FunctionSchema(Wire, frozen=True, kw_only=True):
    """`attributeMappingFunctionSchema`."""

    id: str
    name: str
    parameters: tuple[ParameterSchema, ...] = ()
