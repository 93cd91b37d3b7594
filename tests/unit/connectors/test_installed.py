"""Packages bring connectors: found when they are asked for, and never in the place of our own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from provisor.connectors.catalog import CONNECTORS
from provisor.connectors.installed import (
    ConnectorClash,
    ConnectorUnusable,
    connector_named,
    connector_names,
    connectors_that,
    refuse_clash,
)
from tests.fakes.packages import install, install_example
from tests.unit.settings.files import JOB, problems

Install: TypeAlias = Callable[[str, str, str], None]

SOUND = """\
from provisor.connectors.catalog import CONNECTORS
CONNECTOR = CONNECTORS["csv"]
"""
CHANGED = f"from dataclasses import replace\n{SOUND}CONNECTOR = replace(CONNECTOR, "


@pytest.fixture
def installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what installs a package with a module of its name, bringing one connector."""

    def installs(package: str, connector: str, code: str) -> None:
        module = package.replace("-", "_")
        folder = tmp_path / package
        install(monkeypatch, folder, package, {connector: f"{module}:CONNECTOR"})
        (folder / f"{module}.py").write_text(code, encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)

    return installs


def test_a_package_brings_a_connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_example(monkeypatch, tmp_path)
    assert connector_named("jsonlines").title == "A file of JSON lines"
    assert set(connector_names()) == {*CONNECTORS, "jsonlines"}


def test_it_can_be_what_it_says_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_example(monkeypatch, tmp_path)
    assert "jsonlines" in connectors_that(lambda one: one.open_source is not None)
    assert "jsonlines" not in connectors_that(lambda one: one.open_target is not None)
    text = JOB.replace("connector: scim", "connector: jsonlines")
    (problem,) = problems(text, tmp_path)
    assert "jsonlines cannot be a target; connectors that can: " in problem


def test_its_settings_are_checked_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_example(monkeypatch, tmp_path)
    (problem, _) = problems(JOB.replace("connector: csv", "connector: jsonlines"), tmp_path)
    assert "jobs.people.source.settings" in problem


def test_nothing_of_a_package_is_imported_before_it_is_named(installs: Install) -> None:
    installs("lazy-one", "lazy", SOUND)
    assert "lazy" in connector_names()
    connector_named("csv")
    assert "lazy_one" not in sys.modules
    connector_named("lazy")
    assert "lazy_one" in sys.modules


def test_what_is_built_in_is_never_replaced(installs: Install, tmp_path: Path) -> None:
    installs("usurper", "csv", "raise SystemError('imported')")

    assert connector_named("csv") is CONNECTORS["csv"]
    with pytest.raises(ConnectorClash, match="the package usurper brings a connector csv"):
        refuse_clash("csv")
    (problem,) = problems(JOB, tmp_path)
    assert "jobs.people.source.connector" in problem
    assert "(ConnectorClash)" in problem


def test_of_two_that_bring_the_same_name_neither_is_chosen(installs: Install) -> None:
    installs("one-of-them", "same", SOUND)
    installs("the-other", "same", SOUND)

    with pytest.raises(ConnectorClash) as clash:
        connector_named("same")

    assert clash.value.code == "ConnectorClash"
    assert "one-of-them and the package the-other" in str(clash.value)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise ValueError('a password')", "importing it failed (ValueError)"),
        ("import nowhere_to_be_found", "importing it failed (ModuleNotFoundError)"),
        ("", "importing it failed (AttributeError)"),
        ("CONNECTOR = 5", "it is of type int, not a Connector"),
        (
            f"{CHANGED}open_source=None, probe_source=None)",
            "it can be neither source nor target",
        ),
        (
            f"{CHANGED}probe_source=None)",
            "as a source it can be opened or probed, but not both",
        ),
    ],
)
def test_a_broken_package_says_what_is_wrong(
    installs: Install, tmp_path: Path, code: str, why: str
) -> None:
    installs("broken-one", "broken", code)

    with pytest.raises(ConnectorUnusable) as failure:
        connector_named("broken")

    assert failure.value.code == "ConnectorUnusable"
    assert "the connector broken of the package broken-one" in str(failure.value)
    assert why in str(failure.value)
    assert "a password" not in str(failure.value)
    assert "broken" not in connectors_that(lambda _: True)
    (problem,) = problems(JOB.replace("connector: csv", "connector: broken"), tmp_path)
    assert problem.endswith("(ConnectorUnusable)")


def test_a_name_that_nobody_brings_is_told_with_what_is_near() -> None:
    with pytest.raises(ConnectorUnusable, match="there is no connector lapd; did you mean ldap"):
        connector_named("lapd")
