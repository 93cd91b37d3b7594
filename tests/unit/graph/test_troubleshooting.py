"""Whatever code an administrator meets has its page, and the page says what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisor import errors
from provisor.errors import AdapterError
from provisor.graph.troubleshooting import TROUBLES, page_url, pages, trouble_of
from provisor.model.cycles import QuarantineReason

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "troubleshooting"
CODE = re.compile(r"[A-Z][a-z]+(?:[A-Z][A-Za-z]+)*")
ENGINE = ("planner", "engine", "connectors", "store", "expressions")


def named_codes() -> Iterator[tuple[str, str]]:
    """Yield every code that something below the edges names, with its file.

    A code is what is passed as `code=`, what a refusal, a doubt or a failure begins with, and what
    a connector's table of answers leads to.
    """
    makers = {"Refuse", "Doubt", "Unmappable", "_refuse", "Escrowed"}
    for folder in ENGINE:
        for path in sorted((ROOT / "provisor" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                given = [k.value for k in node.keywords if k.arg == "code"]
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                given += node.args if name in makers else []
                for argument in given:
                    value = argument.value if isinstance(argument, ast.Constant) else None
                    if isinstance(value, str) and CODE.fullmatch(value):
                        yield value, path.name


def codes_of(cls: type[AdapterError]) -> Iterator[str]:
    yield cls.default_code
    for below in cls.__subclasses__():
        yield from codes_of(below)


def test_every_page_is_there_and_as_the_table_says() -> None:
    """Write them anew with `python -m provisor.graph.troubleshooting docs/troubleshooting`."""
    written = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    assert written == dict(pages())


def test_every_failure_of_an_adapter_has_its_page() -> None:
    assert errors.AdapterError
    assert set(codes_of(AdapterError)) - set(TROUBLES) == set()


def test_every_reason_for_quarantine_has_its_page() -> None:
    assert {reason.value for reason in QuarantineReason} - set(TROUBLES) == set()


def test_every_code_that_is_named_has_its_page() -> None:
    silent = {(code, file) for code, file in named_codes() if code not in TROUBLES}
    assert silent == set()


def test_the_test_finds_codes() -> None:
    assert {code for code, _ in named_codes()} >= {"InvalidAnchor", "SourceReadIncomplete"}


@pytest.mark.parametrize("code", sorted(TROUBLES))
def test_a_page_says_what_it_means_and_what_to_do(code: str) -> None:
    one = TROUBLES[code]
    assert re.fullmatch(r"[A-Za-z]+", code)
    for sentence in (one.meaning, one.advice, *one.steps):
        assert sentence.endswith("."), sentence
        assert sentence[0].isupper() or sentence[0] == "`", sentence


@pytest.mark.parametrize(
    ("code", "page"),
    [
        ("TooManyDeletes", "TooManyDeletes"),
        ("SalesforceInvalidCredentials", "InvalidCredentials"),
        (
            "SystemForCrossDomainIdentityManagementInvalidCredentials",
            "SystemForCrossDomainIdentityManagementInvalidCredentials",
        ),
        ("ContosoEntryConflict", "EntryConflict"),
        ("NobodyKnows", ""),
    ],
)
def test_a_connectors_own_code_leads_to_the_same_page(code: str, page: str) -> None:
    assert page_url("https://docs.example.com/", code) == (
        f"https://docs.example.com/troubleshooting/{page}"
    )


def test_the_table_knows_what_it_does_not_know() -> None:
    assert trouble_of("NobodyKnows") is None
