"""Finds routes by the paths that clients write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisor.graph.http.paths import Key, Segment, segments
from provisor.graph.http.route import Route


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    key: tuple[str, _Node] | None = None
    routes: dict[str, Route] = field(default_factory=dict[str, Route])


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads."""

    routes: Mapping[str, Route]
    """By method; empty where the path leads nowhere."""
    keys: Mapping[str, Key]
    stray: str
    """The first segment that means nothing."""


class Router:
    """Finds routes by path; as quick for many as for few."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._root = _Node()
        self.words = frozenset(
            part.lower()
            for route in routes
            for part in route.path.split("/")
            if not part.startswith("{")
        )
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for part in route.path.split("/"):
            if part.startswith("{"):
                name = part.strip("{}")
                if node.key is None:
                    node.key = name, _Node()
                assert node.key[0] == name, f"{route.path}: two names for one key"
                node = node.key[1]
            else:
                node = node.words.setdefault(part.lower(), _Node())
        assert route.method not in node.routes, f"{route.method} {route.path} is there twice"
        node.routes[route.method] = route

    def find(self, path: str) -> Found:
        """Return what a path, percent-encoded as it came, leads to."""
        node, keys = self._root, dict[str, Key]()
        for segment in segments(path, self.words):
            following = self._step(node, segment, keys)
            if following is None:
                return Found({}, {}, segment.value if isinstance(segment, Key) else segment)
            node = following
        return Found(node.routes, keys, "")

    @staticmethod
    def _step(node: _Node, segment: Segment, keys: dict[str, Key]) -> _Node | None:
        if isinstance(segment, str) and segment.lower() in node.words:
            return node.words[segment.lower()]
        if node.key is None:
            return None
        name, following = node.key
        keys[name] = segment if isinstance(segment, Key) else Key(segment)
        return following
