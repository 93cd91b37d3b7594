"""Console and API behind a proxy that keeps them below a path, whether it takes the path away."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.api.served import Client, Served, serving, target, wait_until, workspace
from tests.browser.browser import person

PREFIX = "/provisor"
HOP = ("transfer-encoding", "connection", "keep-alive")


class Proxy(ThreadingHTTPServer):
    daemon_threads = True
    upstream = 0
    takes_away = True
    """The prefix, before a request is passed on."""


class Passing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Proxy)
        if not self.path.startswith(f"{PREFIX}/"):
            self.send_error(404)
            return
        path = self.path.removeprefix(PREFIX) if self.server.takes_away else self.path
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        ahead = http.client.HTTPConnection("127.0.0.1", self.server.upstream)
        try:
            ahead.request(self.command, path, body, dict(self.headers))
            answer = ahead.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.end_headers()
            while part := answer.read1(65_536):
                self.wfile.write(part)
                self.wfile.flush()
        except OSError:
            return  # one of the two has gone
        finally:
            ahead.close()

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Nobody looks on."""


@contextmanager
def proxy(*, takes_away: bool) -> Generator[Proxy]:
    server = Proxy(("127.0.0.1", 0), Passing)
    server.takes_away = takes_away
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Behind(Served):
    """A server as it is seen through a proxy."""

    address: str = ""

    @property
    def url(self) -> str:
        return self.address


def test_console_and_api_work_below_a_path(browser: Browser, tmp_path: Path) -> None:
    with target() as scim, proxy(takes_away=True) as before, proxy(takes_away=False) as other:
        token = workspace(tmp_path, scim)
        address = f"http://127.0.0.1:{before.server_port}{PREFIX}"
        with serving(tmp_path, scim, token, "--public-url", address) as served:
            before.upstream = other.upstream = served.port
            behind = Behind(served.port, token, tmp_path, scim, served.process, address=address)
            _api_names_itself_as_it_is_seen(Client(before.server_port, token), address)
            _api_names_itself_as_it_is_seen(Client(other.server_port, token), address)
            _console_is_used(browser, behind)


def _api_names_itself_as_it_is_seen(client: Client, address: str) -> None:
    told = client.get(f"{PREFIX}/v1.0/servicePrincipals?$top=1")
    assert told.status == 200, told.body
    assert told.json["@odata.context"].startswith(f"{address}/v1.0/")
    # The API has routes of its own that begin like the prefix.
    assert client.get(f"{PREFIX}/provisor/jobs").json["@odata.count"] == 1
    led = client.get(f"{PREFIX}/")
    assert (led.status, led.headers["location"]) == (307, f"{PREFIX}/console/")


def _console_is_used(browser: Browser, behind: Behind) -> None:
    with person(browser, behind) as somebody:
        somebody.open("/log")
        expect(somebody.page.get_by_role("heading", name="Sign in")).to_be_visible()
        somebody.sign_in(behind.token)
        (cookie,) = somebody.page.context.cookies()
        assert cookie.get("path") == f"{PREFIX}/console"

        address = somebody.page.get_by_role("link", name="people", exact=True)
        assert str(address.get_attribute("href")).startswith(f"{PREFIX}/console/jobs/")
        address.click()
        somebody.press("Start")
        somebody.reads("The job is started.")
        somebody.reads("initial, ended")  # told by the stream of events
        wait_until(lambda: len(behind.users()) == 2)
        somebody.page.get_by_role("link", name="Mappings", exact=True).click()
        somebody.page.get_by_role("link", name="displayName").first.click()
        expect(somebody.page.locator(".cm-editor")).to_be_visible()

        # Who is led astray is led back below the path.
        came = {"Referer": f"{behind.url}/console/log?status=failure"}
        astray = somebody.page.request.get(f"{behind.url}/console/nowhere", headers=came).text()
        assert f'href="{PREFIX}/console/log?status=failure">Back to where you were' in astray

        somebody.press("Sign out")
        somebody.reads("You are signed out.")
        assert somebody.page.url.startswith(f"{behind.url}/console/sign-in")
        assert not somebody.complaints, somebody.complaints
        assert not somebody.elsewhere, somebody.elsewhere
