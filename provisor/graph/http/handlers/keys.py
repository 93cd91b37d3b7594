"""API keys: which there are, made and revoked. Only for whoever may do everything: a key may be
given any permission."""

from __future__ import annotations

from datetime import datetime

from provisor.graph.http.answers import Answer, document, done, said
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import bad_request, conflict, not_found
from provisor.graph.wire.inventory import Key, Keys, NewKey
from provisor.settings.durations import parse_duration
from provisor.settings.problems import suggestion
from provisor.settings.tokens import SCOPES, KeyExists, Token, create, load_tokens, revoke

NAME_LENGTH_MAX = 120


async def list_keys(call: Call) -> Answer:
    now = call.house.parts.clock.now()
    known = await load_tokens(call.house.parts.registry)
    return said(Keys(scopes=SCOPES, value=tuple(_key(one, now) for one in known)))


def _key(one: Token, now: datetime) -> Key:
    return Key(
        id=one.id,
        name=one.name,
        scopes=one.scopes,
        created=one.created,
        expires=one.expires,
        revoked=one.revoked,
        is_good=one.is_good(now),
    )


async def make_key(call: Call) -> Answer:
    """Make a key; its text is in this answer, and in none again."""
    wanted, parts = call.read(NewKey), call.house.parts
    name = wanted.name.strip()
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise bad_request(f"name is a text of 1 to {NAME_LENGTH_MAX} characters.")
    if not wanted.scopes:
        raise bad_request("A key needs at least one permission.")
    for scope in wanted.scopes:
        if scope not in SCOPES:
            raise bad_request(
                f"There is no permission '{scope[:60]}'; {suggestion(scope, SCOPES)}."
            )
    lasts = parse_duration(wanted.expires_in) if wanted.expires_in else None
    if wanted.expires_in and lasts is None:
        raise bad_request(f"expiresIn: '{wanted.expires_in[:60]}' is no duration such as P90D.")
    try:
        made, text = await create(parts, name, wanted.scopes, lasts, call.caller.name)
    except KeyExists as failure:
        raise conflict(f"{failure}.") from failure
    told = document(_key(made, parts.clock.now()))
    return said({**told, "token": text}, 201)


async def revoke_key(call: Call) -> Answer:
    """End a key: from now on it is refused, and what was opened with it ends too."""
    id = call.key("key")
    if not await revoke(call.house.parts, id, call.caller.name, by_name=False):
        raise not_found("key", id)
    return done()
