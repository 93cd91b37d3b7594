"""Microsoft's own Python client reads a tenant by delta query, page by page.

    graph_sdk.py BASE [LINK …]

Run by an interpreter that has it. Without links both rounds begin anew. Prints, as JSON, whom each
round told of, who was removed and why, and the links that the next rounds begin with; and whom a
plain list with managers beside names as managers.
"""

# The client is no dependency, so nothing is known of its types here.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
# pyright: reportOptionalMemberAccess=false, reportUnknownVariableType=false, reportCallIssue=false

from __future__ import annotations

import asyncio
import json
import sys

import httpx
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph_core import GraphClientFactory

BASE, *LINKS = sys.argv[1:]
SELECTED = {
    "users": "id,displayName,userPrincipalName,manager",
    "groups": "id,displayName,members",
}
http = GraphClientFactory.create_with_default_middleware(
    client=httpx.AsyncClient(base_url=BASE, timeout=60), options=options
)
adapter = GraphRequestAdapter(AnonymousAuthenticationProvider(), client=http)
adapter.base_url = BASE
GRAPH = GraphServiceClient(request_adapter=adapter)


async def round_of(kind: str, link: str) -> dict[str, object]:
    builder = getattr(GRAPH, kind).delta
    page = await builder.with_url(link).get()
    told, removed, members, pages = [], {}, {}, 1
    while True:
        for one in page.value or ():
            more = one.additional_data or {}
            told.append(one.id)
            if "@removed" in more:
                removed[one.id] = more["@removed"]["reason"]
            for member in more.get("members@delta", ()):
                members.setdefault(one.id, []).append(member["id"])
        if page.odata_delta_link:
            break
        page = await builder.with_url(page.odata_next_link).get()
        pages += 1
    return {
        "told": told,
        "removed": removed,
        "members": members,
        "pages": pages,
        "link": page.odata_delta_link,
    }


async def managers() -> dict[str, str]:
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        select=["id"], expand=["manager($select=id)"], top=3
    )
    page = await GRAPH.users.get(RequestConfiguration(query_parameters=query))
    found: dict[str, str] = {}
    while page is not None:
        found.update({one.id: one.manager.id for one in page.value if one.manager})
        following = page.odata_next_link
        page = await GRAPH.users.with_url(following).get() if following else None
    return found


async def main() -> None:
    links = LINKS or [f"{BASE}/{kind}/delta?$select={names}" for kind, names in SELECTED.items()]
    rounds = [await round_of(kind, link) for kind, link in zip(SELECTED, links, strict=True)]
    print(json.dumps({"rounds": rounds, "managers": await managers()}))


asyncio.run(main())
