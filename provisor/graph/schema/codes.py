"""The codes of what can be wrong with a schema. They are stable: programs match them.

Those of `expressions.check` come on top, for what can be wrong with an expression.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Code(StrEnum):
    # the document
    INVALID_JSON = "InvalidJson"
    WRONG_TYPE = "WrongType"
    MISSING = "Missing"
    UNKNOWN_VALUE = "UnknownValue"
    UNKNOWN_PROPERTY = "UnknownProperty"

    # limits
    DOCUMENT_TOO_DEEP = "DocumentTooDeep"
    DOCUMENT_TOO_LONG = "DocumentTooLong"
    EXPRESSION_TOO_DEEP = "ExpressionTooDeep"
    EXPRESSION_TOO_LONG = "ExpressionTooLong"
    NAME_TOO_LONG = "NameTooLong"
    RESULT_TOO_LONG = "ResultTooLong"
    TOO_MANY_ATTRIBUTE_MAPPINGS = "TooManyAttributeMappings"
    TOO_MANY_ATTRIBUTES = "TooManyAttributes"
    TOO_MANY_CLAUSES = "TooManyClauses"
    TOO_MANY_DIRECTORIES = "TooManyDirectories"
    TOO_MANY_ENTRIES = "TooManyEntries"
    TOO_MANY_OBJECT_MAPPINGS = "TooManyObjectMappings"
    TOO_MANY_OBJECTS = "TooManyObjects"
    TOO_MANY_RULES = "TooManyRules"
    VALUE_TOO_LONG = "ValueTooLong"

    # directories
    NAME_MISSING = "NameMissing"
    NAME_REPEATED = "NameRepeated"
    ANCHOR_MISSING = "AnchorMissing"
    ANCHOR_REPEATED = "AnchorRepeated"
    DEFAULT_INVALID = "DefaultInvalid"
    REFERENCED_OBJECT_UNKNOWN = "ReferencedObjectUnknown"

    # rules and object mappings
    RULE_ID_MISSING = "RuleIdMissing"
    RULE_ID_REPEATED = "RuleIdRepeated"
    RULE_NOT_EDITABLE = "RuleNotEditable"
    DIRECTORY_UNKNOWN = "DirectoryUnknown"
    DIRECTORY_READ_ONLY = "DirectoryReadOnly"
    TWO_DIRECTIONS = "TwoDirections"
    CONTAINER_AND_GROUP_FILTER = "ContainerAndGroupFilter"
    FILTER_NOT_SUPPORTED = "FilterNotSupported"
    OBJECT_UNKNOWN = "ObjectUnknown"
    OBJECT_NOT_IN_SOURCE = "ObjectNotInSource"
    NOTHING_ENABLED = "NothingEnabled"
    DISPOSITION_NOT_SUPPORTED = "DispositionNotSupported"

    # attribute mappings
    TARGET_ATTRIBUTE_UNKNOWN = "TargetAttributeUnknown"
    TARGET_ATTRIBUTE_REPEATED = "TargetAttributeRepeated"
    TARGET_ATTRIBUTE_READ_ONLY = "TargetAttributeReadOnly"
    ANCHOR_MAPPED = "AnchorMapped"
    REQUIRED_NOT_MAPPED = "RequiredNotMapped"
    SOURCE_INCOMPLETE = "SourceIncomplete"
    SOURCE_ATTRIBUTE_UNKNOWN = "SourceAttributeUnknown"
    SOURCE_ATTRIBUTE_NOT_READ = "SourceAttributeNotRead"
    MAPPING_WITHOUT_VALUE = "MappingWithoutValue"
    INVALID_EXPRESSION = "InvalidExpression"
    EXPRESSION_DISCOURAGED = "ExpressionDiscouraged"
    REFERENCE_NOT_DIRECT = "ReferenceNotDirect"
    REFERENCE_FROM_TEXT = "ReferenceFromText"
    NULL_FLOW_NOT_POSSIBLE = "NullFlowNotPossible"
    NULL_FLOW_WITHOUT_EFFECT = "NullFlowWithoutEffect"

    # matching
    MATCHING_MISSING = "MatchingMissing"
    MATCHING_PRIORITY_INVALID = "MatchingPriorityInvalid"
    MATCHING_PRIORITY_REPEATED = "MatchingPriorityRepeated"
    MATCHING_NOT_POSSIBLE = "MatchingNotPossible"

    # scoping filters
    OPERATOR_UNKNOWN = "OperatorUnknown"
    OPERAND_MISSING = "OperandMissing"
    OPERAND_NOT_USED = "OperandNotUsed"
    OPERAND_INVALID = "OperandInvalid"
    CLAUSE_TYPE_NOT_SUPPORTED = "ClauseTypeNotSupported"
    CLAUSES_MISSING = "ClausesMissing"


LESS = "Leave out what nothing needs, or split it over several jobs."

LIMITS = frozenset(
    code for code in Code if code.startswith("TooMany") or code.endswith(("TooLong", "TooDeep"))
)
"""The codes of limits: each has a page."""

EXCESSIVE = frozenset(code for code in LIMITS if code.startswith(("TooMany", "Document")))
"""What is too much to be looked at any further."""

USUAL_REMEDIES: Mapping[str, str] = {
    Code.INVALID_JSON: "Correct it where the parser stopped, or export it anew.",
    **{code: LESS for code in Code if code.startswith("TooMany")},
    Code.DOCUMENT_TOO_DEEP: "Nest it less deeply.",
    Code.DOCUMENT_TOO_LONG: LESS,
    Code.EXPRESSION_TOO_DEEP: "Split it over several attributes.",
    Code.EXPRESSION_TOO_LONG: "Shorten it, or split it over several attributes.",
    Code.NAME_TOO_LONG: "Shorten it.",
    Code.VALUE_TOO_LONG: "Shorten it.",
    Code.WRONG_TYPE: "Write it as what it should be, or leave it out.",
    Code.MISSING: "Add it.",
    Code.UNKNOWN_VALUE: "Write one of these, or leave it out.",
    Code.UNKNOWN_PROPERTY: "If it was to do something, correct its spelling.",
    Code.NAME_MISSING: "Give its name.",
    Code.RULE_ID_REPEATED: "Give one of the two another id, such as a new GUID.",
    Code.CONTAINER_AND_GROUP_FILTER: "Set one of the two to null.",
    Code.REFERENCED_OBJECT_UNKNOWN: "Map these objects as well, or remove the mapping.",
    Code.INVALID_EXPRESSION: "Correct it there; `provisor eval` tries an expression by itself.",
    Code.EXPRESSION_DISCOURAGED: "Nothing has to be done.",
    Code.OPERAND_MISSING: "Give targetOperand a list of values with one value.",
    Code.OPERAND_INVALID: "Correct the value.",
}
"""What to do about problems of these codes, where whoever finds one knows nothing better."""
