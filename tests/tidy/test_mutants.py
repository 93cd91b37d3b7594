"""Each mutant breaks something that is there: one whose place has moved proves nothing any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_finds_its_place(mutant: Mutant) -> None:
    for edit in mutant.edits:
        found = (ROOT / edit.file).read_text(encoding="utf-8").count(edit.old)
        assert found == 1, f"{edit.file} holds this {found} times: {edit.old}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutants_law_is_there(mutant: Mutant) -> None:
    for law in mutant.law.split():
        file, _, test = law.partition("::")
        text = (ROOT / "tests" / "simulation" / file).read_text(encoding="utf-8")
        assert not test or f"def {test.partition('[')[0]}(" in text
