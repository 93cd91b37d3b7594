"""When the credentials for a target expire: as somebody said, or as the token says of itself."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from provisor.graph.http.telling import expiry_of

AT = datetime(2026, 3, 1, tzinfo=UTC)


def jwt(**claims: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("token", "expiration", "expires"),
    [
        ("", "2026-03-01T00:00:00Z", AT),
        ("opaque", "2026-03-01", AT),
        (jwt(exp=int(AT.timestamp())), "", AT),
        (jwt(exp=1), "2026-03-01T00:00:00Z", AT),
        (jwt(sub="x"), "", None),
        ("opaque", "", None),
        ("a.b.c", "", None),
        (jwt(exp=1e300), "", None),
        ("", "some day", None),
    ],
)
def test_the_date_is_found(token: str, expiration: str, expires: datetime | None) -> None:
    assert expiry_of(token, expiration) == expires
