"""What a schema may not have too much of: nothing of it is stored, and the one before goes on."""

from __future__ import annotations

from provisor.graph.schema.codes import LESS, Code
from provisor.graph.troubleshooting.trouble import Concerns, Retried, Trouble

LOOK = (
    "None: the schema was not stored, and the one before stays in force. `provisor schema check "
    "FILE` shows every place of it where something is too much, with the limit."
)
SPLIT = "Split it over several target attributes, or let the source compute a part of it."
UNUSED = (
    "Remove what no mapping uses: directories, objects and attributes of the schema only have to "
    "name what is mapped, matched by or filtered on."
)


def _limit(code: Code, meaning: str, advice: str, steps: tuple[str, ...] = ()) -> Trouble:
    return Trouble(
        code=code.value,
        meaning=meaning,
        advice=advice,
        steps=steps,
        look=LOOK,
        concerns=Concerns.NOTHING,
        retried=Retried.BY_NOBODY,
    )


LIMITED = (
    _limit(
        Code.DOCUMENT_TOO_LONG,
        "The schema, as a document, has more bytes than a schema may have.",
        UNUSED,
    ),
    _limit(
        Code.DOCUMENT_TOO_DEEP,
        "The document nests deeper than any schema does.",
        "Look at the place that the message names: a list or an object stands in itself there.",
    ),
    _limit(
        Code.TOO_MANY_DIRECTORIES,
        "The schema lists more directories than a schema may have. A job has two.",
        UNUSED,
    ),
    _limit(
        Code.TOO_MANY_OBJECTS, "A directory lists more kinds of object than it may have.", UNUSED
    ),
    _limit(Code.TOO_MANY_ATTRIBUTES, "An object lists more attributes than it may have.", UNUSED),
    _limit(Code.TOO_MANY_RULES, "The schema has more rules than a schema may have.", LESS),
    _limit(
        Code.TOO_MANY_OBJECT_MAPPINGS,
        "A rule has more object mappings than a rule may have.",
        "Put some of them into a rule of their own, or into another job.",
    ),
    _limit(
        Code.TOO_MANY_ATTRIBUTE_MAPPINGS,
        "An object mapping maps more attributes than it may.",
        "Remove what the target does not need.",
    ),
    _limit(
        Code.TOO_MANY_CLAUSES,
        "The filters of an object mapping have more groups and clauses than they may.",
        "Say it with fewer: one REGEX MATCH can stand for many EQUALS.",
        ("Let the source narrow what it delivers: a search base, a view, a filter of its own.",),
    ),
    _limit(
        Code.TOO_MANY_ENTRIES,
        "A list of the schema, such as metadata, values of a clause or parameters of a function, "
        "has more entries than it may.",
        "Shorten it.",
    ),
    _limit(
        Code.NAME_TOO_LONG,
        "Something has a name longer than a name may be.",
        "Shorten it.",
    ),
    _limit(
        Code.VALUE_TOO_LONG,
        "A text of the schema, such as a default value or metadata, is longer than it may be.",
        "Shorten it.",
    ),
    _limit(
        Code.EXPRESSION_TOO_LONG,
        "An expression has more characters than an expression may have.",
        SPLIT,
        ("A long Switch is often shorter as a Replace with a regular expression.",),
    ),
    _limit(
        Code.EXPRESSION_TOO_DEEP,
        "An expression nests functions deeper than it may.",
        SPLIT,
        ("IIF in IIF in IIF is often one Switch.",),
    ),
    _limit(
        Code.RESULT_TOO_LONG,
        "An expression would always give a text longer than any value may be.",
        "Make the number of characters that it asks for smaller.",
        (
            (
                "Where it depends on the object the schema is stored, and the object fails with "
                "ExpressionEvaluationError."
            ),
        ),
    ),
)
