"""A secret that a server repeats is not told on, in whatever spelling."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus, urlencode

import pytest

from provisor.connectors.http.replies import Redactor

SECRETS = ('pa/ss+wörd=&"x', "eyJhbGciOi.JIUzI1NiJ9.marked", "a secret of many words", "~~~???>>>")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "client:", "user@example.com:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_nothing_of_a_secret_passes(secret: str, before: str, after: str) -> None:
    whole = before + secret + after
    raw = whole.encode()
    told = {
        "as it is": whole,
        "JSON": json.dumps(whole),
        "JSON, not only ASCII": json.dumps(whole, ensure_ascii=False),
        "JSON in JSON": json.dumps(json.dumps(whole, ensure_ascii=False), ensure_ascii=False),
        "address": quote(whole, safe=""),
        "path": quote(whole),
        "form": quote_plus(whole),
        "form, small": urlencode({"a": whole}).lower() if secret.islower() else quote_plus(whole),
        "hexadecimal": raw.hex(),
        "HEXADECIMAL": raw.hex().upper(),
    }
    redactor = Redactor().also([secret])
    for spelling, text in told.items():
        clean = redactor.clean(f"the server says {text} to it")
        assert "***" in clean, spelling
        assert secret not in clean, spelling
    for text in (b64encode(raw).decode(), urlsafe_b64encode(raw).decode(),
                 b64encode(raw).decode().rstrip("=")):  # fmt: skip
        clean = redactor.clean(text)
        assert "***" in clean
        assert len(clean.replace("***", "")) <= len(text) - len(secret.encode())
