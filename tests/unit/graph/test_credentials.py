"""What the API puts lies over the file, and no credential goes where it was not given for."""

from __future__ import annotations

from provisor.graph.credentials import canonical_key, overlaid, replaced_by, secrets_of, shown

FILE = {"baseAddress": "https://a.example/scim", "token": "of the file", "pageSize": 50}


def test_without_secrets_the_file_holds() -> None:
    assert overlaid(FILE, {}) == FILE


def test_another_token_replaces_every_credential_of_the_file() -> None:
    basic = {"baseAddress": "https://a.example/scim", "userName": "u", "password": "p"}
    assert overlaid(basic, {"SecretToken": "t"}) == {
        "baseAddress": "https://a.example/scim",
        "token": "t",
    }


def test_credentials_of_the_file_go_nowhere_else() -> None:
    settings = {**FILE, "headers": {"X-Key": "k"}, "proxy": "http://u:p@proxy"}
    elsewhere = overlaid(settings, {"BaseAddress": "https://b.example/scim"})
    assert elsewhere == {"baseAddress": "https://b.example/scim", "pageSize": 50}
    same = overlaid(FILE, {"BaseAddress": "https://A.example:443/other"})
    assert same["token"] == "of the file"


def test_client_credentials_need_all_their_parts() -> None:
    secrets = {"Oauth2ClientId": "c", "Oauth2ClientSecret": "s"}
    assert overlaid(FILE, secrets) == FILE
    whole = {**secrets, "Oauth2TokenExchangeUri": "https://a.example/token"}
    assert overlaid(FILE, whole)["oauth"] == {
        "tokenUrl": "https://a.example/token",
        "clientId": "c",
        "clientSecret": "s",
    }
    assert "token" in replaced_by(whole)


def test_what_the_file_says_is_shown_as_secrets_are() -> None:
    assert shown(secrets_of(FILE)) == [
        {"key": "BaseAddress", "value": "https://a.example/scim"},
        {"key": "SecretToken", "value": "*"},
    ]


def test_keys_are_known_in_any_case() -> None:
    assert canonical_key("baseaddress") == "BaseAddress"
    assert canonical_key("nonsense") is None
