"""One of Microsoft's Python clients through the whole life of a job.

    life.py PACKAGE ROOT TOKEN TARGET TARGET_TOKEN

Run by an interpreter that has it. PACKAGE is `msgraph_beta` or `msgraph`. Prints a line for each
step; ends with 0 if everything was as a client relies on.
"""

# The clients are no dependencies, so nothing is known of their types here.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
# pyright: reportOptionalMemberAccess=false, reportUnknownVariableType=false, reportCallIssue=false

from __future__ import annotations

import asyncio
import importlib
import json
import sys

import httpx
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator
from kiota_abstractions.authentication.base_bearer_token_authentication_provider import (
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph_core import APIVersion, GraphClientFactory

PACKAGE, ROOT, TOKEN, TARGET, TARGET_TOKEN = sys.argv[1:]
IS_BETA = PACKAGE == "msgraph_beta"
BASE = f"{ROOT}/{'beta' if IS_BETA else 'v1.0'}"
GALLERY = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
JOBS = "service_principals.item.synchronization.jobs"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


def generated(path: str):
    """Return a class of the client by the module that it is alone in."""
    module = importlib.import_module(f"{PACKAGE}.generated.{path}")
    name = "".join(part.capitalize() for part in path.rpartition(".")[2].split("_"))
    return getattr(module, name)


def model(name: str):
    return generated(f"models.{name}")


ODataError = model("o_data_errors.o_data_error")
Secret = model("synchronization_secret")
Pair = model("synchronization_secret_key_string_value_pair")


class Static(AccessTokenProvider):
    def __init__(self, token: str) -> None:
        self.token = token

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        return self.token

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator([])


def connected(token: str):
    """Return a client of our server, and what sends requests that it has no builder for."""
    adapters = importlib.import_module(f"{PACKAGE}.graph_request_adapter")
    http = GraphClientFactory.create_with_default_middleware(
        api_version=APIVersion.beta if IS_BETA else APIVersion.v1,
        client=httpx.AsyncClient(base_url=BASE, timeout=120),
        options=adapters.options,
    )
    provider = BaseBearerTokenAuthenticationProvider(Static(token))
    adapter = adapters.GraphRequestAdapter(provider, client=http)
    adapter.base_url = BASE  # before the client is made: that copies it
    client = importlib.import_module(PACKAGE).GraphServiceClient(request_adapter=adapter)
    return client, adapter


GRAPH, ADAPTER = connected(TOKEN)
FAILURES = {"4XX": ODataError, "5XX": ODataError}


async def raw(method: Method, url: str, body: object = None, media: str = "application/json"):
    """Send what the client has no builder for; return the bytes of the answer."""
    asked = RequestInformation()
    asked.http_method = method
    asked.url = url
    asked.headers.add("accept", "application/json")
    if body is not None:
        asked.set_stream_content(json.dumps(body).encode(), media)
    return await ADAPTER.send_primitive_async(asked, "bytes", FAILURES)


async def refused(awaitable):
    """Return the error that a request ends with, as the client shows it."""
    try:
        await awaitable
    except ODataError as failure:
        return failure
    raise AssertionError("this was not refused")


def told(step: str) -> None:
    sys.stdout.write(f"{step}\n")
    sys.stdout.flush()


def credentials():
    return [
        Pair(key=Secret.BaseAddress, value=TARGET),
        Pair(key=Secret.SecretToken, value=TARGET_TOKEN),
    ]


async def principal(name: str) -> str:
    """Make an application from the template for applications of one's own."""
    gallery = GRAPH.application_templates.by_application_template_id(GALLERY)
    assert (await gallery.get()).id == GALLERY
    body = generated("application_templates.item.instantiate.instantiate_post_request_body")
    made = await gallery.instantiate.post(body(display_name=name))
    assert made.application.app_id == made.service_principal.app_id
    by_name = "service_principals.service_principals_request_builder"
    query = generated(by_name).ServicePrincipalsRequestBuilderGetQueryParameters
    asked = query(filter=f"displayName eq '{name}'", select=["id", "appId", "displayName"])
    found = await GRAPH.service_principals.get(RequestConfiguration(query_parameters=asked))
    assert [one.id for one in found.value] == [made.service_principal.id]
    told("instantiate")
    return made.service_principal.id


async def templates(sync) -> None:
    there = await sync.templates.get()
    assert {"scim", "customappsso"} <= {one.id for one in there.value}
    one = await sync.templates.by_synchronization_template_id("customappsso").get()
    assert one.factory_tag
    assert (await sync.templates.count.get()) == len(there.value)
    told("templates")


async def created(sync):
    """Create the job before there are secrets, as many scripts do; return it and its place."""
    made = await sync.jobs.post(model("synchronization_job")(template_id="customappsso"))
    assert made.schedule.state.value == "Disabled"
    assert made.status.code.value == "NotConfigured"
    assert (await sync.jobs.count.get()) == 1
    assert [one.id for one in (await sync.jobs.get()).value] == [made.id]
    again = await refused(sync.jobs.post(model("synchronization_job")(template_id="customappsso")))
    assert again.response_status_code == 409
    bad = await refused(sync.jobs.post(model("synchronization_job")(template_id="nonsense")))
    assert bad.response_status_code == 400
    told("job created")
    return made, sync.jobs.by_synchronization_job_id(made.id)


async def secrets(sync, job, url: str) -> None:
    body = generated("service_principals.item.synchronization.secrets.secrets_put_request_body")
    check = generated(f"{JOBS}.item.validate_credentials.validate_credentials_post_request_body")
    wrong = [credentials()[0], Pair(key=Secret.SecretToken, value="wrong")]
    failure = await refused(job.validate_credentials.post(check(credentials=wrong)))
    assert failure.error.code == "SystemForCrossDomainIdentityManagementInvalidCredentials"
    await job.validate_credentials.post(check(credentials=credentials()))
    await sync.secrets.put(body(value=credentials()))
    await job.validate_credentials.post(check(use_saved_credentials=True))
    held = json.loads(await raw(Method.GET, f"{url}/secrets"))["value"]
    assert held == [
        {"key": "BaseAddress", "value": TARGET},
        {"key": "SecretToken", "value": "*"},
    ]
    assert (await job.get()).status.code.value == "Paused"
    told("secrets")


async def schema(job, url: str) -> dict[str, str]:
    """Return the ids of the rules by the kind of object that they are for."""
    place = f"{url}/schema"
    document = json.loads(await raw(Method.GET, place))
    content = {name: value for name, value in document.items() if "@" not in name}
    await raw(Method.PUT, place, content)
    assert json.loads(await raw(Method.GET, place)) == document
    broken = json.loads(json.dumps(content))
    broken["synchronizationRules"][0]["sourceDirectoryName"] = "nowhere"
    assert (await refused(raw(Method.PUT, place, broken))).response_status_code == 400

    parsed = await job.schema.get()
    assert parsed.directories
    await job.schema.patch(parsed)  # drops what it cannot write, which is kept here
    after = json.loads(await raw(Method.GET, place))
    assert after["synchronizationRules"] == document["synchronizationRules"]
    operators, functions = await job.schema.filter_operators.get(), await job.schema.functions.get()
    assert operators.value
    assert functions.value

    body = generated(f"{JOBS}.item.schema.parse_expression.parse_expression_post_request_body")
    pair, given = model("string_key_object_value_pair"), model("expression_input_object")
    language = pair(key="preferredLanguage", additional_data={"value": "EN-US"})
    asked = body(
        expression='Replace([preferredLanguage], "-", , , "_", ,  )',
        test_input_object=given(properties=[language]),
    )
    answer = await job.schema.parse_expression.post(asked)
    assert answer.evaluation_result == ["EN_US"]
    answer = await job.schema.parse_expression.post(body(expression="Replace([givenName], "))
    assert answer.parsing_succeeded is False
    assert answer.error.message
    directory = parsed.directories[-1]
    found = await job.schema.directories.by_directory_definition_id(directory.id).discover.post()
    assert found.objects
    told("schema")
    return {
        mapping.source_object_name: rule.id
        for rule in parsed.synchronization_rules
        for mapping in rule.object_mappings
    }


async def steady(job, before=None):
    """Poll until a cycle after `before` has ended in steady state, as scripts do."""
    query = generated(
        f"{JOBS}.item.synchronization_job_item_request_builder"
    ).SynchronizationJobItemRequestBuilderGetQueryParameters
    asked = RequestConfiguration(query_parameters=query(select=["id", "status"]))
    for _ in range(1_000):
        status = (await job.get(asked)).status
        reached = status.steady_state_last_achieved_time
        if reached.year > 1 and (before is None or reached > before):
            return status
        await asyncio.sleep(0.05)
    raise AssertionError("the job never was in steady state")


async def cycles(job) -> None:
    await job.start.post()
    assert (await job.get()).schedule.state.value == "Active"
    status = await steady(job)
    assert status.code.value == "Active"
    assert status.last_execution.state.value == "Succeeded", status.last_execution.error
    counts = {one.key: one.value for one in status.synchronized_entry_count_by_type}
    assert counts == {"Group to Group": 1, "User to User": 2}
    await job.pause.post()
    paused = await job.get()
    assert (paused.status.code.value, paused.schedule.state.value) == ("Paused", "Disabled")

    restart = generated(f"{JOBS}.item.restart.restart_post_request_body")
    criteria = model("synchronization_job_restart_criteria")
    scopes = (
        criteria(),
        criteria(reset_scope=model("synchronization_job_restart_scope").Watermark),
        criteria(additional_data={"resetScope": "Watermark, Escrows, QuarantineState"}),
    )
    for one in scopes:
        before = (await job.get()).status.steady_state_last_achieved_time
        await job.restart.post(restart(criteria=one))
        status = await steady(job, before)
        assert status.last_execution.count_exported == 0
    nonsense = restart(criteria=criteria(additional_data={"resetScope": "Everything"}))
    assert (await refused(job.restart.post(nonsense))).response_status_code == 400
    told("cycles")


async def on_demand(job, rules: dict[str, str]) -> None:
    body = generated(f"{JOBS}.item.provision_on_demand.provision_on_demand_post_request_body")
    parameters = model("synchronization_job_application_parameters")
    subject, links = model("synchronization_job_subject"), model("synchronization_linked_objects")
    ada = subject(object_id="ada", object_type_name="User")
    group = subject(object_id="g7", object_type_name="Group", links=links(members=[ada]))
    for one in (ada, group):
        rule = rules[one.object_type_name]
        asked = body(parameters=[parameters(rule_id=rule, subjects=[one])])
        answer = await job.provision_on_demand.post(asked)
        assert json.loads(answer.key)["result"] in ("Success", "Skipped"), answer.key
        assert isinstance(json.loads(answer.value), dict)
    unknown = body(parameters=[parameters(rule_id="nonsense", subjects=[ada])])
    failure = await refused(job.provision_on_demand.post(unknown))
    assert failure.error.code == "RequestParameterInvalid"
    told("on demand")


async def connections(url: str) -> None:
    """The clients have no builders for these yet."""
    held = json.loads(await raw(Method.GET, f"{url}/objectConnections('ada')"))
    assert held["sourceAnchor"] == "ada"
    by_target = json.loads(await raw(Method.GET, f"{url}/objectConnections/{held['targetAnchor']}"))
    assert by_target["objectTypeName"] == held["objectTypeName"]
    missing = await refused(raw(Method.GET, f"{url}/objectConnections/nobody"))
    assert missing.response_status_code == 404
    told("object connections")


async def logs(id: str) -> None:
    module = "audit_logs.provisioning.provisioning_request_builder"
    query = generated(module).ProvisioningRequestBuilderGetQueryParameters
    provisioning = GRAPH.audit_logs.provisioning
    asked = query(filter=f"jobId eq '{id}'", orderby=["activityDateTime desc"], top=2)
    page = await provisioning.get(RequestConfiguration(query_parameters=asked))
    seen = list(page.value)
    while page.odata_next_link:
        page = await provisioning.with_url(page.odata_next_link).get()
        seen += page.value
    assert len(seen) > 2
    assert len({one.id for one in seen}) == len(seen)
    times = [one.activity_date_time for one in seen]
    assert times == sorted(times, reverse=True)
    made = query(filter=f"jobId eq '{id}' and provisioningAction eq 'create'")
    creates = await provisioning.get(RequestConfiguration(query_parameters=made))
    assert {one.source_identity.display_name for one in creates.value} >= {"Ada Example"}
    assert all(one.provisioning_steps for one in creates.value)
    told("logs")


async def uploaded() -> None:
    """What is uploaded is a source of its own. The clients have no builder for it."""
    id = await principal(f"Uploaded by {PACKAGE}")
    sync = GRAPH.service_principals.by_service_principal_id(id).synchronization
    body = generated("service_principals.item.synchronization.secrets.secrets_put_request_body")
    await sync.secrets.put(body(value=credentials()))
    made = await sync.jobs.post(model("synchronization_job")(template_id="API2SCIM"))
    job = sync.jobs.by_synchronization_job_id(made.id)
    user = {
        "schemas": [CORE],
        "externalId": f"u-{PACKAGE}",
        "userName": f"{PACKAGE}@example.com",
        "displayName": "Up Loaded",
        "name": {"givenName": "Up", "familyName": "Loaded"},
        "active": True,
    }
    operation = {"method": "POST", "bulkId": "one", "path": "/Users", "data": user}
    request = {"schemas": [BULK], "Operations": [operation], "failOnErrors": None}
    place = f"{BASE}/servicePrincipals/{id}/synchronization/jobs/{made.id}/bulkUpload"
    await raw(Method.POST, place, request, "application/scim+json")
    await job.start.post()
    status = await steady(job)
    assert status.last_execution.count_exported == 1
    told("upload")


async def gone(job) -> None:
    await job.delete()
    error = await refused(job.get())
    assert error.response_status_code == 404
    assert error.error.code == "ResourceNotFound"
    assert error.error.inner_error.request_id
    assert error.error.inner_error.date
    other, _ = connected("not-a-token")
    denied = await refused(other.service_principals.get())
    assert denied.error.code == "InvalidAuthenticationToken"
    told("deleted")


async def main() -> None:
    id = await principal(f"Driven by {PACKAGE}")
    sync = GRAPH.service_principals.by_service_principal_id(id).synchronization
    url = f"{BASE}/servicePrincipals/{id}/synchronization"
    await templates(sync)
    made, job = await created(sync)
    place = f"{url}/jobs/{made.id}"
    await secrets(sync, job, url)
    rules = await schema(job, place)
    await cycles(job)
    await on_demand(job, rules)
    await connections(place)
    await logs(made.id)
    await uploaded()
    await gone(job)


if __name__ == "__main__":
    asyncio.run(main())
