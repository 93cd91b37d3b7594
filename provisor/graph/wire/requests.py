"""What clients send to start over or to test a connection, and what they ask of expressions."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from provisor.graph.wire.base import Wire
from provisor.graph.wire.errors import PublicError
from provisor.graph.wire.pairs import ObjectPair, SecretPair
from provisor.graph.wire.schemas import (
    AttributeDefinition,
    AttributeMappingSource,
    ObjectDefinition,
)
from provisor.model.jobs import ResetScope


class RestartCriteria(Wire, frozen=True, kw_only=True):
    reset_scope: ResetScope | UnsetType = UNSET


class Restart(Wire, frozen=True, kw_only=True):
    """The body of `restart`: with criteria, without, or with what belongs into them."""

    criteria: RestartCriteria | None = None
    reset_scope: ResetScope | UnsetType = UNSET

    @property
    def scope(self) -> ResetScope:
        """Nothing said is what the portal's button does (spec: graph-api 3.7)."""
        inner = UNSET if self.criteria is None else self.criteria.reset_scope
        said = self.reset_scope if inner is UNSET else inner
        usual = ResetScope.QUARANTINE_STATE | ResetScope.WATERMARK | ResetScope.ESCROWS
        return usual if isinstance(said, UnsetType) else said


class ValidateCredentials(Wire, frozen=True, kw_only=True):
    application_identifier: str | None = None
    template_id: str | None = None
    use_saved_credentials: bool = False
    credentials: tuple[SecretPair, ...] = ()


class AcquireAccessToken(Wire, frozen=True, kw_only=True):
    credentials: tuple[SecretPair, ...] = ()


class ExpressionInputObject(Wire, frozen=True, kw_only=True):
    definition: ObjectDefinition | None = None
    properties: tuple[ObjectPair, ...] = ()


class ParseExpression(Wire, frozen=True, kw_only=True):
    expression: str
    test_input_object: ExpressionInputObject | None = None
    target_attribute_definition: AttributeDefinition | None = None


class ParseExpressionResponse(Wire, frozen=True, kw_only=True):
    error: PublicError | None = None
    evaluation_succeeded: bool = False
    evaluation_result: tuple[str, ...] = ()
    parsed_expression: AttributeMappingSource | None = None
    parsing_succeeded: bool = False
