"""A wire that can be cut: stands between a client and a server, and breaks where it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

CHUNK = 65_536


class Wire:
    """Forwards bytes both ways on a port of its own, for any number of connections."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._answer_bytes_left: int | None = None
        self._swallows = b""
        self._refuses = b""
        self._is_silent = False
        self.cuts = 0
        self.requests = 0
        """Portions that came from clients, each one request or several that were sent at once."""
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    @contextmanager
    def to(cls, port: int) -> Generator[Wire]:
        wire = cls(port)
        try:
            yield wire
        finally:
            wire.close()

    # what may happen to it

    def heal(self) -> None:
        with self._lock:
            self._answer_bytes_left, self._swallows, self._refuses = None, b"", b""
            self._is_silent = False

    def cut_after(self, count: int) -> None:
        """Break all connections once so many bytes of answers have passed from now on."""
        with self._lock:
            self._answer_bytes_left = count

    def swallow_answer_to(self, request: bytes) -> None:
        """Let the next such request through, and break the connection before its answer."""
        with self._lock:
            self._swallows = request

    def cut_before(self, request: bytes) -> None:
        """Break the connection instead of letting the next such request through."""
        with self._lock:
            self._refuses = request

    def fall_silent(self) -> None:
        """Take everything, and pass nothing on any more."""
        with self._lock:
            self._is_silent = True

    def break_all(self) -> None:
        """Break all connections that there are; what was on its way is lost."""
        with self._lock:
            broken, self._sockets = self._sockets, []
        for one in broken:
            _close(one)

    def lead_to(self, port: int) -> None:
        """Lead to another server from now on."""
        self._server_port = port
        self.break_all()

    def close(self) -> None:
        for one in (self._listener, *self._sockets):
            _close(one)

    # forwarding

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                client.close()
                continue
            self._sockets += [client, server]
            pair = _Pair(self, client, server)
            threading.Thread(target=pair.requests, daemon=True).start()
            threading.Thread(target=pair.answers, daemon=True).start()

    def passes_request(self, content: bytes) -> tuple[bool, bool]:
        """Return whether a request goes through, and whether its answer does."""
        with self._lock:
            self.requests += 1
            if self._refuses and self._refuses in content:
                self._refuses = b""
                self.cuts += 1
                return False, False
            if self._swallows and self._swallows in content:
                self._swallows = b""
                self.cuts += 1
                return True, False
            return not self._is_silent, True

    def passes_answer(self, content: bytes) -> bytes | None:
        """Return what of an answer goes through; None where the wire is cut."""
        with self._lock:
            if self._is_silent:
                return b""
            if self._answer_bytes_left is None:
                return content
            part = content[: self._answer_bytes_left]
            self._answer_bytes_left -= len(part)
            if len(part) < len(content):
                self.cuts += 1
                return None
            return part


class _Pair:
    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self._wire, self._client, self._server = wire, client, server
        self._is_swallowing = False

    def requests(self) -> None:
        with contextlib.suppress(OSError):
            while content := self._client.recv(CHUNK):
                goes, is_answered = self._wire.passes_request(content)
                self._is_swallowing = not is_answered
                if goes:
                    self._server.sendall(content)
                elif not is_answered:
                    break
        _close(self._client)
        if not self._is_swallowing:
            _close(self._server)

    def answers(self) -> None:
        with contextlib.suppress(OSError):
            while content := self._server.recv(CHUNK):
                if self._is_swallowing:
                    break  # done by the server, and nobody hears of it
                passed = self._wire.passes_answer(content)
                if passed is None:
                    break
                self._client.sendall(passed)
        _close(self._client)
        _close(self._server)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
