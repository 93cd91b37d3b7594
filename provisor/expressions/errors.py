"""What can be wrong with an expression: its text, or the attributes it meets."""

from __future__ import annotations

EVALUATION = "ExpressionEvaluationError"
ONE_VALUE_ONLY = "SchemaPropertyCanOnlyAcceptValue"
INVALID = "InvalidExpression"


class ExpressionError(ValueError):
    """An expression refuses this object's attributes. Escrows the object, not the job.

    `code` is stable and meant for programs; the message is meant for administrators. `target` is
    the target attribute whose mapping failed, where several mappings were computed at once.
    """

    def __init__(self, message: str, code: str = EVALUATION) -> None:
        super().__init__(message)
        self.code = code
        self.target: str | None = None


class ExpressionSyntaxError(ExpressionError):
    """The text is no expression.

    `position` counts characters from 0, and the message from 1, as people do. `token` is what
    stands there ("" at the end of the text), `expected` says what could have stood there instead.
    """

    def __init__(self, message: str, *, position: int, token: str, expected: str) -> None:
        found = f"found {token!r}" if token else "the text ends"
        where = f"at character {position + 1}"
        super().__init__(f"{message} {where}: {found}, expected {expected}", INVALID)
        self.position = position
        self.token = token
        self.expected = expected
