"""How cycles grow with the number of people, up to a million, and a picture of it.

`python -m benchmarks growth` runs the sizes below; the largest takes some ten minutes. What a
person costs at the largest, of the processor, is put beside what one costs at the smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path

from benchmarks.rows import Row, changed, place, subject, weight
from benchmarks.world import Stub, Taken, middle, prepare, stub

SIZES = (10_000, 100_000, 1_000_000)
PICTURE = Path(__file__).parent.parent / "docs" / "growth.svg"
LARGEST = " at the largest"
LINEAR = 1.25
"""A person may cost so much more at the largest size: indices are deeper, caches colder."""
FIRST, UNCHANGED, LISTED = "first cycle", "no change", "reconcile"
COLOURS = {FIRST: "#c25b1e", LISTED: "#2f6fab", UNCHANGED: "#3a8a4a"}
WIDTH, HEIGHT, MARGIN = 720, 420, 64


@dataclass(frozen=True)
class Size:
    """What the cycles of one organisation took."""

    people: int
    taken: Mapping[str, Sequence[Taken]]

    def seconds(self, kind: str) -> float:
        return middle([one.wall_s for one in self.taken[kind]])

    def micros(self, kind: str) -> float:
        """Of the processor, for each person."""
        return middle([one.processor_s for one in self.taken[kind]]) / self.people * 1e6

    @property
    def runs(self) -> list[Taken]:
        return [one for runs in self.taken.values() for one in runs]

    @property
    def peak_mib(self) -> float:
        return max(one.peak_mib for one in self.runs)


def growth(sizes: Sequence[int] = SIZES) -> list[Row]:
    """Rows 10, 11 and 14: how long each kind of cycle takes by the number of people, and what the
    largest weighs."""
    measured: list[Size] = []
    weighed: list[Row] = []
    for people in sizes:
        with place(people) as folder, stub(recording=folder / "sent") as target:
            size = _size(folder, target, people)
            if people == sizes[-1]:
                unchanged_s = size.seconds(UNCHANGED)
                weighed.append(changed(folder, target, folder / "sent", unchanged_s, LARGEST))
                weighed += weight(folder, people, size.runs, LARGEST)
        measured.append(size)
        print(_told(size), flush=True)
    PICTURE.write_text(drawn(measured), encoding="utf-8")
    return [*(_row(measured, kind) for kind in COLOURS), *weighed, _heavier(measured)]


def _size(folder: Path, target: Stub, people: int) -> Size:
    prepare(folder)
    times = 3 if people <= 100_000 else 1
    first = [subject(folder, target)]
    unchanged = [subject(folder, target) for _ in range(times)]
    subject(folder, target, LISTED)  # the first one gets to know how each object is sent
    listed = [subject(folder, target, LISTED) for _ in range(times)]
    return Size(people, {FIRST: first, UNCHANGED: unchanged, LISTED: listed})


def _told(size: Size) -> str:
    each = ", ".join(f"{kind} {size.seconds(kind):.2f} s" for kind in COLOURS)
    return f"  {size.people:,} people: {each}, {size.peak_mib:.0f} MiB"


def _row(measured: Sequence[Size], kind: str) -> Row:
    smallest, largest = measured[0], measured[-1]
    ratio = largest.micros(kind) / smallest.micros(kind)
    each = ", ".join(
        f"{s.people:,}: {s.seconds(kind):.2f} s ({s.micros(kind):.1f} µs)" for s in measured
    )
    what = f"{kind}, a person among the most : among the fewest"
    return Row(what, each, ratio, f"≤ {LINEAR:g}", ratio <= LINEAR)


def _heavier(measured: Sequence[Size]) -> Row:
    smallest, largest = measured[0], measured[-1]
    more = (largest.peak_mib - smallest.peak_mib) * 2**20 / (largest.people - smallest.people)
    each = ", ".join(f"{s.people:,}: {s.peak_mib:.0f} MiB" for s in measured)
    return Row("memory, bytes for each person more", each, more, "stated", is_reached=True)


# the picture


def drawn(measured: Sequence[Size]) -> str:
    """Return a picture, both axes logarithmic: what is linear is a straight line of slope one."""
    times = [s.seconds(kind) for s in measured for kind in COLOURS]
    low, high = _decade(min(times), down=True), _decade(max(times), down=False)
    first, last = log10(measured[0].people), log10(measured[-1].people)

    def x(people: float) -> float:
        return MARGIN + (log10(people) - first) / ((last - first) or 1) * (WIDTH - 2.5 * MARGIN)

    def y(seconds: float) -> float:
        return HEIGHT - MARGIN - (log10(seconds) - low) / (high - low) * (HEIGHT - 1.5 * MARGIN)

    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#444">'
    )
    lines = [
        head,
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_grid(measured, range(low, high + 1), x, y),
    ]
    for kind, colour in COLOURS.items():
        points = [(x(s.people), y(s.seconds(kind))) for s in measured]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
        a, b = points[-1]
        lines.append(f'<text x="{a + 8:.1f}" y="{b + 4:.1f}" fill="{colour}">{kind}</text>')
    return "\n".join([*lines, "</svg>\n"])


def _grid(
    measured: Sequence[Size],
    decades: range,
    x: Callable[[float], float],
    y: Callable[[float], float],
) -> Iterator[str]:
    right = x(measured[-1].people)
    for decade in decades:
        at = y(10.0**decade)
        yield f'<line x1="{MARGIN}" x2="{right:.1f}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>'
        yield f'<text x="{MARGIN - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**decade:g} s</text>'
    for size in measured:
        at, label = x(size.people), f"{size.people:,}"
        yield f'<text x="{at:.1f}" y="{HEIGHT - MARGIN + 20}" text-anchor="middle">{label}</text>'
    middle_x = (MARGIN + right) / 2
    yield f'<text x="{middle_x:.1f}" y="{HEIGHT - 16}" text-anchor="middle">people</text>'


def _decade(seconds: float, *, down: bool) -> int:
    exponent = log10(seconds)
    return int(exponent // 1) if down else -int(-exponent // 1)
