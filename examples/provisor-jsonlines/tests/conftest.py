"""The source under test, empty at first."""

from __future__ import annotations

from pathlib import Path

import pytest
from hands import JsonLinesSubject


@pytest.fixture
def subject(tmp_path: Path) -> JsonLinesSubject:
    return JsonLinesSubject(tmp_path / "people.jsonl")
