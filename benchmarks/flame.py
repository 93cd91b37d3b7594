"""Draws a profile as a flame graph: `STACKS TITLE > graph.svg`.

STACKS is what `py-spy record --format raw` writes: frames with semicolons between them, and how
often they were seen. What the event loop runs is drawn, but for what was too seldom seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, ROW, LETTER = 1_200, 17, 6.6
SHARE_MIN = 0.004
COLOURS = {"provisor/store": "#f2b26b", "provisor/connectors": "#8fbfe0", "provisor": "#9fd19a"}
ELSEWHERE = "#d9d4cc"


@dataclass
class Frame:
    """A function where it was called from, and how often it was seen there."""

    name: str
    seen: int = 0
    calls: dict[str, Frame] = field(default_factory=dict["str", "Frame"])


def tree(lines: Sequence[str]) -> Frame:
    """Return what all stacks are together."""
    root = Frame("a cycle")
    for line in lines:
        stack, _, seen = line.rpartition(" ")
        frames = [frame.rpartition(":")[0] for frame in stack.split(";")]
        begin = next((n for n, frame in enumerate(frames) if frame.startswith("Handle._run")), None)
        if begin is None:
            continue
        frame = root
        frame.seen += int(seen)
        for name in frames[begin + 1 :]:
            frame = frame.calls.setdefault(name, Frame(name))
            frame.seen += int(seen)
    return root


def boxes(frame: Frame, whole: int, left: float, depth: int) -> Iterator[tuple[int, str]]:
    """Yield the rectangle of a frame and of all that it calls, each with its depth."""
    width = WIDTH * frame.seen / whole
    said = f"{frame.name} {100 * frame.seen / whole:.1f} %"
    name = frame.name.partition(" (")[0].replace("<locals>.", "")
    letters = int((width - 6) / LETTER)
    if len(name) > letters:
        name = f"{name[: letters - 1]}…" if letters > 3 else ""
    colour = next((c for room, c in COLOURS.items() if f"({room}" in frame.name), ELSEWHERE)
    top = depth * ROW
    box = (
        f'<g><title>{escape(said)}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" '
        f'height="{ROW - 1}" fill="{colour}"/><text x="{left + 3:.1f}" y="{top + 12}">'
        f"{escape(name)}</text></g>"
    )
    yield depth, box
    for call in sorted(frame.calls.values(), key=lambda call: -call.seen):
        if call.seen / whole >= SHARE_MIN:
            yield from boxes(call, whole, left, depth + 1)
        left += WIDTH * call.seen / whole


def drawn(lines: Sequence[str], title: str) -> str:
    root = tree(lines)
    found = list(boxes(root, root.seen, 0.0, 1))
    height = (max(depth for depth, _ in found) + 1) * ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="monospace" font-size="11">'
    )
    told = f'<text x="3" y="12" font-weight="bold">{escape(title)}</text>'
    return "\n".join((head, told, *(box for _, box in found), "</svg>\n"))


if __name__ == "__main__":
    stacks, title = sys.argv[1:]
    print(drawn(Path(stacks).read_text(encoding="utf-8").splitlines(), title), end="")
