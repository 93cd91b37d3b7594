"""The statements of `store/sql`, as PostgreSQL spells them.

They are written in the SQL that both databases speak. What is left over are the places where values
go, and six words. Whoever writes a statement that needs a seventh puts it here, or finds another
way to say it.
"""

from __future__ import annotations

import re
from functools import cache

WORDS = (
    (re.compile(r"(?<!:):(\w+)"), r"%(\1)s"),
    (re.compile(r"json_each\(([^)]+)\)"), r"jsonb_array_elements_text((\1)::jsonb)"),
    (re.compile(r"json_extract\((\w+), '\$\.(\w+)'\)"), r"(\1::json ->> '\2')"),
    (
        re.compile(r"instr\(([\w.]+), CAST\(\? AS BLOB\)\)"),
        r"position(convert_to(?, 'UTF8') IN \1) > 0",
    ),
    (re.compile(r"instr\(([\w.]+), \?\)"), r"position(? IN \1) > 0"),
    (re.compile(r"\bCROSS JOIN\b"), "JOIN"),
    (re.compile(r"\bIN \((SELECT position FROM record\b[^)]*)\)"), r"= ANY(ARRAY(\1))"),
    (re.compile(r"\?"), "%s"),
)
"""In this order. SQLite takes a CROSS JOIN for an order to begin at the left, and lets it have a
condition; PostgreSQL finds its way by itself. Not so to a few records among many that are wanted in
the order of their positions: it goes through all of them, unless the few are found out first."""


@cache
def spelt(statement: str) -> str:
    """Return a statement as it is sent. There are few hundred of them, each asked for often."""
    text = statement.replace("%", "%%")
    for word, spelling in WORDS:
        text = word.sub(spelling, text)
    return text
