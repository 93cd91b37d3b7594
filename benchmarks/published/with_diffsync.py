# pyright: basic, reportMissingImports=false
"""diffsync (Network to Code): what a Python team would otherwise build on.

`python -m benchmarks.published.with_diffsync FOLDER BASE`: a first cycle, timed. The adapters are
the obvious ones: the target is listed in pages of a hundred, and each change is a request.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import httpx
import structlog
from diffsync import Adapter, DiffSyncModel

from benchmarks.published.people import people
from benchmarks.told import telling

PAGE = 100
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"


class User(DiffSyncModel):
    _modelname = "user"
    _identifiers = ("external_id",)
    _attributes = ("user_name", "given", "family", "mail", "active")

    external_id: str
    user_name: str
    given: str
    family: str
    mail: str
    active: bool

    @classmethod
    def create(cls, adapter: Any, ids: Any, attrs: Any) -> Any:
        said = {
            "schemas": [CORE],
            "externalId": ids["external_id"],
            "userName": attrs["user_name"],
            "active": attrs["active"],
            "name": {"givenName": attrs["given"], "familyName": attrs["family"]},
            "emails": [{"value": attrs["mail"], "type": "work", "primary": True}],
        }
        adapter.client.post("Users", json=said).raise_for_status()
        return super().create(adapter=adapter, ids=ids, attrs=attrs)


class Directory(Adapter):
    user = User
    top_level = ("user",)
    client: httpx.Client


def source(folder: Path) -> Directory:
    read = Directory()
    for one in people(folder):
        told = {"user_name": one.user_name, "given": one.given, "family": one.family}
        read.add(User(external_id=one.id, mail=one.mail, active=one.is_active, **told))
    return read


def target(client: httpx.Client) -> Directory:
    listed, seen, total = Directory(), 0, 1
    listed.client = client
    while seen < total:
        page = client.get("Users", params={"startIndex": seen + 1, "count": PAGE}).json()
        for one in page["Resources"]:
            told = {"given": one["name"]["givenName"], "family": one["name"]["familyName"]}
            listed.add(
                User(
                    external_id=one["externalId"],
                    user_name=one["userName"],
                    mail=one["emails"][0]["value"],
                    active=one["active"],
                    **told,
                )
            )
        seen, total = seen + len(page["Resources"]), page["totalResults"]
    return listed


def main(folder: str, base: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with telling() as said, httpx.Client(base_url=base) as client:
        read = source(Path(folder))
        read.sync_to(target(client))
        said["users"] = read.count("user")


if __name__ == "__main__":
    main(*sys.argv[1:])
