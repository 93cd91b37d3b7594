"""The page about schemas says what is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

from provisor.expressions import context
from provisor.graph.policy import OPTIONS, from_file
from provisor.graph.schema import limits
from tests.unit.graph.schemas import check
from tests.unit.graph.test_schema_problems import WARNINGS

PAGE = (Path(__file__).parents[3] / "docs" / "schema.md").read_text(encoding="utf-8")


def test_its_example_runs() -> None:
    (example,) = re.findall(r"```json\n(\{\n.*?\n\})\n```", PAGE, re.DOTALL)
    rules, problems = check(json.loads(example))
    assert problems == ()
    assert list(rules) == ["User to User"]


def test_it_lists_the_warnings() -> None:
    listed = set(re.findall(r"^\| `([A-Z]\w+)` \|", PAGE, re.MULTILINE))
    known = {case[0] for case in WARNINGS} | {"ObjectNotInSource", "SourceAttributeNotRead"}
    assert known <= listed
    assert listed - known == {"SwitchKeyRepeated", "SwitchOnBoolean"}


def test_it_names_the_limits() -> None:
    numbers = re.search(r"A schema has at most.*?\n\n", PAGE, re.DOTALL)
    assert numbers is not None
    said = {int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", numbers[0])}
    found = {getattr(limits, name) for name in dir(limits) if name.endswith("_MAX")}
    assert said == found | {context.LENGTH_MAX, context.DEPTH_MAX, context.RESULT_MAX}


def test_it_names_every_option_of_the_file() -> None:
    missing = [name for name in OPTIONS if f"`{name}`" not in PAGE and f"`{name}." not in PAGE]
    assert missing == []
    assert from_file({"thresholds": {"minFailures": 1}})[1] == ()
