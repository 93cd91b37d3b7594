"""What the pages need to become a site, beside what mkdocs does by itself."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any, cast

UPWARDS = re.compile(r"\[([^\]\n]+)\]\(((?:\.\./)+[^)\s]+)\)")
NAMED = re.compile(r"^```(\w+) ([\w./-]+)$", re.MULTILINE)


def on_config(config: Any) -> Any:
    """Put a folder's pages where the navigation names the folder: its index first."""
    config.nav = _expanded(config.nav, Path(config.docs_dir))
    return config


def _expanded(part: object, docs: Path) -> object:
    if isinstance(part, list):
        return [_expanded(one, docs) for one in cast(list[object], part)]
    if isinstance(part, dict):
        return {title: _expanded(v, docs) for title, v in cast(dict[str, object], part).items()}
    if isinstance(part, str) and part.endswith("/"):
        pages = sorted(page.relative_to(docs).as_posix() for page in (docs / part).glob("*.md"))
        return sorted(pages, key=lambda page: not page.endswith("README.md"))
    return part


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:
    """Keep links within the site, and put the names of shown files above them.

    Pages are written to be read in the repository as well; there some lead to examples and code,
    which are not part of the site.
    """
    depth = len(PurePosixPath(page.file.src_uri).parent.parts)

    def inside(found: re.Match[str]) -> str:
        text, link = found.groups()
        return str(text) if link.count("../") > depth else found[0]

    return NAMED.sub(r'```\1 title="\2"', UPWARDS.sub(inside, markdown))
