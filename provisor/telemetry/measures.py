"""Counting, and putting together what several processes have counted."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from provisor.telemetry.catalog import BY_NAME, METRICS, SECONDS, Kind, Metric

Labels: TypeAlias = tuple[str, ...]
"""The values of a metric's labels, in its order."""
Value: TypeAlias = tuple[float, ...]
"""One number; of a histogram how many fell in each bucket (the last has no end), and their sum."""
Samples: TypeAlias = dict[tuple[str, Labels], Value]


class Malformed(ValueError):
    """A line is not what `to_line` writes."""


@dataclass(slots=True)
class Meter:
    """What one process has counted since it began."""

    samples: Samples = field(default_factory=dict[tuple[str, Labels], Value])

    def add(self, metric: Metric, *labels: str, amount: float = 1.0) -> None:
        key = (metric.name, labels)
        self.samples[key] = (self.samples.get(key, (0.0,))[0] + amount,)

    def set(self, metric: Metric, *labels: str, value: float) -> None:
        self.samples[metric.name, labels] = (value,)

    def observe(self, metric: Metric, *labels: str, seconds: float) -> None:
        key = (metric.name, labels)
        counts = list(self.samples.get(key, (0.0,) * (len(SECONDS) + 2)))
        counts[bisect_left(SECONDS, seconds)] += 1
        counts[-1] += seconds
        self.samples[key] = tuple(counts)


@dataclass(slots=True)
class Gathered:
    """What another process says of itself, and those said that were there before it.

    What was counted does not shrink when that process dies and another takes its place.
    """

    ended: Samples = field(default_factory=dict[tuple[str, Labels], Value])
    latest: Samples = field(default_factory=dict[tuple[str, Labels], Value])

    def hear(self, line: bytes) -> None:
        """Take note of what it has counted until now. Raises Malformed."""
        self.latest = from_line(line)

    def begin(self) -> None:
        """Another process takes the place of the one before."""
        counted = {key: v for key, v in self.latest.items() if not _is_gauge(key[0])}
        self.ended, self.latest = joined(self.ended, counted), {}

    @property
    def samples(self) -> Samples:
        return joined(self.ended, self.latest)


def joined(*all: Mapping[tuple[str, Labels], Value]) -> Samples:
    """Return what several have counted together; of a gauge the last one is right."""
    made: Samples = {}
    for samples in all:
        for key, value in samples.items():
            before = made.get(key)
            if before is not None and not _is_gauge(key[0]):
                value = tuple(a + b for a, b in zip(before, value, strict=True))
            made[key] = value
    return made


def _is_gauge(name: str) -> bool:
    return BY_NAME[name].kind is Kind.GAUGE


# from process to process: a line each


def to_line(samples: Mapping[tuple[str, Labels], Value]) -> bytes:
    rows = [[name, labels, value] for (name, labels), value in samples.items()]
    return json.dumps(rows, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Samples:
    """Return what a line holds. Raises Malformed."""
    try:
        return {(name, labels): value for name, labels, value in _rows(json.loads(line))}
    except (ValueError, TypeError, KeyError, RecursionError) as failure:
        raise Malformed("this is no line of measures") from failure


def _rows(rows: object) -> Iterator[tuple[str, Labels, Value]]:
    for name, labels, value in cast(list[tuple[object, list[object], list[float]]], rows):
        metric = BY_NAME[str(name)]
        size = len(SECONDS) + 2 if metric.kind is Kind.HISTOGRAM else 1
        if len(labels) != len(metric.labels) or len(value) != size:
            raise ValueError(name)
        yield metric.name, tuple(map(str, labels)), tuple(map(float, value))


# as it is collected (text format 0.0.4, which every Prometheus reads)

MEDIA = "text/plain; version=0.0.4; charset=utf-8"


def exposed(samples: Mapping[tuple[str, Labels], Value]) -> str:
    """Return measures as they are collected, in the order of the catalog."""
    found: dict[str, list[tuple[Labels, Value]]] = {}
    for (name, labels), value in samples.items():
        found.setdefault(name, []).append((labels, value))
    lines: list[str] = []
    for metric in METRICS:
        if metric.name in found:
            lines.append(f"# HELP {metric.name} {_escaped(metric.help)}")
            lines.append(f"# TYPE {metric.name} {metric.kind.value}")
            for labels, value in sorted(found[metric.name]):
                lines.extend(_lines(metric, labels, value))
    return "\n".join([*lines, ""])


def _lines(metric: Metric, labels: Labels, value: Value) -> Iterable[str]:
    pairs = list(zip(metric.labels, labels, strict=True))
    if metric.kind is not Kind.HISTOGRAM:
        yield f"{metric.name}{_braced(pairs)} {_number(value[0])}"
        return
    below = 0.0
    for end, count in zip((*map(_number, SECONDS), "+Inf"), value[:-1], strict=True):
        below += count
        yield f"{metric.name}_bucket{_braced([*pairs, ('le', end)])} {_number(below)}"
    yield f"{metric.name}_sum{_braced(pairs)} {_number(value[-1])}"
    yield f"{metric.name}_count{_braced(pairs)} {_number(below)}"


def _braced(pairs: Iterable[tuple[str, str]]) -> str:
    inner = ",".join(f'{name}="{_quoted(value)}"' for name, value in pairs)
    return f"{{{inner}}}" if inner else ""


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
