"""The official Python client through the whole life of a job; run by an interpreter that has it.

Arguments: root of the server, token, service principal, tenant URL and token of the target.
Ends with 0 if everything was as a client relies on.
"""

# The client is no dependency, so nothing is known of its types here.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
# pyright: reportOptionalMemberAccess=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import json
import sys

import httpx
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator
from kiota_abstractions.authentication.base_bearer_token_authentication_provider import (
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph_beta import GraphServiceClient
from msgraph_beta.generated.audit_logs.provisioning.provisioning_request_builder import (
    ProvisioningRequestBuilder,
)
from msgraph_beta.generated.models.o_data_errors.o_data_error import ODataError
from msgraph_beta.generated.models.synchronization_job import SynchronizationJob
from msgraph_beta.generated.models.synchronization_job_restart_criteria import (
    SynchronizationJobRestartCriteria,
)
from msgraph_beta.generated.models.synchronization_secret import SynchronizationSecret
from msgraph_beta.generated.models.synchronization_secret_key_string_value_pair import (
    SynchronizationSecretKeyStringValuePair,
)
from msgraph_beta.generated.service_principals.item.synchronization.jobs.item.restart import (
    restart_post_request_body,
)
from msgraph_beta.generated.service_principals.item.synchronization.secrets import (
    secrets_put_request_body,
)
from msgraph_beta.graph_request_adapter import GraphRequestAdapter, options
from msgraph_core import APIVersion, GraphClientFactory


class Static(AccessTokenProvider):
    def __init__(self, token: str) -> None:
        self.token = token

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        return self.token

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator([])


def client(root: str, token: str) -> GraphServiceClient:
    base = f"{root}/beta"
    http = GraphClientFactory.create_with_default_middleware(
        api_version=APIVersion.beta,
        client=httpx.AsyncClient(base_url=base, timeout=120),
        options=options,
    )
    provider = BaseBearerTokenAuthenticationProvider(Static(token))
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = base
    return GraphServiceClient(request_adapter=adapter)


def pair(key: SynchronizationSecret, value: str) -> SynchronizationSecretKeyStringValuePair:
    return SynchronizationSecretKeyStringValuePair(key=key, value=value)


async def ended(job):
    """Poll until the first cycle has ended, as scripts do."""
    for _ in range(1_000):
        status = (await job.get()).status
        if status.last_execution is not None:
            return status
        await asyncio.sleep(0.1)
    raise AssertionError("no cycle has ended")


async def gone(job) -> None:
    """Read a deleted job, and see the error as the client shows it."""
    try:
        await job.get()
    except ODataError as failure:
        error = failure
    else:
        raise AssertionError("the job is there after it was deleted")
    assert error.response_status_code == 404
    assert error.error.code == "ResourceNotFound"
    assert error.error.inner_error.request_id


async def main(root: str, token: str, principal: str, address: str, secret: str) -> None:
    graph = client(root, token)
    sync = graph.service_principals.by_service_principal_id(principal).synchronization
    body = secrets_put_request_body.SecretsPutRequestBody(
        value=[
            pair(SynchronizationSecret.BaseAddress, address),
            pair(SynchronizationSecret.SecretToken, secret),
        ]
    )
    await sync.secrets.put(body)

    templates = await sync.templates.get()
    assert {"scim", "customappsso"} <= {one.id for one in templates.value}
    made = await sync.jobs.post(SynchronizationJob(template_id="customappsso"))
    assert made.schedule.state.value == "Disabled"
    assert made.status.code.value == "Paused"
    job = sync.jobs.by_synchronization_job_id(made.id)
    assert (await sync.jobs.count.get()) == 1

    schema = await job.schema.get()
    assert schema.directories
    assert schema.synchronization_rules[0].object_mappings[0].attribute_mappings
    await job.schema.patch(schema)
    after = await job.schema.get()
    assert len(after.synchronization_rules) == len(schema.synchronization_rules)
    assert (await job.schema.filter_operators.get()).value
    assert (await job.schema.functions.get()).value

    await job.start.post()
    status = await ended(job)
    assert status.last_execution.state.value == "Succeeded", status.last_execution.error
    assert status.synchronized_entry_count_by_type
    criteria = SynchronizationJobRestartCriteria(
        additional_data={"resetScope": "Watermark, Escrows"}
    )
    await job.restart.post(restart_post_request_body.RestartPostRequestBody(criteria=criteria))
    await job.pause.post()
    assert (await job.get()).status.code.value == "Paused"

    query = ProvisioningRequestBuilder.ProvisioningRequestBuilderGetQueryParameters
    asked = query(filter=f"jobId eq '{made.id}'", orderby=["activityDateTime desc"], top=1)
    page = await graph.audit_logs.provisioning.get(RequestConfiguration(query_parameters=asked))
    seen = [one.id for one in page.value]
    while page.odata_next_link:
        page = await graph.audit_logs.provisioning.with_url(page.odata_next_link).get()
        seen += [one.id for one in page.value]
    assert seen
    assert len(seen) == len(set(seen))

    await job.delete()
    await gone(job)
    sys.stdout.write(json.dumps({"entries": len(seen)}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
