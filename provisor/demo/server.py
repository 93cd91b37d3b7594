"""The demonstration's target: scim2-server, which is not ours, behind waitress, on loopback.

`python -m provisor.demo.server [PORT FILE]` says on which port it listens, tells on request what it
holds, and ends when its standard input closes. With a file it keeps there what it holds, so that
it goes on where it was when it is started again.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import waitress.server
from scim2_models import Resource, ScimProvider
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
KEEP_EVERY_S = 1.0


class Counting:
    """Counts the requests that ask for a change."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self.writes = 0
        self.has_news = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_search = "/.search" in environ["PATH_INFO"]
        is_write = environ["REQUEST_METHOD"] in WRITES and not is_search
        if is_write:
            with self._lock:
                self.writes += 1
        answer = self._application(environ, start_response)
        if is_write:
            self.has_news.set()
        return answer


class Kept:
    """What the server holds, in a file."""

    def __init__(self, file: Path, storage: InMemoryStorage, provider: ScimProvider) -> None:
        self._file, self._storage, self._provider = file, storage, provider

    def load(self) -> None:
        if not self._file.exists():
            return
        held: list[dict[str, Any]] = json.loads(self._file.read_bytes())
        types = {one.name: one for one in self._provider.resource_types}
        resources: list[Resource[Any]] = []
        for one in held:
            model: Any = self._provider.model_for(types[one["meta"]["resourceType"]])
            resources.append(model.model_validate(one))
        self._storage.resources = resources

    def save(self) -> None:
        with self._storage.lock:
            held = [resource.model_dump() for resource in self._storage.resources]
        unfinished = self._file.with_name(f".{self._file.name}.unfinished")
        unfinished.write_text(json.dumps(held, default=str), encoding="utf-8")
        unfinished.replace(self._file)

    def follow(self, news: threading.Event) -> None:
        """Save what is written, at most so often."""
        while True:
            news.wait()
            news.clear()
            self.save()
            time.sleep(KEEP_EVERY_S)


def main(port: int = 0, file: Path | None = None) -> None:
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
    kept = Kept(file, storage, provider) if file is not None else None
    if kept is not None:
        kept.load()
        threading.Thread(target=kept.follow, args=(application.has_news,), daemon=True).start()
    server: Any = waitress.server.create_server(
        cast(Any, application), host=HOST, port=port, threads=8, backlog=BACKLOG, ident=""
    )
    threading.Thread(target=server.run, daemon=True).start()
    _answer({"port": int(server.effective_port)})
    for _ in sys.stdin:
        with storage.lock:
            held = [resource.model_dump() for resource in storage.resources]
        _answer({"writes": application.writes, "resources": held})
    if kept is not None:
        kept.save()


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value, default=str) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2])) if sys.argv[1:] else main()
