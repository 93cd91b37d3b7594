"""Signing in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from provisor.console.render import page
from provisor.console.sessions import COOKIE, LIFETIME, PATH, Session, Sessions, anti_forgery
from provisor.console.words import DONE, SIGNED_IN
from provisor.graph.http.auth import Caller
from provisor.graph.http.faults import Fault, unauthenticated
from provisor.graph.http.service import Service
from provisor.graph.http.signin import PENDING_FOR, Provider
from provisor.graph.http.throttle import Limit

ATTEMPTS = Limit(20, 60)
"""So many wrong keys may be tried from one address."""
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
WITH, BACK = f"{SIGN_IN}/with", f"{SIGN_IN}/back"
"""Where one leaves for the identity provider, and where it sends people back to."""
PENDING = "provisor_sign_in"
WRONG = "This key is not known here, has expired or was revoked."
MISSING = "Give your API key."


@dataclass(frozen=True, slots=True)
class Entrance:
    service: Service
    sessions: Sessions
    provider: Provider | None = None
    """Who vouches for people, besides the keys that they may have."""

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
                asked = request.query_params
                return await self._form(
                    nonce,
                    base,
                    to=asked.get("to", ""),
                    did=asked.get("did", ""),
                    is_leaving="elsewhere" in asked,
                )
            case "GET", "/sign-in/with" if self.provider is not None:
                return await self._left(self.provider, request, base, nonce)
            case "GET", "/sign-in/back" if self.provider is not None:
                return await self._came_back(self.provider, request, base, nonce)
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

    async def _form(
        self,
        nonce: str,
        base: str,
        *,
        to: str,
        did: str = "",
        wrong: str = "",
        status: int = 200,
        is_of_key: bool = False,
        is_leaving: bool = False,
    ) -> Response:
        """Ask who it is; `wrong` says why somebody was not let in, with a key or otherwise."""
        told: dict[str, object] = {
            "nonce": nonce,
            "to": inside(to),
            "did": DONE.get(did, ""),
            "wrong": wrong,
            "is_of_key": is_of_key and bool(wrong),
            "provider": "",
            "leaving": "",
        }
        if self.provider is not None:
            told["provider"] = self.provider.registration.called
            told["way"] = f"{PATH}{WITH}?to={quote(inside(to), safe='')}"
            if is_leaving:
                told["leaving"] = await self.provider.leaving(f"{base}{PATH}{SIGN_IN}")
        return page("sign_in.html", status, told)

    # by an identity provider

    async def _left(self, provider: Provider, request: Request, base: str, nonce: str) -> Response:
        to = inside(request.query_params.get("to", ""))
        try:
            address, pending = await provider.begin(f"{base}{PATH}{BACK}", to)
        except Fault as fault:
            return await self._form(nonce, base, to=to, wrong=fault.message, status=fault.status)
        answer = RedirectResponse(address, 303)
        # Lax: it is to come along when the provider leads the browser back.
        answer.set_cookie(
            PENDING,
            pending,
            max_age=int(PENDING_FOR.total_seconds()),
            path=f"{PATH}{SIGN_IN}",
            secure=base.startswith("https:"),
            httponly=True,
            samesite="lax",
        )
        return answer

    async def _came_back(
        self, provider: Provider, request: Request, base: str, nonce: str
    ) -> Response:
        pending = request.cookies.get(PENDING, "")
        try:
            caller, to = await provider.finish(pending, dict(request.query_params))
        except Fault as fault:
            origin = self.service.places.origin(request)
            self.service.houses.home.throttle.admit(ATTEMPTS, origin)
            answer = await self._form(nonce, base, to="", wrong=fault.message, status=fault.status)
        else:
            answer = await self._entered(request, caller, to, base, is_of_key=False)
        # What was begun is over, however it ended: a code is good for one sign-in.
        answer.delete_cookie(PENDING, path=f"{PATH}{SIGN_IN}")
        return answer

    # by a key

    async def _signed_in(
        self, request: Request, form: Mapping[str, str], base: str, nonce: str
    ) -> Response:
        origin = self.service.places.origin(request)
        to, key = form.get("to", ""), form.get("key", "").strip()
        if not key:
            return await self._form(nonce, base, to=to, wrong=MISSING, status=400, is_of_key=True)
        try:
            caller = await self._holder(key)
        except Fault:
            self.service.houses.home.throttle.admit(ATTEMPTS, origin)
            return await self._form(nonce, base, to=to, wrong=WRONG, status=401, is_of_key=True)
        return await self._entered(request, caller, to, base, is_of_key=True)

    async def _entered(
        self, request: Request, caller: Caller, to: str, base: str, *, is_of_key: bool
    ) -> Response:
        """Begin a session, and lead to where the person wanted to go."""
        secret = await self.sessions.open(caller, is_of_key=is_of_key)
        origin = self.service.places.origin(request)
        entered = await self.service.houses.asked(caller.tenant, origin)
        await entered.audit(caller.name, SIGNED_IN, caller.id)
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
        further = "&elsewhere" if session.scopes is not None else ""
        answer = RedirectResponse(f"{PATH}{SIGN_IN}?did=signed-out{further}", 303)
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
