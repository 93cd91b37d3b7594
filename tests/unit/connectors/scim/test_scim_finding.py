"""What finds values in resources finds what reading by path finds, in whatever servers send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connectors.http.body import Json, JsonObject, folded
from provisor.connectors.scim import paths
from provisor.connectors.scim.finding import finder
from provisor.connectors.scim.paths import ENTERPRISE_USER

PATHS = (
    "title",
    "emails",
    "emails.value",
    'emails[type eq "work"].value',
    'emails[type eq "work"]',
    'emails[primary eq "True"].value',
    "name.givenName",
    f"{ENTERPRISE_USER}:department",
    f"{ENTERPRISE_USER}:manager.value",
)
NAMES = ("title", "emails", "name", "value", "type", "primary", "givenName", "GIVENNAME", "Value")
VALUES: tuple[Json, ...] = ("work", "Work", "home", True, 1, "true", "ada", None)
MEMBERS = (*NAMES, ENTERPRISE_USER, "department", "manager")


members: st.SearchStrategy[str] = st.sampled_from(MEMBERS)
own: st.SearchStrategy[str] = st.sampled_from((*NAMES, ENTERPRISE_USER, ENTERPRISE_USER.lower()))


def containers(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    lists: st.SearchStrategy[Json] = st.lists(inner, max_size=3)
    objects: st.SearchStrategy[Json] = st.dictionaries(members, inner, max_size=4)
    return lists | objects


scalars: st.SearchStrategy[Json] = st.sampled_from(VALUES)
nested = st.recursive(scalars, containers, max_leaves=12)
resources: st.SearchStrategy[JsonObject] = st.dictionaries(own, nested, max_size=6)


@pytest.mark.parametrize("text", PATHS)
@given(resource=resources, assumed_type=st.sampled_from(["", "work"]))
def test_a_value_is_found_where_its_path_says(
    text: str, resource: JsonObject, assumed_type: str
) -> None:
    path, names = paths.parse(text), folded(resource)

    assert repr(finder(path)(names, assumed_type)) == repr(
        paths.read_folded(names, path, assumed_type)
    )


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("title", {"title": "Countess"}),
        ("name.givenName", {"name": {"givenName": "Countess"}}),
        ('emails[type eq "work"].value', {"emails": [{"type": "work", "value": "Countess"}]}),
        (f"{ENTERPRISE_USER}:department", {ENTERPRISE_USER: {"department": "Countess"}}),
    ],
)
def test_what_most_servers_send_is_found(text: str, resource: JsonObject) -> None:
    assert finder(paths.parse(text))(folded(resource), "") == "Countess"
