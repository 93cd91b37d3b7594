"""The demonstration's target: scim2-server, which is not ours, behind waitress, on loopback.

`python -m provisor.demo.server` says on which port it listens, tells on request what it holds, and
ends when its standard input closes.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterable
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import waitress.server
from scim2_models import ScimProvider
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME, BearerTokenApplication
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

from provisor.demo.target import TOKEN

HOST = "127.0.0.1"
BACKLOG = 512
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Counting:
    """Counts the requests that ask for a change."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self.writes = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_search = "/.search" in environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] in WRITES and not is_search:
            with self._lock:
                self.writes += 1
        return self._application(environ, start_response)


def main() -> None:
    """Serve until standard input closes."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    config = load_default_service_provider_config()
    config.authentication_schemes = [*(config.authentication_schemes or []), BEARER_TOKEN_SCHEME]
    provider = ScimProvider.from_discovery(
        load_default_schemas().values(), load_default_resource_types().values(), config=config
    )
    storage = InMemoryStorage()
    application = Counting(
        BearerTokenApplication(
            storage, provider, service=ScimService(provider), bearer_tokens=[TOKEN]
        )
    )
    server: Any = waitress.server.create_server(
        cast(Any, application), host=HOST, port=0, threads=8, backlog=BACKLOG, ident=""
    )
    threading.Thread(target=server.run, daemon=True).start()
    _answer({"port": int(server.effective_port)})
    for _ in sys.stdin:
        with storage.lock:
            held = [resource.model_dump() for resource in storage.resources]
        _answer({"writes": application.writes, "resources": held})


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value, default=str) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
