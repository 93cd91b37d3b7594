"""The mapping language: how a target attribute gets its value from a source object.

Text is parsed into a tree (`provisor.model.expressions`), which is evaluated by walking it or
compiled. Everything here is pure: time comes in with the Context, chance through its Chance, and
whatever needs the target comes out as Candidates.
"""

from provisor.expressions.compile import compile_expression, compile_mappings
from provisor.expressions.context import Answer, Candidates, Chance, Context, FixedChance, Flow
from provisor.expressions.errors import ExpressionError, ExpressionSyntaxError
from provisor.expressions.evaluate import Step, evaluate, redacts, trace
from provisor.expressions.parser import parse
from provisor.expressions.printer import print_expression
from provisor.expressions.values import coerce
from provisor.model.expressions import Expression, attributes_of

__all__ = [
    "Answer",
    "Candidates",
    "Chance",
    "Context",
    "Expression",
    "ExpressionError",
    "ExpressionSyntaxError",
    "FixedChance",
    "Flow",
    "Step",
    "attributes_of",
    "coerce",
    "compile_expression",
    "compile_mappings",
    "evaluate",
    "parse",
    "print_expression",
    "redacts",
    "trace",
]
