"""A receiver of webhooks in this process, which checks what it gets as its owner should."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    secret: str
    url: str = ""
    status: int = 200
    location: str = ""
    """Where it sends callers on to."""
    got: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refused: int = 0

    def receive(self, body: bytes, headers: Any) -> int:
        """Take what is signed with our secret, and nothing else."""
        signed = f"{headers['Provisor-Timestamp']}.{headers['Provisor-Id']}.".encode() + body
        mine = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(headers["Provisor-Signature"], f"v1={mine}"):
            self.refused += 1
            return 401
        if self.status == 200:
            said = json.loads(body)
            assert said["id"] == headers["Provisor-Id"]
            self.got.append({**said, "timestamp": int(headers["Provisor-Timestamp"])})
        return self.status


@contextmanager
def hook(secret: str) -> Generator[Hook]:
    receiver = Hook(secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.receive(body, self.headers))
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
