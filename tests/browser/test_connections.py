"""How a job's systems are set up, whether they can be used, and the credentials to get in."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.api.served import TARGET_TOKEN, Served, serving, target, workspace
from tests.browser.browser import Person, person


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("works")
    with target() as scim:
        token = workspace(folder, scim)
        with serving(folder, scim, token) as served:
            yield served


@pytest.fixture
def visitor(browser: Browser, works: Served) -> Generator[Person]:
    with person(browser, works) as somebody:
        somebody.sign_in(works.token)
        yield somebody
        assert not somebody.complaints, somebody.complaints
        assert not somebody.elsewhere, somebody.elsewhere


def test_both_systems_are_shown_without_a_secret_and_probed(visitor: Person) -> None:
    visitor.open_job("people")
    visitor.page.get_by_role("link", name="Connection").click()
    visitor.reads("Source: ")
    told = visitor.told()
    assert "people.csv" in told
    assert visitor.served.target_url in told
    assert TARGET_TOKEN not in visitor.page.content()
    assert not visitor.barriers()

    visitor.press("Probe both systems")
    visitor.reads("usable")
    for side in ("Source", "Target"):
        found = visitor.page.get_by_role("region", name=f"{side}, probed")
        expect(found).to_contain_text("Good")
    assert TARGET_TOKEN not in visitor.page.content()
    assert not visitor.barriers()


def test_credentials_are_tried_before_they_are_saved_and_what_was_typed_stays(
    visitor: Person,
) -> None:
    visitor.open_job("people", "/connection")
    visitor.press("Try them")
    visitor.reads("The target takes the credentials that are in use.")

    visitor.page.get_by_label("Token", exact=False).first.fill("wrong")
    visitor.press("Try them")
    visitor.reads("SystemForCrossDomainIdentityManagementInvalidCredentials")
    expect(visitor.page.get_by_label("Token", exact=False).first).to_have_value("wrong")

    visitor.page.get_by_label("Token", exact=False).first.fill(TARGET_TOKEN)
    visitor.press("Try them")
    visitor.reads("The target takes these credentials. They are not saved yet.")
    visitor.press("Save")
    visitor.reads("The credentials are saved.")
    assert TARGET_TOKEN not in visitor.page.content()

    # From here a saved secret is bound to its address.
    visitor.press("Try them")
    visitor.reads("The target takes the credentials that are in use.")
    visitor.page.get_by_label("Address", exact=True).fill("https://elsewhere.example.com/scim")
    visitor.press("Save")
    visitor.reads("CredentialsMustBeGivenAgain")
    assert not visitor.barriers()
