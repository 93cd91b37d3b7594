"""Durations, ids and the tenant id that is written into a file."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.settings.defaults import template_for
from provisor.settings.durations import DAYS_MAX, duration_text, parse_duration
from provisor.settings.ids import derived, job_id
from provisor.settings.yamlfile import with_tenant

TENANT = "6f1c2f7e-5a53-4d5c-9d4a-0e8a1f6f9f10"


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT5M", timedelta(minutes=5)),
        ("pt1h30m", timedelta(minutes=90)),
        ("P30D", timedelta(days=30)),
        ("P1W", timedelta(days=7)),
        ("P1DT1S", timedelta(days=1, seconds=1)),
        ("P", None),
        ("PT", None),
        ("5", None),
        ("P1Y", None),
        ("PT99999999999H", None),
    ],
)
def test_durations_are_read(text: str, duration: timedelta | None) -> None:
    assert parse_duration(text) == duration


@given(st.integers(0, DAYS_MAX * 86_400))
def test_a_duration_is_written_as_it_is_read(seconds: int) -> None:
    duration = timedelta(seconds=seconds)

    assert parse_duration(duration_text(duration)) == duration


def test_ids_come_from_names_and_differ_by_kind() -> None:
    ids = {derived(TENANT, kind, "people") for kind in ("application", "app", "principal")}

    assert len(ids) == 3
    assert derived(TENANT, "app", "people") in ids
    assert job_id("scim", TENANT, "x") == "scim.6f1c2f7e5a534d5c9d4a0e8a1f6f9f10.x"


def test_an_id_that_a_renamed_thing_has_kept_is_not_given_again() -> None:
    first = derived(TENANT, "app", "people")

    second = derived(TENANT, "app", "people", [first])

    assert second != first
    assert derived(TENANT, "app", "people", [first]) == second


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", f"tenant:\n  id: {TENANT}\n\n\n"),
        ("# mine\njobs: {}\n", f"tenant:\n  id: {TENANT}\n\n# mine\njobs: {{}}\n"),
        (
            "tenant:\n  displayName: Contoso # us\njobs: {}\n",
            f"tenant:\n  id: {TENANT}\n  displayName: Contoso # us\njobs: {{}}\n",
        ),
    ],
)
def test_a_tenant_id_is_written_into_a_file_and_all_else_stays(text: str, result: str) -> None:
    assert with_tenant(text, TENANT) == result


@pytest.mark.parametrize(
    ("said", "connector", "expected"),
    [
        ("", "ldap", "ldap"),
        ("", "scim", "scim"),
        ("", "memory", "scim"),
        ("", "", "scim"),
        ("customappsso", "ldap", "customappsso"),
    ],
)
def test_a_target_has_the_template_of_its_name(said: str, connector: str, expected: str) -> None:
    assert template_for(said, connector, ("customappsso", "ldap", "scim")) == expected
