"""Every route that changes something leaves a record; a new one has to be driven here, or say why
it changes nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from provisor.graph.http.routes import ROUTES
from tests.api.served import TARGET_TOKEN, Reply, Served
from tests.api.test_logs_and_uploads import person, upload

SYNC = "servicePrincipals/{sp}/synchronization"
JOB, TEMPLATE = f"{SYNC}/jobs/{{job}}", f"{SYNC}/templates/{{tpl}}"
ASSIGNED = "servicePrincipals/{sp}/appRoleAssignedTo"
CHANGES_NOTHING = {
    f"POST {SYNC}/jobs/validateCredentials": "it tries",
    f"POST {JOB}/validateCredentials": "it tries",
    f"POST {JOB}/plan": "it shows",
    f"POST {JOB}/schema/whatIf": "it shows",
    f"POST {JOB}/schema/parseExpression": "it shows",
    f"POST {TEMPLATE}/schema/parseExpression": "it shows",
    f"POST {JOB}/schema/tests/run": "it shows",
    "POST provisor/demonstration/day": "it plays",
    "POST {tenant}/oauth2/v2.0/token": "a key is exchanged by who has it, every hour",
}
ELSEWHERE = {
    f"PUT {SYNC}/source": "an application without a source; browser/test_beginning",
    "POST provisor/demonstration": "it plays; browser/test_beginning",
    "DELETE provisor/demonstration": "it plays; browser/test_beginning",
    f"POST {JOB}/staged/approve": "test_beside",
    f"POST {JOB}/drift/accept": "browser/test_drift",
    f"POST {JOB}/drift/reassert": "browser/test_drift",
    f"POST {JOB}/bulkUpload/$value": "the same handler as without $value",
    f"POST {JOB}/bulkUpload": "below",
}
"""What needs a state of its own, and the test that brings it about."""


class Stage:
    """An application with a job and a template of its own, and what was made on the way."""

    def __init__(self, house: Served, sync: str, job: str) -> None:
        self.house, self.sync, self.job = house, sync.replace("/beta/", "/v1.0/"), job
        self.job = job.replace("/beta/", "/v1.0/")
        self.principal = self.sync.split("/")[3]
        self.assigned = f"/v1.0/servicePrincipals/{self.principal}/appRoleAssignedTo"
        self.template = f"{self.sync}/templates/Mine"
        self.assignment = self.key = ""

    def secrets(self) -> dict[str, Any]:
        pairs = {"BaseAddress": self.house.target_url, "SecretToken": TARGET_TOKEN}
        return {"value": [{"key": key, "value": value} for key, value in pairs.items()]}

    def schema(self, at: str) -> dict[str, Any]:
        schema = self.house.get(f"{at}/schema").json
        rule = schema["synchronizationRules"][0]
        rule["priority"] = int(rule["priority"]) + 1
        return schema

    def directory(self, at: str) -> str:
        """Return where a directory is that nothing refers to."""
        made = self.house.post(f"{at}/schema/directories", {"name": "Spare", "objects": []})
        assert made.status == 201, made.body
        return f"{at}/schema/directories/{made.json['id']}"


Act = Callable[[Stage, Served], Reply]


def acts() -> dict[str, Act]:
    """Return an act for each route, in an order in which each has something to do."""
    found: dict[str, Act] = {
        f"PUT {SYNC}": lambda s, h: h.put(s.sync, {"secrets": s.secrets()["value"]}),
        f"PUT {SYNC}/secrets": lambda s, h: h.put(f"{s.sync}/secrets", s.secrets()),
        "POST provisor/tokens": _key,
        "DELETE provisor/tokens/{key}": lambda s, h: h.delete(f"/provisor/tokens/{s.key}"),
        f"POST {JOB}/start": lambda s, h: h.post(f"{s.job}/start"),
        f"POST {JOB}/restart": lambda s, h: h.post(f"{s.job}/restart", {"criteria": {}}),
        f"POST {JOB}/pause": lambda s, h: h.post(f"{s.job}/pause"),
        f"PATCH {JOB}": lambda s, h: h.patch(s.job, {"schedule": {"interval": "PT21M"}}),
        f"POST {JOB}/provisionOnDemand": _on_demand,
        f"DELETE {JOB}/objectConnections/{{object}}": lambda s, h: h.delete(
            f"{s.job}/objectConnections('ada')"
        ),
        f"POST {SYNC}/acquireAccessToken": _acquire,
        f"PUT {JOB}/schema/tests": lambda s, h: h.put(f"{s.job}/schema/tests", {"value": []}),
        f"POST {JOB}/probe": lambda s, h: h.post(f"{s.job}/probe"),
        f"POST {JOB}/escrows/retry": lambda s, h: h.post(f"{s.job}/escrows/retry", {}),
        f"POST {SYNC}/templates": lambda s, h: h.post(
            f"{s.sync}/templates",
            {"id": "Mine", "applicationId": s.principal, "factoryTag": "scim"},
        ),
        f"PUT {TEMPLATE}": lambda s, h: h.put(
            s.template, {"id": "Mine", "applicationId": s.principal, "factoryTag": "scim"}
        ),
        f"PATCH {TEMPLATE}": lambda s, h: h.patch(
            s.template, {"id": "Mine", "applicationId": s.principal, "factoryTag": "customappsso"}
        ),
        f"POST {ASSIGNED}": _assign,
        f"DELETE {ASSIGNED}/{{assignment}}": lambda s, h: h.delete(f"{s.assigned}/{s.assignment}"),
    }
    for at, path in ((JOB, "job"), (TEMPLATE, "template")):
        found |= _of_schema(at, path)
    rest: dict[str, Act] = {
        "POST applicationTemplates/{gallery}/instantiate": lambda s, h: h.post(
            "/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate",
            {"displayName": "Another"},
        ),
        f"POST {JOB}/reconcile": lambda s, h: h.post(f"{s.job}/reconcile"),
        f"DELETE {TEMPLATE}": lambda s, h: h.delete(s.template),
        f"DELETE {JOB}": lambda s, h: h.delete(s.job),
        f"POST {SYNC}/jobs": lambda s, h: h.post(f"{s.sync}/jobs", {"templateId": "scim"}),
        f"DELETE {SYNC}": lambda s, h: h.delete(s.sync),
    }
    return found | rest


def _of_schema(at: str, whose: str) -> dict[str, Act]:
    def place(stage: Stage) -> str:
        return str(getattr(stage, whose))

    single = f"{at}/schema/directories/{{dir}}"
    return {
        f"PUT {at}/schema": lambda s, h: h.put(f"{place(s)}/schema", s.schema(place(s))),
        f"PATCH {at}/schema": lambda s, h: h.patch(f"{place(s)}/schema", s.schema(place(s))),
        f"POST {at}/schema/directories": lambda s, h: h.post(
            f"{place(s)}/schema/directories", {"name": "Fresh", "objects": []}
        ),
        f"PATCH {single}": lambda s, h: h.patch(
            s.directory(place(s)), {"name": "Spare", "objects": [{"name": "Thing"}]}
        ),
        f"DELETE {single}": lambda s, h: h.delete(f"{place(s)}/schema/directories/Spare"),
        f"POST {single}/discover": lambda s, h: h.post(
            f"{place(s)}/schema/directories/{_target_of(s, h, place(s))}/discover"
        ),
        f"DELETE {at}/schema": lambda s, h: h.delete(f"{place(s)}/schema"),
    }


def _target_of(stage: Stage, house: Served, at: str) -> str:
    rule = house.get(f"{at}/schema").json["synchronizationRules"][0]
    listed = house.get(f"{at}/schema/directories").json["value"]
    return next(one["id"] for one in listed if one["name"] == rule["targetDirectoryName"])


def _key(stage: Stage, house: Served) -> Reply:
    scopes = ["Synchronization.Read.All"]
    made = house.post("/provisor/tokens", {"name": f"of {stage.principal}", "scopes": scopes})
    stage.key = str(made.json.get("id"))
    return made


def _on_demand(stage: Stage, house: Served) -> Reply:
    rule = house.get(f"{stage.job}/schema").json["synchronizationRules"][0]["id"]
    subject = {"objectId": "ada", "objectTypeName": "User"}
    return house.post(
        f"{stage.job}/provisionOnDemand",
        {"parameters": [{"ruleId": rule, "subjects": [subject]}]},
    )


def _acquire(stage: Stage, house: Served) -> Reply:
    with token_endpoint() as url:
        pairs = {
            "Oauth2TokenExchangeUri": url,
            "Oauth2AuthorizationCode": "a-code-that-nobody-may-see",
            "Oauth2RedirectUri": "https://x.example/",
            "Oauth2ClientId": "i",
            "Oauth2ClientSecret": "a-client-secret-that-nobody-may-see",
        }
        told = [{"key": key, "value": value} for key, value in pairs.items()]
        told += stage.secrets()["value"]  # what is to be used beside another place is typed again
        return house.post(f"{stage.sync}/acquireAccessToken", {"credentials": told})


@contextmanager
def token_endpoint() -> Generator[str]:
    """Serve tokens for whatever code."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            content = json.dumps({"access_token": "an-access-token-nobody-may-see"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _assign(stage: Stage, house: Served) -> Reply:
    made = house.post(stage.assigned, {"principalId": "ada", "resourceId": stage.principal})
    stage.assignment = str(made.json.get("id"))
    return made


def test_each_route_that_is_not_a_get_is_driven_or_says_why_not() -> None:
    """The routes below applications are those below their principals, with the same handlers."""
    routes = [route for route in ROUTES if route.method not in ("GET", "HEAD")]
    under = "servicePrincipals/{sp}/"
    by_name = {f"{one.method} {one.path}": one.handler for one in routes}
    twins = {name for name in by_name if " applications/{app}/" in name}
    for name in twins:
        assert by_name[name] is by_name[name.replace("applications/{app}/", under)]
    assert sorted(set(by_name) - twins) == sorted((*acts(), *CHANGES_NOTHING, *ELSEWHERE))


def test_each_act_leaves_a_record(house: Served, sync: str, job: str) -> None:
    stage = Stage(house, sync, job)
    for name, act in acts().items():
        before = _records(house)
        reply = act(stage, house)
        assert reply.status < 300, (name, reply.status, reply.body)
        fresh = [one for one in _records(house) if one not in before]
        assert fresh, f"{name} left no record"
    told = house.get("/v1.0/auditLogs/directoryAudits?$top=50").body.decode()
    assert "nobody-may-see" not in told


def test_an_upload_leaves_a_record(house: Served, sync: str) -> None:
    made = house.post(f"{sync}/jobs", {"templateId": "API2AAD"})
    assert made.status == 201, made.body
    media = {"Content-Type": "application/scim+json"}
    before = _records(house)
    at = f"{sync}/jobs/{made.json['id']}/bulkUpload"
    assert house.send("POST", at, upload(person("1")), media).status == 202
    assert [one for one in _records(house) if one not in before]


def _records(house: Served) -> set[str]:
    listed = house.get("/v1.0/auditLogs/directoryAudits?$top=50").json["value"]
    return {str(one["id"]) for one in listed}
