"""Between `attributeMappingSource` and the tree of its expression (spec: graph-api 4.12)."""

from __future__ import annotations

from msgspec.structs import replace

from provisor.expressions.errors import ExpressionError, ExpressionSyntaxError
from provisor.expressions.parser import parse_with_notices
from provisor.expressions.sources import SourceError, read_source, write_source
from provisor.graph.problems import Problems
from provisor.graph.schema.codes import Code
from provisor.graph.wire.coding import plain, read
from provisor.graph.wire.schemas import AttributeMappingSource, SourceParameter, SourceType
from provisor.model.expressions import Constant, Expression


def tree_of(source: AttributeMappingSource, problems: Problems) -> Expression | None:
    """Return the expression of a source, or None with a problem noted.

    The text wins over type, name and parameters where both are given (spec: graph-api 3.9).
    """
    if source.expression and source.expression.strip():
        return _parsed(source.expression, problems.at("expression"))
    if source.type is SourceType.CONSTANT and source.name is not None:
        return Constant(source.name)
    if not source.name:
        problems.error(
            Code.SOURCE_INCOMPLETE,
            "The source says neither expression nor name.",
            "Give an expression, or a type with a name; or null for no source.",
        )
        return None
    try:
        return read_source(plain(source), problems.path)
    except SourceError as failure:
        path = failure.path.removeprefix(problems.path).removeprefix(".")
        at = problems.at(path) if path else problems
        at.error(failure.limit or Code.INVALID_EXPRESSION, f"{failure.reason}.")
        return None


def completed(source: AttributeMappingSource) -> AttributeMappingSource:
    """Return the source in all its forms; unchanged where it makes no expression."""
    tree = tree_of(source, Problems())
    if tree is None:
        return source
    whole, _ = read(AttributeMappingSource, write_source(tree))
    assert whole is not None, "what is written can be read"
    return _with_additions(whole, source)


def _with_additions(
    whole: AttributeMappingSource, given: AttributeMappingSource
) -> AttributeMappingSource:
    """Return a source with what nobody knows of another, down through the parameters that are
    the same in both."""
    parameters = whole.parameters
    if [one.key for one in parameters] == [one.key for one in given.parameters]:
        pairs = zip(parameters, given.parameters, strict=True)
        parameters = tuple(_with_addition(one, other) for one, other in pairs)
    return replace(whole, parameters=parameters, additional=given.additional)


def _with_addition(whole: SourceParameter, given: SourceParameter) -> SourceParameter:
    value = whole.value
    if value is not None and given.value is not None and value.name == given.value.name:
        value = _with_additions(value, given.value)
    return replace(whole, value=value, additional=given.additional)


def _parsed(text: str, problems: Problems) -> Expression | None:
    try:
        tree, notices = parse_with_notices(text)
    except ExpressionSyntaxError as failure:
        code = failure.limit or Code.INVALID_EXPRESSION
        problems.error(code, f"{failure}.", position=failure.position)
        return None
    except ExpressionError as failure:
        problems.error(failure.limit or Code.INVALID_EXPRESSION, f"{failure}.")
        return None
    for notice in notices:
        problems.warn(Code.EXPRESSION_DISCOURAGED, f"{notice.message}.", position=notice.position)
    return tree
