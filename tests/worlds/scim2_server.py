"""The process behind `scim2.Scim2`: scim2-server, which is not ours, behind waitress.

Its own command closes every connection and listens with a backlog of five: under parallel load one
request in fifty waits a second. waitress keeps connections alive and queues.

`python -m tests.worlds.scim2_server --variant nopatch --port 8101` runs one by hand.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import waitress.server
from scim2_models import ScimProvider, ServiceProviderConfig
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME, BearerTokenApplication
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

from tests.worlds.faults import Fault, Misbehaving

HOST = "127.0.0.1"
TOKEN = "world-token"
BACKLOG = 512

# What a variant announces, and therefore does, otherwise than the full server.
VARIANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "full": {},
    "nopatch": {"patch": {"supported": False}},
    "nofilter": {"filter": {"supported": False}},
    "noetag": {"etag": {"supported": False}},
    "nobulk": {"bulk": {"supported": False}},
    "max50": {"filter": {"maxResults": 50}},
    "cursor": {
        "pagination": {
            "cursor": True,
            "index": False,
            "defaultPaginationMethod": "cursor",
            "defaultPageSize": 50,
            "maxPageSize": 100,
            "cursorTimeout": 3600,
        }
    },
}


def capabilities(variant: str) -> ServiceProviderConfig:
    """Return what a variant announces at /ServiceProviderConfig."""
    config = load_default_service_provider_config().model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    for feature, changed in VARIANTS[variant].items():
        config[feature] = {**config.get(feature, {}), **changed}
    announced = ServiceProviderConfig.model_validate(config)
    announced.authentication_schemes = [
        *(announced.authentication_schemes or []),
        BEARER_TOKEN_SCHEME,
    ]
    return announced


class World:
    """The server's state and its listening socket, which can be closed and opened again."""

    def __init__(self, variant: str, port: int, access_log: Path | None) -> None:
        provider = ScimProvider.from_discovery(
            load_default_schemas().values(),
            load_default_resource_types().values(),
            config=capabilities(variant),
        )
        self.storage = InMemoryStorage()
        self.application = Misbehaving(
            BearerTokenApplication(
                self.storage,
                provider,
                service=ScimService(provider, secret="a secret for cursors"),
                bearer_tokens=[TOKEN],
            ),
            access_log,
        )
        self.port = port
        self.switch_on()

    def switch_on(self) -> None:
        """Listen; on the same port as before."""
        self._sockets: dict[int, Any] = {}
        self._server: Any = waitress.server.create_server(
            self.application,
            map=cast(Any, self._sockets),
            host=HOST,
            port=self.port,
            threads=8,
            backlog=BACKLOG,
            ident="",
        )
        self.port = int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()

    def switch_off(self) -> None:
        """Close every connection and refuse new ones; what is stored stays."""

        def close_all() -> None:
            for channel in list(self._sockets.values()):
                channel.close()

        self._server.trigger.pull_trigger(close_all)
        self._thread.join()
        self._server.task_dispatcher.shutdown()

    def reset(self) -> None:
        """Be as on the first day."""
        with self.storage.lock:
            self.storage.resources = []
        self.application.misbehave([])

    def resources(self) -> list[object]:
        """Return all that is stored, as SCIM resources."""
        with self.storage.lock:
            return [resource.model_dump() for resource in self.storage.resources]

    def obey(self, command: Mapping[str, Any]) -> dict[str, object]:
        """Carry out one command from standard input."""
        match command["do"]:
            case "reset":
                self.reset()
            case "misbehave":
                self.application.misbehave(Fault(**fault) for fault in command["faults"])
            case "switch_off":
                self.switch_off()
            case "switch_on":
                self.switch_on()
            case "resources":
                return {"resources": self.resources()}
            case unknown:
                raise ValueError(unknown)
        return {}


def main() -> None:
    """Serve until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=sorted(VARIANTS), default="full")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--access-log", type=Path)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    world = World(chosen.variant, chosen.port, chosen.access_log)
    print(json.dumps({"port": world.port}), flush=True)
    for line in sys.stdin:
        print(json.dumps(world.obey(json.loads(line)), default=str), flush=True)


if __name__ == "__main__":
    main()
