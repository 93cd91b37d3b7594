"""The console beside the API: who may come in, which page is meant, and under what rules it runs.

Pages are below `/console`; whatever else is asked for is the API's.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from mimetypes import guess_type
from urllib.parse import parse_qsl, quote, urlsplit

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from provisor.console.asking import Api, meant
from provisor.console.entrance import Entrance, is_from_here
from provisor.console.once import FIELD, Outcomes, key_of
from provisor.console.outward import outward_of
from provisor.console.render import STATIC, page, static
from provisor.console.routes import led
from provisor.console.sessions import COOKIE, PATH, Session, Sessions, anti_forgery
from provisor.console.visit import Visit, refused
from provisor.graph.http.faults import Fault, forbidden
from provisor.graph.http.service import Service, fault_of
from provisor.graph.problems import RequestIds

FORM_MAX = 8 << 20
"""A schema may be saved through a form."""
NONCE_BYTES = 16
YEAR_S = 31_536_000
FORGED = "This form was not one of yours, or too old. Go back, load the page anew, and try again."
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Pages below `/console`, and the API everywhere else, as one ASGI application."""

    service: Service
    sessions: Sessions
    outcomes: Outcomes
    entrance: Entrance
    now: Callable[[], datetime]
    draw: Callable[[int], bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outward = outward_of(self.service.places.public)
        scope = outward.inward(scope) if scope["type"] == "http" else scope
        path = scope["path"] if scope["type"] == "http" else ""
        if path == "/":
            onward = RedirectResponse(f"{PATH}/", 307)
            outward.carry(onward)
            await onward(scope, receive, send)
            return
        if path != PATH and not path.startswith(f"{PATH}/"):
            await self.service(scope, receive, send)
            return
        request = Request(scope, receive)
        nonce = base64.b64encode(self.draw(NONCE_BYTES)).decode("ascii")
        try:
            answer = await self._answer(request, nonce)
        except ClientDisconnect:
            return
        # The last place where a failure can be told.
        except Exception as failure:  # noqa: BLE001
            answer = self._refusal(request, failure, nonce)
        _guard(answer, nonce, is_secure=self._is_secure(request))
        outward.carry(answer)
        await answer(scope, receive, send)

    async def _answer(self, request: Request, nonce: str) -> Response:
        base = self.service.places.base(request)
        raw = bytes(request.scope.get("raw_path") or request.url.path.encode())
        path = raw.decode("ascii", "replace").partition("?")[0].removeprefix(PATH) or "/"
        if path.startswith("/static/"):
            return _static(path.removeprefix("/static/"))
        secret = request.cookies.get(COOKIE, "")
        session = await self.sessions.find(secret) if secret else None
        form = await _form(request, base)
        entered = await self.entrance.answer(request, path, form, session, base, nonce)
        if entered is not None:
            return entered
        if session is None:
            return self._to_entrance(request)
        if request.method == "POST" and form.get("csrf") != anti_forgery(secret):
            raise Fault(403, "FormForged", FORGED)
        return await self._page(request, path, form, session, base, nonce)

    async def _page(
        self,
        request: Request,
        path: str,
        form: Mapping[str, str],
        session: Session,
        base: str,
        nonce: str,
    ) -> Response:
        found = led(path)
        method = "GET" if request.method == "HEAD" else request.method
        if found is None:
            raise Fault(404, "ResourceNotFound", "There is no page at this address.")
        if method not in found.pages:
            raise Fault(405, "Request_BadRequest", "This page cannot be used so.")
        chosen = found.pages[method]
        try:
            caller = await self.sessions.caller(session)
        except Fault:
            return self._to_entrance(request)
        visit = Visit(
            request=request,
            session=session,
            api=Api(
                self.service,
                caller,
                base,
                self.service.places.origin(request),
                lambda: self.sessions.caller(session),
            ),
            keys=found.keys,
            form=form,
            csrf=anti_forgery(request.cookies[COOKIE]),
            nonce=nonce,
            now=self.now(),
        )
        if not await visit.may(*meant(chosen.needs, found.keys)):
            raise forbidden()
        if FIELD not in form:
            return await chosen.handler(visit)
        key = key_of(session.hash, path, form)
        return await self.outcomes.of(key, nonce, lambda: chosen.handler(visit))

    def _to_entrance(self, request: Request) -> Response:
        """Ask who it is. A part of a page cannot ask: the whole page is led there."""
        address = f"{PATH}/sign-in"
        if "hx-request" in request.headers:
            return Response(status_code=401, headers={"HX-Redirect": address})
        if "text/event-stream" in request.headers.get("accept", ""):
            return Response(status_code=204)  # from this an event source does not come back
        if request.method in ("GET", "HEAD") and request.url.path.rstrip("/") != PATH:
            query = f"?{request.url.query}" if request.url.query else ""
            wanted = quote(f"{request.url.path}{query}", safe="/")
            return RedirectResponse(f"{address}?to={wanted}", 303)
        return RedirectResponse(address, 303)

    def _refusal(self, request: Request, failure: Exception, nonce: str) -> Response:
        own = self.service.houses.home.parts.entropy.uuid()
        fault = fault_of(failure, RequestIds(request=own, client=own))
        heading, sentence, way_out = refused(fault)
        if fault.code == "FormForged":
            sentence, way_out = fault.message, ""
        template = "_refused.html" if "hx-request" in request.headers else "refused.html"
        told: dict[str, object] = {
            "heading": heading,
            "sentence": sentence,
            "way_out": way_out,
            "problems": fault.problems,
            "back": self._back(request),
            "nonce": nonce,
        }
        return page(template, fault.status, told)

    def _back(self, request: Request) -> str:
        """Return the page of ours that somebody came from; empty if unknown, or this very one."""
        came = urlsplit(request.headers.get("referer", ""))
        path = outward_of(self.service.places.public).within(came.path)
        is_ours = came.netloc in self._names(request) and path.startswith(f"{PATH}/")
        if not is_ours or (request.method == "GET" and path == request.url.path):
            return ""
        return f"{path}?{came.query}" if came.query else path

    def _names(self, request: Request) -> frozenset[str]:
        """Return by which hosts our pages are known: a proxy may call us otherwise than people."""
        public = urlsplit(self.service.places.public).netloc
        return frozenset({request.headers.get("host", ""), public} - {""})

    def _is_secure(self, request: Request) -> bool:
        try:
            return self.service.places.base(request).startswith("https:")
        except Fault:
            return False


async def _form(request: Request, base: str) -> dict[str, str]:
    """Return what a form says. Only our own pages may send one. Raises Fault."""
    if request.method != "POST":
        return {}
    if not is_from_here(request, base):
        raise Fault(403, "FormForged", FORGED)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > FORM_MAX:
            raise Fault(413, "RequestEntityTooLarge", "This is too much for one form.")
        parts.append(part)
    body = b"".join(parts).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))


def _static(name: str) -> Response:
    """Return a file that pages need. Its address changes with it, so that it may be kept."""
    digest, _, rest = name.partition("/")
    file = (STATIC / rest).resolve()
    if not rest or not file.is_relative_to(STATIC) or not file.is_file():
        raise Fault(404, "ResourceNotFound", "There is no such file.")
    is_known = urlsplit(static(rest)).path.split("/")[3] == digest
    kept = f"public, max-age={YEAR_S}, immutable" if is_known else "no-cache"
    media = guess_type(rest)[0] or "text/plain"
    return Response(file.read_bytes(), media_type=media, headers={"Cache-Control": kept})


def _guard(answer: Response, nonce: str, *, is_secure: bool) -> None:
    """Say what a page may do: use what comes from here, and be shown by nobody else."""
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if is_secure:
        answer.headers["Strict-Transport-Security"] = f"max-age={YEAR_S}"
