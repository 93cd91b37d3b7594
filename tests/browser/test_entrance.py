"""Who may come in, what forms are taken, and under which rules pages run: seen from the wire."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from provisor.console.routes import PAGES, Page
from provisor.console.sessions import anti_forgery
from tests.api.served import Reply, Served

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOBODY, JOB = "3f7565a3-fde6-4e4d-bda8-1bb70aba3612", "scim.x.y"


@pytest.fixture(scope="module")
def uploader(house: Served) -> str:
    """Return a key that may show nothing."""
    return house.token_of("SynchronizationData-User.Upload")


def send_form(house: Served, path: str, fields: dict[str, str], **headers: str) -> Reply:
    return house.send("POST", path, urlencode(fields).encode(), {**FORM, **headers}, token="")


def entered(house: Served, key: str) -> str:
    """Sign in; return the cookie."""
    reply = send_form(house, "/console/sign-in", {"key": key})
    assert reply.status == 303
    return reply.headers["set-cookie"].partition(";")[0]


def form_key(house: Served, cookie: str) -> str:
    page = house.send("GET", "/console/", headers={"Cookie": cookie}, token="").body.decode()
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found
    return found[1]


def test_the_root_leads_to_the_console_and_the_api_is_where_it_was(house: Served) -> None:
    assert house.get("/").headers["location"] == "/console/"
    assert house.get("/health").json == {"status": "ok"}


def test_pages_may_use_only_what_comes_from_here_and_are_framed_by_nobody(house: Served) -> None:
    said = house.send("GET", "/console/sign-in", token="").headers
    policy = said["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert said["x-content-type-options"] == "nosniff"
    assert said["cache-control"] == "no-store"


def test_a_session_is_out_of_reach_of_scripts_and_ends_when_signed_out(house: Served) -> None:
    reply = send_form(house, "/console/sign-in", {"key": house.token})
    cookie = reply.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/console"} <= set(cookie.split("; "))
    name = cookie.partition(";")[0]
    csrf = form_key(house, name)

    assert send_form(house, "/console/sign-out", {"csrf": csrf}, Cookie=name).status == 303
    after = house.send("GET", "/console/", headers={"Cookie": name}, token="")
    assert (after.status, after.headers["location"]) == (303, "/console/sign-in")


@pytest.mark.parametrize(
    ("headers", "with_key"),
    [
        ({}, False),
        ({"Origin": "http://evil.example"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
    ],
)
def test_a_form_of_somebody_else_does_nothing(
    house: Served, headers: dict[str, str], with_key: bool
) -> None:
    cookie = entered(house, house.token)
    fields = {"csrf": form_key(house, cookie)} if with_key else {"csrf": "guessed"}
    path = f"/console/jobs/{NOBODY}/{JOB}/do/start"
    refused = send_form(house, path, fields, Cookie=cookie, **headers)
    assert refused.status == 403
    assert b"This form was not one of yours" in refused.body


def test_a_key_whose_page_was_lost_is_not_made_twice(house: Served) -> None:
    cookie = entered(house, house.token)
    page = house.send("GET", "/console/keys", headers={"Cookie": cookie}, token="").body.decode()
    (once,) = re.findall(r'name="once" value="([0-9a-f]+)"', page)
    scope = "scope-ProvisioningLog.Read.All"
    fields = {"csrf": form_key(house, cookie), "once": once, "name": "lost and found", scope: "1"}

    first, second = (send_form(house, "/console/keys", fields, Cookie=cookie) for _ in range(2))

    texts = [re.findall(r'id="text" value="([^"]+)"', one.body.decode()) for one in (first, second)]
    assert texts[0] == texts[1] != []
    keys = house.get("/provisor/tokens").json["value"]
    assert [one["name"] for one in keys].count("lost and found") == 1


@pytest.mark.parametrize("to", ["//evil.example/", "http://evil.example", "/console/../x\\", "x"])
def test_signing_in_leads_nowhere_else(house: Served, to: str) -> None:
    reply = send_form(house, "/console/sign-in", {"key": house.token, "to": to})
    assert reply.headers["location"] == "/console/"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method} {page.path}")
def test_every_page_and_act_is_refused_without_its_permission(
    house: Served, uploader: str, page: Page
) -> None:
    cookie = entered(house, uploader)
    path = page.path.replace("{sp}", NOBODY).replace("{job}", JOB)
    path = f"/console{re.sub(r'{[a-z]+}', 'start', path)}"
    fields = {"csrf": anti_forgery(cookie.partition("=")[2])}
    headers = {"Cookie": cookie}
    if page.method == "POST":
        reply = send_form(house, path, fields, **headers)
    else:
        reply = house.send("GET", path, headers=headers, token="")
    assert reply.status == 403, reply.body
    assert b"You may not do this" in reply.body


@pytest.mark.parametrize("path", ["/../app.py", "/x/../../app.py", "//etc/passwd", "/a/own"])
def test_nothing_but_the_files_of_pages_is_served(house: Served, path: str) -> None:
    reply = house.send("GET", f"/console/static{path}", token="")
    assert reply.status == 404
