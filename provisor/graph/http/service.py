"""From a request on the wire to a handler, and from what it says to the wire.

Here alone is decided who may, how much may come in, and how every refusal looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from provisor.errors import AdapterError, StoreFailed
from provisor.graph.http.answers import JSON, Answer
from provisor.graph.http.auth import ANONYMOUS, Caller, Gatekeeper
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault, forbidden, too_long, too_slow, unavailable
from provisor.graph.http.handlers.common import application_of, not_allowed
from provisor.graph.http.house import House, Houses
from provisor.graph.http.packed import unpacked
from provisor.graph.http.places import Places, is_loopback
from provisor.graph.http.query import Query, expanded, order_of, parse_query
from provisor.graph.http.route import FORM, OWNED, SCIM, Route
from provisor.graph.http.router import Found
from provisor.graph.http.routes import METRICS, OWN_ONLY, UNVERSIONED, VERSIONED
from provisor.graph.problems import RequestIds, envelope, invalid
from provisor.graph.wire.coding import encode
from provisor.runtime.lease import Busy
from provisor.store.errors import JobUnknown

VERSIONS = {"beta": "beta", "v1.0": "v1.0"}
PATH_LENGTH_MAX = 16_384
PASSED_OVER_MAX = 32 << 20
"""Of a body that is too long, so many bytes more are read, and not kept, before it is refused: who
is still sending when the connection is closed never hears why."""
BODY_WITHIN_S = 60
"""A body that is not there by then is not waited for; eight megabytes need a megabit a second."""
CLIENT_ID_LENGTH_MAX = 200
NEIGHBOUR = Caller(name="neighbour", scopes=frozenset(METRICS))
"""Who asks from this machine, where the server is told to trust that."""
GONE = 499
"""How a client is noted that did not wait for its answer."""
PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers of messengers: who asks is not who connects."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for, wherever it came from."""

    method: str = "GET"
    version: str
    """`beta` or `v1.0`; empty for what is below none."""
    path: str
    """Below the version, percent-encoded."""
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """With names in small letters."""
    base: str
    origin: str
    """The address it came from, for the audit."""
    renew: Callable[[], Awaitable[Caller]]
    """Look at the credential again."""


@dataclass(frozen=True, slots=True)
class Service:
    """The API as an ASGI application."""

    houses: Houses
    gatekeeper: Gatekeeper
    places: Places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request, began = Request(scope, receive), perf_counter()
        ids = _ids(self.houses.home, request.headers)
        try:
            answer = await self._answer(request, ids)
        except ClientDisconnect:
            self._tell(request, ids, GONE, began)
            return
        # The last place where a failure can be told.
        except Exception as failure:  # noqa: BLE001
            answer = self._refusal(failure, ids)
        self._tell(request, ids, answer.status, began)
        await _response(answer, ids, request).__call__(scope, receive, send)

    def _tell(self, request: Request, ids: RequestIds, status: int, began: float) -> None:
        """Measure a request, and log it: without its path and query, which may name people."""
        seconds = perf_counter() - began
        self.houses.home.measured.answered(request.method, status, seconds)
        ms = round(seconds * 1_000, 1)
        log.debug("answered", request=ids.request, method=request.method, status=status, ms=ms)

    async def _answer(self, request: Request, ids: RequestIds) -> Answer:
        base = self.places.base(request)
        version, path, query = _split(request)
        found = _found(version, path)
        authorization = request.headers.get("authorization", "")
        if self._is_neighbour(request, found):
            caller = NEIGHBOUR
        elif _is_open(found):
            caller = ANONYMOUS
        else:
            caller = await self.gatekeeper.caller(authorization)
        route = _chosen(found, request.method, version, path)
        asked = Asked(
            method=request.method,
            version=version,
            path=path,
            query=query,
            body=await _body(request, route),
            headers=dict(request.headers),
            base=base,
            origin=self.places.origin(request),
            renew=lambda: self.gatekeeper.caller(authorization),
        )
        return await self._carried_out(route, found, caller, asked, ids)

    async def ask(self, caller: Caller, asked: Asked) -> Answer:
        """Answer somebody in this process, who is known already, as everybody is answered.

        Raises Fault, and nothing else that is expected.
        """
        ids = _ids(self.houses.home, asked.headers)
        found = _found(asked.version, asked.path)
        try:
            route = _chosen(found, asked.method, asked.version, asked.path)
            if len(asked.body) > route.body_max:
                raise too_long(route.body_max)
            return await self._carried_out(route, found, caller, asked, ids)
        except Exception as failure:
            raise fault_of(failure, ids) from failure

    async def may(self, caller: Caller, method: str, asked: Asked) -> bool:
        """Tell whether a caller would be let in, without doing anything."""
        ids = _ids(self.houses.home, asked.headers)
        found = _found(asked.version, asked.path)
        try:
            route = _chosen(found, method, asked.version, asked.path)
            await _authorize(route, await self._call(route, found, caller, asked, ids))
        except Fault:
            return False
        return True

    async def _carried_out(
        self, route: Route, found: Found, caller: Caller, asked: Asked, ids: RequestIds
    ) -> Answer:
        call = await self._call(route, found, caller, asked, ids)
        await _authorize(route, call)
        answer: Answer = await route.handler(call)
        if call.applied:
            preferences = {"Preference-Applied": ", ".join(call.applied)}
            return replace(answer, headers={**answer.headers, **preferences})
        return answer

    def _is_neighbour(self, request: Request, found: Found) -> bool:
        """Tell whether who asks for something local is on this machine, and nobody's messenger."""
        if not self.houses.home.measured.is_local_open or "authorization" in request.headers:
            return False
        is_passed_on = any(name in request.headers for name in PASSED_ON)
        near = request.client.host if request.client is not None else ""
        is_local = bool(found.routes) and all(route.is_local for route in found.routes.values())
        return is_local and not is_passed_on and is_loopback(near)

    async def _call(
        self, route: Route, found: Found, caller: Caller, asked: Asked, ids: RequestIds
    ) -> Call:
        query = parse_query(asked.query, is_beta=asked.version == "beta")
        return Call(
            house=await self.houses.asked(caller.tenant, asked.origin),
            version=asked.version,
            base=asked.base,
            path=asked.path,
            query=query,
            keys=found.keys,
            headers=asked.headers,
            body=asked.body,
            caller=caller,
            gatekeeper=self.gatekeeper,
            ids=ids,
            renew=asked.renew,
            expanded=_understood(route, query),
        )

    def early(self, fault: Fault) -> tuple[bytes, str]:
        """Return what tells of a request that never became one, and the id it is told under."""
        ids = _ids(self.houses.home, {})
        return self._refusal(fault, ids).body, ids.request

    def _refusal(self, failure: Exception, ids: RequestIds) -> Answer:
        fault = fault_of(failure, ids)
        now = self.houses.home.parts.clock.now()
        if fault.problems:
            made = invalid(fault.problems, ids, now, fault.code)
        else:
            made = envelope(fault.code, fault.message, ids, now)
        return Answer(status=fault.status, body=encode(made), media=JSON, headers=fault.headers)


def fault_of(failure: Exception, ids: RequestIds) -> Fault:
    """Return how a failure is told outside. What is our own defect says nothing of itself."""
    match failure:
        case Fault():
            return failure
        case JobUnknown():
            return Fault(404, "ResourceNotFound", str(failure))
        case Busy():
            return unavailable(str(failure))
        case StoreFailed():
            return unavailable("The store cannot be used just now; the server's log says why.")
        case AdapterError():
            return Fault(400, failure.code, str(failure) or failure.code)
        case _:
            log.error("request failed", request=ids.request, exc_info=failure)
            return Fault(500, "InternalServerError", "This is a defect of Provisor.")


def _found(version: str, path: str) -> Found:
    return (VERSIONED if version else UNVERSIONED).find(path)


def _ids(house: House, headers: Mapping[str, str]) -> RequestIds:
    own = house.parts.entropy.uuid()
    given = headers.get("client-request-id", "")
    is_usable = 0 < len(given) <= CLIENT_ID_LENGTH_MAX and given.isascii() and given.isprintable()
    return RequestIds(request=own, client=given if is_usable else own)


def _split(request: Request) -> tuple[str, str, str]:
    """Return version, path below it, and query, all as they came."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    if len(raw) > PATH_LENGTH_MAX or len(request.scope["query_string"]) > PATH_LENGTH_MAX:
        raise Fault(414, "RequestUriTooLong", f"It has more than {PATH_LENGTH_MAX} characters.")
    path = raw.decode("ascii", "replace").partition("?")[0]
    if path.lower().startswith(("http://", "https://")):  # as to a proxy (RFC 9112 3.2.2)
        path = "/" + path.partition("://")[2].partition("/")[2]
    first, _, rest = path.lstrip("/").partition("/")
    version = VERSIONS.get(first.lower(), "")
    query = request.scope["query_string"].decode("ascii", "replace")
    return (version, f"/{rest}", query) if version else ("", path, query)


def _is_open(found: Found) -> bool:
    return bool(found.routes) and all(route.is_open for route in found.routes.values())


def _chosen(found: Found, method: str, version: str, path: str) -> Route:
    """Return the route for a method. Raises Fault: 404, 405."""
    routes = {m: r for m, r in found.routes.items() if version == "beta" or not r.is_beta}
    if not routes:
        stray = found.stray or path.rstrip("/").rpartition("/")[2]
        raise Fault(404, "ResourceNotFound", f"Resource not found for the segment '{stray[:100]}'.")
    if method == "HEAD":
        method = "GET"
    if method not in routes:
        raise not_allowed(", ".join(sorted(routes)))
    return routes[method]


def _understood(route: Route, query: Query) -> frozenset[str]:
    """Return what a query expands. What only reads takes no option that it does not know.

    Raises Fault.
    """
    if route.method != "GET":
        return frozenset()
    query.allow(route.options)
    if "orderby" in query.options:
        order_of(query, route.type_name, route.orderable)
    if "expand" not in query.options:
        return frozenset()
    return expanded(query, route.type_name, route.expands)


async def _body(request: Request, route: Route) -> bytes:
    """Return the body, if it is not too long and of the right kind. Raises Fault."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for part in request.stream():
                size += len(part)
                if size <= route.body_max:
                    parts.append(part)
                elif size > route.body_max + PASSED_OVER_MAX:
                    break
    except TimeoutError:
        raise too_slow(BODY_WITHIN_S) from None
    if size > route.body_max:
        raise too_long(route.body_max)
    encoding = request.headers.get("content-encoding", "")
    body = unpacked(b"".join(parts), encoding, route.body_max)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = media in ("", "application/json") or media.endswith("+json")
    if body.strip() and route.media not in (SCIM, FORM) and not is_json:
        raise Fault(415, "UnsupportedMediaType", f"The content type '{media}' is not taken here.")
    return body


async def _authorize(route: Route, call: Call) -> None:
    """Raises Fault if the caller may not. Who may touch only its own has to own it."""
    caller: Caller = call.caller
    if route.is_open or caller.has_any([one for one in route.scopes if one != OWNED]):
        return
    is_own = OWNED in route.scopes and OWNED in caller.scopes
    if is_own and route.shows_own:
        return
    if not is_own or OWN_ONLY.isdisjoint(call.keys):
        raise forbidden()
    if not caller.owns(await application_of(call)):
        raise forbidden()


def _response(answer: Answer, ids: RequestIds, request: Request) -> Response:
    headers = {
        "request-id": ids.request,
        "client-request-id": ids.client,
        "OData-Version": "4.0",
        "Cache-Control": "no-cache",
        **answer.headers,
    }
    if request.url.scheme == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if answer.media:
        headers["Content-Type"] = answer.media
    if answer.stream is not None:
        return StreamingResponse(answer.stream, answer.status, headers)
    content = b"" if request.method == "HEAD" else answer.body
    return Response(content, answer.status, headers)


async def drain(house: House) -> None:
    """Wait for what goes on after its request was answered."""
    if house.tasks:
        await asyncio.wait(house.tasks)
