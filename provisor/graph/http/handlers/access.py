"""An authorization code exchanged for tokens, which are kept (spec: graph-api 3.13)."""

from __future__ import annotations

from provisor.graph.credentials import MASK, MASKED, load_bounds, load_secrets, put_secrets
from provisor.graph.http.altered import altered_secrets
from provisor.graph.http.answers import Answer, done
from provisor.graph.http.calls import Call
from provisor.graph.http.exchange import exchanged
from provisor.graph.http.faults import bad_request
from provisor.graph.http.handlers.common import application_of, reconfigured
from provisor.graph.http.handlers.secrets import pairs_of, refuse_strays, unmasked
from provisor.graph.wire.base import instant_text
from provisor.graph.wire.requests import AcquireAccessToken

NEEDED = (
    "Oauth2AuthorizationCode",
    "Oauth2RedirectUri",
    "Oauth2ClientId",
    "Oauth2ClientSecret",
    "Oauth2TokenExchangeUri",
)


async def acquire(call: Call) -> Answer:
    application = await application_of(call)
    parts = call.house.parts
    wanted = [pair for pair in call.read(AcquireAccessToken).credentials if pair.key]
    saved = await load_secrets(parts.registry, parts.vault, application)
    bounds, typed = await load_bounds(parts.registry, application), pairs_of(wanted)
    given = {**saved, **unmasked(typed, saved, bounds)}
    unchanged = [key for key in saved if key in MASKED and typed.get(key, MASK) == MASK]
    refuse_strays(unchanged, given, bounds)
    missing = [key for key in NEEDED if not given.get(key)]
    if missing:
        raise bad_request(f"There is no {', '.join(missing)}.")
    access, refresh = await exchanged(
        {key: given[key] for key in NEEDED}, await call.house.door(application, given)
    )
    kept = {key: value for key, value in given.items() if key != NEEDED[0]}
    kept["Oauth2AccessToken"] = access
    kept["Oauth2AccessTokenCreationTime"] = instant_text(parts.clock.now())
    if refresh:
        kept["Oauth2RefreshToken"] = refresh
    await put_secrets(parts.registry, parts.vault, application, kept, unchanged)
    await reconfigured(call, application)
    about = f"{application.name} {application.id}"
    changes = altered_secrets(saved, kept)
    await call.house.audit(call.caller.name, "Acquire access token", about, changes)
    return done()
