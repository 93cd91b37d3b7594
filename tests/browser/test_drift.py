"""What others changed in the target is found, and put right or let be by somebody's word."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.api.served import TARGET_TOKEN, Served, command, serving, target, wait_until, workspace
from tests.browser.browser import Person, person


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server whose job has run, and only tells of what others change."""
    folder = tmp_path_factory.mktemp("drift")
    with target() as scim:
        token = workspace(folder, scim)
        tells_only(folder)
        with serving(folder, scim, token) as served:
            yield served


def tells_only(folder: Path) -> None:
    file = folder / "provisor.yaml"
    said = file.read_text(encoding="utf-8")
    job = "people: {application: people}"
    file.write_text(said.replace(job, job[:-1] + ", drift: report}"), encoding="utf-8")
    command(folder, "apply", str(file))


@pytest.fixture
def visitor(browser: Browser, office: Served) -> Generator[Person]:
    with person(browser, office) as somebody:
        somebody.sign_in(office.token)
        yield somebody
        assert not somebody.complaints, somebody.complaints
        assert not somebody.elsewhere, somebody.elsewhere


def meddle(served: Served, who: str, **values: object) -> None:
    """Change an account in the target, as somebody else does."""
    id = served.users()[f"{who}@example.com"]["id"]
    operations = [{"op": "replace", "path": name, "value": one} for name, one in values.items()]
    request = urllib.request.Request(
        f"{served.target_url}/Users/{id}",
        data=json.dumps(
            {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": operations,
            }
        ).encode(),
        headers={
            "Authorization": f"Bearer {TARGET_TOKEN}",
            "Content-Type": "application/scim+json",
        },
        method="PATCH",
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status in (200, 204)


def says(served: Served, who: str, name: str) -> object:
    return served.users()[f"{who}@example.com"].get(name)


def row(visitor: Person, who: str, attribute: str) -> Locator:
    table = visitor.page.get_by_role("region", name=who)
    return table.locator("tbody tr").filter(has_text=attribute)


def test_what_others_changed_is_accepted_or_put_right(visitor: Person) -> None:
    served = visitor.served
    visitor.open_job("people", "/drift")
    visitor.reads("Nothing is known of drift yet")
    assert not visitor.barriers()
    visitor.open_job("people")
    visitor.press("Start")
    wait_until(lambda: len(served.users()) == 2)
    visitor.reads("initial, ended")

    meddle(served, "ada", displayName="Countess Ada", title="Countess")
    meddle(served, "bob", displayName="Bobby")
    visitor.open_job("people", "/drift")
    visitor.press("Reconcile")
    visitor.reads("reconcile, ended")
    visitor.open_job("people", "/drift")
    told = visitor.told()
    assert "3 attributes changed by others. 3 still stand." in told
    expect(row(visitor, "Countess Ada", "title")).to_contain_text("Analyst → Countess")
    assert not visitor.barriers()

    visitor.page.get_by_role("button", name="Accept title of Countess Ada").click()
    visitor.reads("Accepted: what the target says is kept")
    expect(row(visitor, "Countess Ada", "title")).to_contain_text("Accepted")
    visitor.page.get_by_role("button", name="Re-assert displayName of Countess Ada").click()
    visitor.reads("The next cycle puts it right.")
    wait_until(lambda: says(served, "ada", "displayName") == "Ada Example")

    # What was accepted outlives cycles, while all else is kept as ever.
    served.hire("ada", "bob", department="Research")
    visitor.open_job("people")
    visitor.press("Reconcile")
    wait_until(lambda: "Research" in json.dumps(served.users()["ada@example.com"]))
    assert says(served, "ada", "title") == "Countess"

    # It ends with the source implying another value.
    served.hire("ada", "bob", department="Research", jobTitle="Director")
    visitor.press("Reconcile")
    wait_until(lambda: says(served, "ada", "title") == "Director")


def test_drift_is_found_by_object_attribute_and_state_and_who_decided_is_in_the_audit(
    visitor: Person,
) -> None:
    served = visitor.served
    meddle(served, "bob", title="Boss", displayName="Bob the Boss")
    one = served.get("/provisor/jobs").json["value"][0]
    at = f"/v1.0/servicePrincipals/{one['principalId']}/synchronization/jobs/{one['id']}/drift"
    before = served.get(at).json["cycle"]
    visitor.open_job("people")
    visitor.press("Reconcile")
    wait_until(lambda: served.get(at).json["cycle"] != before)
    visitor.open_job("people", "/drift")
    visitor.page.get_by_label("Attribute").select_option("title")
    expect(visitor.page.locator("#drifts tbody tr")).to_have_count(1)
    assert "attribute=title" in visitor.page.url

    visitor.press("Accept title of all objects")
    visitor.reads("Accepted: what the target says is kept")
    expect(row(visitor, "Bob", "title")).to_contain_text("Accepted")
    visitor.open("/audit")
    visitor.reads("Accept drift")

    # Who looked at another reconcile has to look again.
    assert served.post(f"{at}/accept", {"cycle": "another"}).status == 409
    assert served.post(f"{at}/reassert", {"cycle": "another"}).status == 409
