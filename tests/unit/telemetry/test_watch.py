"""Who watches stands in nobody's way: what is watched takes what the port takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from provisor.ports import Journal, Source, Target
from provisor.telemetry import watch

PAIRS = (("_Source", Source), ("_Target", Target), ("_Journal", Journal))


def watched() -> Iterator[tuple[str, Callable[..., object], Callable[..., object]]]:
    for name, port in PAIRS:
        methods = cast(dict[str, Any], vars(getattr(watch, name)))
        for method, own in methods.items():
            if callable(own) and not method.startswith("_"):
                yield f"{name}.{method}", own, getattr(port, method)


@pytest.mark.parametrize(("name", "own", "of_port"), list(watched()))
def test_what_is_watched_takes_what_the_port_takes(
    name: str, own: Callable[..., object], of_port: Callable[..., object]
) -> None:
    takes, wanted = (inspect.signature(one).parameters for one in (own, of_port))
    takes_more = any(p.kind is p.VAR_KEYWORD for p in takes.values())
    for parameter in wanted.values():
        is_more = parameter.kind is parameter.KEYWORD_ONLY and takes_more
        assert is_more or takes[parameter.name].kind is parameter.kind, f"{name}: {parameter}"
    positional = [p.name for p in wanted.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [name for name in takes if name in positional] == positional
