"""What the guided job shows for `provisor.yaml` is YAML that says what was filled in."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from provisor.console.pages.beginning import written
from provisor.settings.problems import Problems
from provisor.settings.yamlfile import parse

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
LEAVES = st.one_of(TEXTS, st.booleans(), st.integers(-9, 9999))
TREES = st.dictionaries(
    st.from_regex(r"[a-z][A-Za-z]{0,8}", fullmatch=True),
    st.one_of(LEAVES, st.dictionaries(TEXTS.filter(bool), LEAVES, min_size=1, max_size=3)),
    min_size=1,
    max_size=4,
)


@given(TREES)
def test_it_is_read_back_as_it_was_written(tree: dict[str, object]) -> None:
    problems = Problems(Path("provisor.yaml"))
    found = cast(object, parse(written(tree).encode(), problems))
    assert not problems.found
    assert found == tree
