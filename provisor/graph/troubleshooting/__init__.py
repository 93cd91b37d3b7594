"""Every code that a log, a status or an answer can name, explained (spec: behaviour 17.4, 17.5).

From this table come the pages in `docs/troubleshooting`, the addresses of those pages, and what the
log recommends. After a change here, write the pages anew:
`python -m provisor.graph.troubleshooting docs/troubleshooting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from provisor.graph.troubleshooting.jobs import JOBS
from provisor.graph.troubleshooting.limits import LIMITED
from provisor.graph.troubleshooting.objects import OBJECTS
from provisor.graph.troubleshooting.skips import SKIPS
from provisor.graph.troubleshooting.trouble import Concerns, Trouble

GROUPS: Mapping[str, tuple[Trouble, ...]] = {
    "Jobs": JOBS,
    "Objects": OBJECTS,
    "Skipped": SKIPS,
    "Limits of schemas": LIMITED,
}
TROUBLES: Mapping[str, Trouble] = {one.code: one for group in GROUPS.values() for one in group}


def trouble_of(code: str) -> Trouble | None:
    """Return what is known about a code. A connector may have put its own name before it."""
    if code in TROUBLES:
        return TROUBLES[code]
    ends = [known for known in TROUBLES if code.endswith(known)]
    return TROUBLES[max(ends, key=len)] if ends else None


def page_url(docs: str, code: str) -> str:
    """Return where the page about a code is read; `docs` is where the documentation is served.

    A code that only a connector knows leads to the list of all.
    """
    known = trouble_of(code)
    return f"{docs.rstrip('/')}/troubleshooting/{known.code if known else ''}"


def page(one: Trouble) -> str:
    """Return the page about a code, as Markdown."""
    steps = "\n".join(
        f"{number}. {step}" for number, step in enumerate((one.advice, *one.steps), 1)
    )
    return (
        f"# {one.code}\n\n{one.meaning}\n\n"
        f"**Stands still because of it:** {one.concerns.value}.\n\n"
        f"**Tried again:** {one.retried.value}\n\n"
        f"## Which objects\n\n{_look(one)}\n\n"
        f"## What to do\n\n{steps}\n"
    )


def _look(one: Trouble) -> str:
    if one.look:
        return one.look
    if one.concerns is Concerns.JOB:
        return (
            "The whole job. `provisor status JOB` shows the error with its message, and how often "
            "and since when it has been there."
        )
    return (
        f"`provisor logs JOB --code {one.code}` lists them; `provisor explain JOB OBJECT` goes "
        "through one of them step by step, as things are now."
    )


def index() -> str:
    """Return the page that lists all others."""
    parts = ["# Troubleshooting\n\nEvery code that a log, a status or an answer can name.\n"]
    for title, group in GROUPS.items():
        rows = (f"| [{one.code}]({one.code}.md) | {one.meaning} |" for one in group)
        parts.append(f"\n## {title}\n\n| Code | Meaning |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "".join(parts)


def pages() -> Mapping[str, str]:
    """Return all pages by file name."""
    return {f"{code}.md": page(one) for code, one in TROUBLES.items()} | {"README.md": index()}


def write_pages(folder: Path) -> None:
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
