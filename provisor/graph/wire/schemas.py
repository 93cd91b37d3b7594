"""The schema: directories, rules, mappings, filters (spec: graph-api 4.8 to 4.15)."""

from __future__ import annotations

from enum import Flag, StrEnum

from msgspec import UNSET, UnsetType

from provisor.graph.wire.base import Open
from provisor.graph.wire.pairs import TextPair
from provisor.model.rules import AttributeType, FlowBehavior, Flows, FlowType, Mutability


class SourceType(StrEnum):
    ATTRIBUTE = "Attribute"
    CONSTANT = "Constant"
    FUNCTION = "Function"


class Discoverabilities(Flag):
    NONE = 0
    ATTRIBUTE_NAMES = 1
    ATTRIBUTE_DATA_TYPES = 2
    ATTRIBUTE_READ_ONLY = 4
    REFERENCE_ATTRIBUTES = 8
    UNKNOWN_FUTURE_VALUE = 16


class ReferencedObject(Open, frozen=True, kw_only=True):
    referenced_object_name: str | None = None
    referenced_property: str | None = None


class AttributeDefinition(Open, frozen=True, kw_only=True):
    anchor: bool = False
    api_expressions: tuple[TextPair, ...] = ()
    case_exact: bool = False
    default_value: str | None = None
    flow_null_values: bool = False
    metadata: tuple[TextPair, ...] = ()
    multivalued: bool = False
    mutability: Mutability = Mutability.READ_WRITE
    name: str = ""
    required: bool = False
    referenced_objects: tuple[ReferencedObject, ...] = ()
    type: AttributeType = AttributeType.STRING


class ObjectDefinition(Open, frozen=True, kw_only=True):
    attributes: tuple[AttributeDefinition, ...] = ()
    metadata: tuple[TextPair, ...] = ()
    name: str = ""
    supported_apis: tuple[str, ...] = ()


class DirectoryDefinition(Open, frozen=True, kw_only=True):
    id: str | None = None
    discoverabilities: Discoverabilities = Discoverabilities.NONE
    discovery_date_time: str | None = None
    metadata: tuple[TextPair, ...] | UnsetType = UNSET
    name: str = ""
    read_only: bool = False
    version: str | None = None
    objects: tuple[ObjectDefinition, ...] = ()


class FilterOperand(Open, frozen=True, kw_only=True):
    values: tuple[str, ...] = ()


class FilterClause(Open, frozen=True, kw_only=True):
    operator_name: str | None = None
    source_operand_name: str | None = None
    target_operand: FilterOperand | None = None


class FilterGroup(Open, frozen=True, kw_only=True):
    clauses: tuple[FilterClause, ...] = ()
    name: str | None = None


class Filter(Open, frozen=True, kw_only=True):
    category_filter_groups: tuple[FilterGroup, ...] = ()
    groups: tuple[FilterGroup, ...] = ()
    input_filter_groups: tuple[FilterGroup, ...] = ()


class SourceParameter(Open, frozen=True, kw_only=True):
    """`stringKeyAttributeMappingSourceValuePair`."""

    key: str = ""
    value: AttributeMappingSource | None = None


class AttributeMappingSource(Open, frozen=True, kw_only=True):
    expression: str | None = None
    name: str | None = None
    parameters: tuple[SourceParameter, ...] = ()
    type: SourceType = SourceType.ATTRIBUTE


class AttributeMapping(Open, frozen=True, kw_only=True):
    default_value: str | None = None
    export_missing_references: bool = False
    flow_behavior: FlowBehavior = FlowBehavior.FLOW_WHEN_CHANGED
    flow_null_values: bool | UnsetType = UNSET
    """Both this and the one of the target attribute must be on (spec: behaviour 8.4)."""
    flow_type: FlowType = FlowType.ALWAYS
    matching_priority: int = 0
    target_attribute_name: str | None = None
    source: AttributeMappingSource | None = None


class ObjectMapping(Open, frozen=True, kw_only=True):
    enabled: bool = True
    flow_types: Flows = Flows.ALL
    metadata: tuple[TextPair, ...] = ()
    name: str | None = None
    scope: Filter | None = None
    source_object_name: str | None = None
    target_object_name: str | None = None
    attribute_mappings: tuple[AttributeMapping, ...] = ()


class ContainerFilter(Open, frozen=True, kw_only=True):
    included_containers: tuple[str, ...] = ()


class GroupFilter(Open, frozen=True, kw_only=True):
    included_groups: tuple[str, ...] = ()


class SynchronizationRule(Open, frozen=True, kw_only=True):
    editable: bool = True
    id: str | None = None
    metadata: tuple[TextPair, ...] = ()
    name: str | None = None
    priority: int = 1
    source_directory_name: str | None = None
    target_directory_name: str | None = None
    container_filter: ContainerFilter | None = None
    group_filter: GroupFilter | None = None
    object_mappings: tuple[ObjectMapping, ...] = ()


class SynchronizationSchema(Open, frozen=True, kw_only=True):
    id: str = ""
    version: str | None = None
    directories: tuple[DirectoryDefinition, ...] = ()
    synchronization_rules: tuple[SynchronizationRule, ...] = ()
