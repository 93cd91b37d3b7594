"""What a target can do wrong, laid around a WSGI application, and a log of what it was asked."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import parse_qsl, urlencode
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Misdeed = Literal[
    "refuse", "throttle", "lose", "delay", "fail_after", "hide_total", "ignore_filter"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to misbehave, towards the requests that it fits.

    refuse        answer `status` and do nothing
    throttle      answer 429 with Retry-After to more than `per_second` requests in a second
    lose          do it, then drop the connection without an answer
    fail_after    do it, then answer `status`
    delay         do it, and answer `delay_s` later
    hide_total    leave totalResults out of lists
    ignore_filter answer as if no filter had been sent
    """

    what: Misdeed
    method: str = ""  # any
    path: str = ""  # a part of the path
    body: str = ""  # a part of the body
    times: int | None = None  # None is for ever
    status: int = 500
    delay_s: float = 0
    per_second: int = 0
    retry_after_s: int = 1


@dataclass(slots=True)
class _Answer:
    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Misbehaving:
    """The application, with faults that can be changed while it runs, and an access log.

    The log holds a line of JSON for each request, written before its answer is sent: who has seen
    the answer finds the line. A lost answer has the status that nobody saw, and `lost`.
    """

    def __init__(self, application: WSGIApplication, access_log: Path | None) -> None:
        self._application = application
        self._log = access_log.open("a", encoding="utf-8") if access_log else None
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._used: list[int] = []
        self._recent: deque[float] = deque()

    def misbehave(self, faults: Iterable[Fault]) -> None:
        """Put these faults in the place of those before."""
        with self._lock:
            self._faults = list(faults)
            self._used = [0] * len(self._faults)
            self._recent.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = _take_body(environ)
        faults = self._fitting(environ, body)
        if any(fault.what == "ignore_filter" for fault in faults):
            query = [(k, v) for k, v in parse_qsl(environ["QUERY_STRING"]) if k != "filter"]
            unfiltered = {**environ, "QUERY_STRING": urlencode(query)}
        else:
            unfiltered = environ
        answer = self._refusal(faults) or _ask(self._application, unfiltered)
        for fault in faults:
            _bend(answer, fault)
        is_lost = any(fault.what == "lose" for fault in faults)
        self._write(environ, int(answer.status.split()[0]), is_lost)
        if is_lost:
            _drop(environ)
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _fitting(self, environ: WSGIEnvironment, body: bytes) -> list[Fault]:
        fitting: list[Fault] = []
        with self._lock:
            for index, fault in enumerate(self._faults):
                fits = (
                    fault.method in ("", environ["REQUEST_METHOD"])
                    and fault.path in environ["PATH_INFO"]
                    and fault.body in body.decode("utf-8", "replace")
                )
                if fits and (fault.times is None or self._used[index] < fault.times):
                    self._used[index] += 1
                    fitting.append(fault)
        return fitting

    def _refusal(self, faults: list[Fault]) -> _Answer | None:
        for fault in faults:
            if fault.what == "refuse":
                return _error(fault.status, "This person is not to our liking")
            if fault.what == "throttle" and self._is_too_fast(fault.per_second):
                refusal = _error(429, "Too many requests")
                refusal.headers.append(("Retry-After", str(fault.retry_after_s)))
                return refusal
        return None

    def _is_too_fast(self, per_second: int) -> bool:
        now = time.monotonic()
        with self._lock:
            while self._recent and self._recent[0] <= now - 1:
                self._recent.popleft()
            if len(self._recent) >= per_second:
                return True
            self._recent.append(now)
            return False

    def _write(self, environ: WSGIEnvironment, status: int, is_lost: bool) -> None:
        if self._log is None:
            return
        entry: dict[str, object] = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "query": environ.get("QUERY_STRING", ""),
            "status": status,
        }
        if is_lost:
            entry["lost"] = True
        with self._lock:
            self._log.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._log.flush()


def _take_body(environ: WSGIEnvironment) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = cast(bytes, environ["wsgi.input"].read(length)) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _ask(application: WSGIApplication, environ: WSGIEnvironment) -> _Answer:
    answer = _Answer("", [], b"")

    def start(
        status: str, headers: list[tuple[str, str]], exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        answer.status, answer.headers = status, list(headers)
        return lambda _: None

    answer.body = b"".join(application(environ, start))
    return answer


def _bend(answer: _Answer, fault: Fault) -> None:
    """Change an answer that was made already."""
    if fault.what == "delay":
        time.sleep(fault.delay_s)
    elif fault.what == "fail_after":
        failure = _error(fault.status, "Something went wrong, after all was done")
        answer.status, answer.headers, answer.body = failure.status, failure.headers, failure.body
    elif fault.what == "hide_total" and b'"totalResults"' in answer.body:
        content = cast(dict[str, object], json.loads(answer.body))
        content.pop("totalResults", None)
        answer.body = json.dumps(content).encode()
        kept = [(k, v) for k, v in answer.headers if k.lower() != "content-length"]
        answer.headers = [*kept, ("Content-Length", str(len(answer.body)))]


def _error(status: int, detail: str) -> _Answer:
    content: dict[str, object] = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": detail,
    }
    body = json.dumps(content).encode()
    headers = [("Content-Type", "application/scim+json"), ("Content-Length", str(len(body)))]
    return _Answer(f"{status} {detail}", headers, body)


def _drop(environ: WSGIEnvironment) -> None:
    """Cut the connection, so that the client learns nothing."""
    # waitress hands the method of its channel to applications; the channel holds the socket.
    channel = environ["waitress.client_disconnected"].__self__
    connection = cast(socket.socket, channel.socket)
    connection.shutdown(socket.SHUT_RDWR)
