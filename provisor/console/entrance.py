"""Signing in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from provisor.console.render import page
from provisor.console.sessions import COOKIE, LIFETIME, PATH, Session, Sessions, anti_forgery
from provisor.console.words import DONE
from provisor.graph.http.auth import Caller
from provisor.graph.http.faults import Fault, unauthenticated
from provisor.graph.http.service import Service
from provisor.graph.http.throttle import Limit

ATTEMPTS = Limit(20, 60)
"""So many wrong keys may be tried from one address."""
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
WRONG = "This key is not known here, has expired or was revoked."
MISSING = "Give your API key."


@dataclass(frozen=True, slots=True)
class Entrance:
    service: Service
    sessions: Sessions

    async def answer(
        self,
        request: Request,
        path: str,
        form: Mapping[str, str],
        session: Session | None,
        base: str,
        nonce: str,
    ) -> Response | None:
        """Answer what is asked for at the entrance; None: it is about something behind it."""
        match request.method, path.rstrip("/"):
            case (("GET" | "HEAD"), "/sign-in"):
                did = request.query_params.get("did", "")
                return self._form(nonce, to=request.query_params.get("to", ""), did=did)
            case "POST", "/sign-in":
                return await self._signed_in(request, form, base, nonce)
            case "POST", "/sign-out":
                if session is None:
                    return RedirectResponse(f"{PATH}{SIGN_IN}", 303)
                if form.get("csrf") != anti_forgery(request.cookies[COOKIE]):
                    raise Fault(403, "FormForged", "Sign out by the button of a page.")
                return await self._signed_out(session)
            case _:
                return None

    def _form(
        self, nonce: str, *, to: str, did: str = "", wrong: str = "", status: int = 200
    ) -> Response:
        told: dict[str, object] = {
            "nonce": nonce,
            "to": inside(to),
            "did": DONE.get(did, ""),
            "wrong": wrong,
        }
        return page("sign_in.html", status, told)

    async def _signed_in(
        self, request: Request, form: Mapping[str, str], base: str, nonce: str
    ) -> Response:
        origin = self.service.places.origin(request)
        to, key = form.get("to", ""), form.get("key", "").strip()
        if not key:
            return self._form(nonce, to=to, wrong=MISSING, status=400)
        try:
            caller = await self._holder(key)
        except Fault:
            self.service.houses.home.throttle.admit(ATTEMPTS, origin)
            return self._form(nonce, to=to, wrong=WRONG, status=401)
        secret = await self.sessions.open(caller, is_of_key=True)
        entered = await self.service.houses.asked(caller.tenant, origin)
        await entered.audit(caller.name, "Sign in to the console", caller.id)
        answer = RedirectResponse(inside(to), 303)
        answer.set_cookie(
            COOKIE,
            secret,
            max_age=int(LIFETIME.total_seconds()),
            path=PATH,
            secure=base.startswith("https:"),
            httponly=True,
            samesite="lax",
        )
        return answer

    async def _holder(self, key: str) -> Caller:
        """Return whose key this is. Raises Fault; also for a short-lived token, which is no key:
        a session made of it would outlive it."""
        if key.count(".") == 2:
            raise unauthenticated(WRONG)
        return await self.service.gatekeeper.caller(f"Bearer {key}")

    async def _signed_out(self, session: Session) -> Response:
        await self.sessions.close(session)
        answer = RedirectResponse(f"{PATH}{SIGN_IN}?did=signed-out", 303)
        answer.delete_cookie(COOKIE, path=PATH)
        return answer


def inside(address: str) -> str:
    """Return an address within the console: nobody is led elsewhere after signing in."""
    parts = urlsplit(address)
    is_here = not parts.scheme and not parts.netloc and parts.path.startswith(f"{PATH}/")
    return address if is_here and "\\" not in address else f"{PATH}/"


def is_from_here(request: Request, base: str) -> bool:
    """Tell whether a form came from one of our own pages, as far as the browser says."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "")
    shown = urlsplit(base)
    is_ours = origin in ("", f"{shown.scheme}://{shown.netloc}")
    return site == "same-origin" and is_ours
