"""Row 9: what another mapping would change, asked of what is stored; and its bare limit.

`python -m benchmarks.preview FOLDER some|all` tells what an edit changes that concerns some people,
or all of them. `bare` reads the stored sources and images and computes the mappings of row 7 once
for each: nothing is compared, nothing told.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack

from benchmarks.mapping import CONTEXT, load_mappings, people
from benchmarks.told import telling
from benchmarks.world import JOB, STORE, Clock, rules_of_template
from provisor.engine.whatif import WhatIf, what_if
from provisor.engine.work import Mandate
from provisor.expressions.compile import compile_mappings
from provisor.expressions.parser import parse
from provisor.model.rules import Policy, Rules
from provisor.store.sqlite.store import SqliteStore

EDITS = {
    "some": ("title", 'IIF([department]="Sales", Append([jobTitle], ", Sales"), [jobTitle])'),
    "all": ("displayName", 'Append([displayName], " (Contoso)")'),
}
IMAGES = """
SELECT o.content, i.content FROM standing s
JOIN source o ON o.standing = s.number JOIN image i ON i.standing = s.number
"""
SAMPLE = 2_000
"""People that the mappings of row 7 are computed for, again and again: all others are alike."""


def drafted(rules: Rules, edit: str) -> Rules:
    """Return the rules with one expression of the first mapping changed."""
    target, expression = EDITS[edit]
    (name, first), *_ = rules.items()
    attributes = tuple(
        replace(m, source=parse(expression)) if m.target.name == target else m
        for m in first.attributes
    )
    assert attributes != first.attributes, f"nothing is mapped to {target}"
    return {**rules, name: replace(first, attributes=attributes, hash=edit)}


async def preview(folder: Path, edit: str) -> WhatIf:
    store = SqliteStore(folder / STORE)
    try:
        present = Mandate(rules=rules_of_template(), policy=Policy())
        draft = replace(present, rules=drafted(present.rules, edit))
        view = await store.view_journal(JOB.id)
        return await what_if(present, draft, view, Clock().now())
    finally:
        store.close()


def read(folder: Path) -> Iterator[tuple[Any, Any]]:
    with sqlite3.connect(folder / STORE) as store:
        for source, image in store.execute(IMAGES):
            yield msgpack.unpackb(source, use_list=False), msgpack.unpackb(image, use_list=False)


def bare(folder: Path) -> int:
    compute, objects = compile_mappings(load_mappings()), people(SAMPLE)
    count = 0
    for count, _ in enumerate(read(folder), 1):
        compute(objects[count % SAMPLE], CONTEXT)
    return count


def main(folder: str, what: str) -> None:
    with telling() as said:
        if what == "bare":
            said["examined"] = bare(Path(folder))
        else:
            told = asyncio.run(preview(Path(folder), what))
            said["examined"], said["altered"] = told.examined, len(told.altered)


if __name__ == "__main__":
    main(*sys.argv[1:])
