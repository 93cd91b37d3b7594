"""What the API names leads nowhere near, once others than this machine may ask."""

from __future__ import annotations

from pathlib import Path

from tests.api.served import TARGET_TOKEN, Reply, Served, command, serving, target, workspace

RULE = "AddressNotAllowed"


def tried(served: Served, sync: str, address: str) -> Reply:
    pairs = [
        {"key": "BaseAddress", "value": address},
        {"key": "SecretToken", "value": TARGET_TOKEN},
    ]
    body = {"useSavedCredentials": False, "templateId": "scim", "credentials": pairs}
    return served.post(f"{sync}/jobs/validateCredentials", body)


def test_a_server_that_others_may_ask_goes_inward_only_where_it_is_listed(tmp_path: Path) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        url = str(scim.greeting["url"])
        with serving(tmp_path, scim, token, "--allowed-host", "far.example") as served:
            sync = f"/v1.0/servicePrincipals/{served.principal()}/synchronization"
            for address in (url, "https://169.254.169.254/", "https://[::ffff:10.0.0.1]/"):
                refused = tried(served, sync, address)
                assert (refused.status, refused.error["code"]) == (400, RULE), refused.body
            exchange = {
                "Oauth2TokenExchangeUri": f"{url}/token",
                "Oauth2AuthorizationCode": "c",
                "Oauth2RedirectUri": "https://x.example/",
                "Oauth2ClientId": "i",
                "Oauth2ClientSecret": "s",
            }
            pairs = [{"key": key, "value": value} for key, value in exchange.items()]
            refused = served.post(f"{sync}/acquireAccessToken", {"credentials": pairs})
            assert (refused.status, refused.error["code"]) == (400, RULE)
            own = served.get("/v1.0/servicePrincipals").json["value"]
            people = next(one["id"] for one in own if one["displayName"] == "people")
            at = f"/v1.0/servicePrincipals/{people}/synchronization"
            assert tried(served, at, url).status == 204, "the file names this very place"
            text = (tmp_path / "provisor.yaml").read_text("utf-8")
            listed = text.replace("tenant:\n", "tenant:\n  allowedTargets: [127.0.0.0/8]\n")
            (tmp_path / "provisor.yaml").write_text(listed, encoding="utf-8")
            command(tmp_path, "apply", str(tmp_path / "provisor.yaml"))
            assert tried(served, sync, url).status == 204
