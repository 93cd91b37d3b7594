"""The settings that a guided job explains are those that the connectors know, and documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisor.connectors.catalog import CONNECTORS
from provisor.connectors.described import DESCRIBED, Kind, Setting
from provisor.settings.leaves import nest

DOCS = Path(__file__).parents[3] / "docs" / "connectors"
VALUES = {Kind.NUMBER: 5, Kind.FLAG: True, Kind.PATH: "file.csv", Kind.SECRET: "a-secret"}
UNKNOWN = ("is not a setting", "is no setting", "there is no setting", "there is no such setting")


def value_of(one: Setting) -> object:
    return one.choices[-1] if one.choices else VALUES.get(one.kind, one.example or "text")


@pytest.mark.parametrize("name", sorted(DESCRIBED))
def test_every_setting_that_is_described_is_known_to_its_connector(name: str) -> None:
    connector = CONNECTORS[name]
    for one in DESCRIBED[name]:
        settings = nest({one.path: value_of(one)})
        told = [
            complaint.message
            for complaint in connector.check(settings, Path("/"))
            if complaint.path == one.path and any(words in complaint.message for words in UNKNOWN)
        ]
        assert not told, (one.path, told)


@pytest.mark.parametrize("name", sorted(DESCRIBED))
def test_what_is_secret_is_described_as_secret_and_nothing_else(name: str) -> None:
    connector = CONNECTORS[name]
    for one in DESCRIBED[name]:
        assert (one.kind is Kind.SECRET) == connector.is_secret(one.path), one.path


@pytest.mark.parametrize("name", sorted(set(DESCRIBED) - {"inbound"}))
def test_what_is_described_is_documented(name: str) -> None:
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    for one in DESCRIBED[name]:
        assert one.path.rpartition(".")[2] in page, one.path
