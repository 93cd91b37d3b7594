"""Attributes are suggested for one another by their names, with how sure that is."""

from __future__ import annotations

import pytest

from provisor.console.matching import SAME, USUAL, likeness, suggestions

WORK_MAIL = 'emails[type eq "work"].value'
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.mark.parametrize(
    ("source", "target", "confidence"),
    [
        ("costCenter", f"{ENTERPRISE}:costCenter", SAME),
        ("cost_center", f"{ENTERPRISE}:costCenter", SAME),
        ("givenName", "name.givenName", SAME),
        ("mail", WORK_MAIL, USUAL),
        ("email", "mail", USUAL),
        ("sn", "name.familyName", USUAL),
        ("l", 'addresses[type eq "work"].locality', USUAL),
        ("mobile", 'phoneNumbers[type eq "mobile"].value', USUAL),
    ],
)
def test_names_for_one_thing_are_known(source: str, target: str, confidence: int) -> None:
    found = likeness(source, target)
    assert found is not None
    assert found.confidence == confidence


def test_a_similar_name_is_less_sure() -> None:
    found = likeness("jobTitel", "jobTitle")
    assert found is not None
    assert not found.is_sure


@pytest.mark.parametrize(("source", "target"), [("department", "userName"), ("id", "title")])
def test_what_is_not_alike_is_not_suggested(source: str, target: str) -> None:
    assert likeness(source, target) is None


def test_each_source_attribute_is_suggested_once_and_the_surest_first() -> None:
    found = suggestions(["mail", "displayName"], ["emails", WORK_MAIL, "displayName"])
    assert [(one.source, one.confidence) for one in found] == [("displayName", SAME), ("mail", 90)]
