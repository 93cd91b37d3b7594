"""What the API describes of itself, asked of a server that runs: whatever is sent, there is no
server error, and every answer is of the status, kind and form that the description promises.

`python -m tests.fuzz.api` goes on until the time is over.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup

from tests.api.served import TARGET_TOKEN, Served, serving, target, workspace

# Much is understood beyond the usual form in which it is described (spec: graph-api 1.4), and a
# body of the right form may name a template that there is not: whether a body is taken is no check.
CHECKS: Any = [
    cast(Any, checks).not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
JOB, TEMPLATE, POSTED = "scim", "fuzzed", "customappsso"
ENDLESS = "/events"
"""An event stream has no end that one could wait for."""


@dataclass(slots=True)
class Ground:
    """A server, and objects on it that requests can be about."""

    house: Served
    keys: dict[str, str] = field(default_factory=dict[str, str])
    answered: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    """How often each operation answered with each status."""
    is_touched: bool = True
    """Whether something may be gone since things were prepared."""

    def prepare(self) -> None:
        """Have everything there that requests may name, whatever the last one took away."""
        house = self.house
        if "sp" not in self.keys:
            self.keys["sp"] = house.principal("Fuzzed")
            found = house.get(f"/v1.0/servicePrincipals/{self.keys['sp']}").json
            asked = f"/v1.0/applications?$filter=appId%20eq%20'{found['appId']}'"
            self.keys["app"] = str(house.get(asked).json["value"][0]["id"])
        sync = f"/v1.0/servicePrincipals/{self.keys['sp']}/synchronization"
        pairs = [
            {"key": "BaseAddress", "value": house.target_url},
            {"key": "SecretToken", "value": TARGET_TOKEN},
        ]
        house.put(f"{sync}/secrets", {"value": pairs})
        house.post(f"{sync}/jobs", {"templateId": JOB})
        posted = {"id": TEMPLATE, "applicationId": self.keys["app"], "factoryTag": POSTED}
        house.post(f"{sync}/templates", posted)
        jobs = house.get(f"{sync}/jobs").json["value"]
        job = next(str(one["id"]) for one in jobs if one["templateId"] == JOB)
        schema = house.get(f"{sync}/jobs/{job}/schema").json
        if len(schema["directories"]) < 2 or not schema["synchronizationRules"]:
            house.delete(f"{sync}/jobs/{job}/schema")
            schema = house.get(f"{sync}/jobs/{job}/schema").json
        self.keys |= {"job": job, "tpl": TEMPLATE, "dir": str(schema["directories"][0]["id"])}


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was not as it was described."""

    operation: str
    account: str


def operations(
    document: Mapping[str, Any], keys: Mapping[str, str], prefixes: tuple[str, ...]
) -> Iterable[Any]:
    """Return what can be asked for, about objects that there are, and about some that are not."""
    paths = cast(dict[str, dict[str, Any]], document["paths"])
    described: dict[str, Any] = {
        **document,
        "paths": {
            path: {method: _about(one, keys) for method, one in each.items()}
            for path, each in paths.items()
            if path.startswith(prefixes) and not path.endswith(ENDLESS)
        },
    }
    schema = cast(Any, schemathesis.openapi).from_dict(described)
    for result in schema.get_all_operations():
        yield result.ok()


def _about(operation: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    parameters = [
        {**one, "schema": {"enum": [keys[one["name"]], "nobody"]}}
        if one["in"] == "path" and one["name"] in keys
        else one
        for one in operation["parameters"]
    ]
    return {**operation, "parameters": parameters}


def ask(ground: Ground, operation: Any, examples: int, number: int) -> Found | None:
    """Ask for one thing in many ways; return what was not as described, if anything."""
    headers = {"Authorization": f"Bearer {ground.house.token}"}
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=tuple(cast(Iterable[HealthCheck], HealthCheck)),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def asked(case: Any) -> None:
            answer = case.call(base_url=ground.house.url, headers=headers)
            ground.answered[operation.label, answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        if ground.is_touched:
            ground.prepare()
        ground.is_touched = operation.method.upper() != "GET"
        try:
            cast(Callable[[], None], asked)()
        except FailureGroup as group:
            return Found(operation.label, "\n".join(str(one) for one in group.exceptions))
        except Unsatisfiable:
            continue  # there is no wrong way to ask for this
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.api")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--examples", type=int, default=10)
    parser.add_argument("--only", default="", help="operations with this in their names")
    arguments = parser.parse_args()
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory() as folder, target() as scim:
        token = workspace(Path(folder), scim)
        with serving(Path(folder), scim, token) as house:
            ground = Ground(house)
            _until(time.monotonic() + arguments.seconds, ground, arguments, found)
    done = len({label for label, status in ground.answered if status < 400})
    asked = len({label for label, _ in ground.answered})
    sys.stdout.write(
        f"seed {arguments.seed}: {ground.answered.total()} requests to {asked} operations, "
        f"{done} of which were carried out at least once; {len(found)} operations amiss\n"
    )
    return 1 if found else 0


def _until(
    end: float, ground: Ground, arguments: argparse.Namespace, found: dict[str, Found]
) -> None:
    document, round = ground.house.get("/openapi.json").json, 0
    ground.prepare()
    while time.monotonic() < end:
        prefixes = ("/v1.0", "/provisor") if round % 2 == 0 else ("/beta", "/provisor")
        for operation in operations(document, ground.keys, prefixes):
            if time.monotonic() > end:
                return
            if arguments.only not in operation.label or operation.label in found:
                continue
            one = ask(ground, operation, arguments.examples, arguments.seed + round)
            if one is not None:
                found[one.operation] = one
                sys.stdout.write(f"\n=== {one.operation}\n{one.account}\n")
                sys.stdout.flush()
        round += 1


if __name__ == "__main__":
    sys.exit(main())
