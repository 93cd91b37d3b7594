"""What can be wrong with an expression: its text, or the attributes it meets."""

from __future__ import annotations

EVALUATION = "ExpressionEvaluationError"
ONE_VALUE_ONLY = "SchemaPropertyCanOnlyAcceptValue"
INVALID = "InvalidExpression"

TOO_LONG = "ExpressionTooLong"
TOO_DEEP = "ExpressionTooDeep"
RESULT_TOO_LONG = "ResultTooLong"


class ExpressionError(ValueError):
    """An expression refuses this object's attributes. Escrows the object, not the job.

    `code` is stable and meant for programs; the message is meant for administrators. `target` is
    the target attribute whose mapping failed, where several mappings were computed at once.
    `limit` is the code of the limit that was passed, if it was that; whoever checks a schema has
    a page about it.
    """

    def __init__(self, message: str, code: str = EVALUATION, *, limit: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.limit = limit
        self.target: str | None = None


class ExpressionSyntaxError(ExpressionError):
    """The text is no expression.

    `position` counts characters from 0, and the message from 1, as people do. `token` is what
    stands there ("" at the end of the text), `expected` says what could have stood there instead.
    """

    def __init__(
        self, message: str, *, position: int, token: str, expected: str, limit: str = ""
    ) -> None:
        found = f"found {token!r}" if token else "the text ends"
        where = f"at character {position + 1}"
        super().__init__(f"{message} {where}: {found}, expected {expected}", INVALID, limit=limit)
        self.position = position
        self.token = token
        self.expected = expected
