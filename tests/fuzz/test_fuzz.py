"""Every subject of `make fuzz` stands some cases of every run; many more, whoever asks for them."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import tried
from tests.fuzz.subjects import SUBJECTS

CASES = 40
SEED = 20_250_730


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_is_spoilt_is_refused_or_understood(subject: str) -> None:
    finds = [find for number in range(CASES) if (find := tried(subject, SEED, number)) is not None]

    assert not finds, finds[0].account
