"""The documentation becomes a site: whole, a page for each code and each property, and alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec import Struct

from provisor.graph.troubleshooting import TROUBLES, page_url
from provisor.graph.wire import jobs
from provisor.graph.wire.coding import names_of
from tests.tidy.repository import ROOT, text

STATUS = "docs/status"
WITHIN: dict[str, type[Struct]] = {
    "lastExecution": jobs.SynchronizationTaskExecution,
    "progress": jobs.SynchronizationProgress,
    "quarantine": jobs.SynchronizationQuarantine,
}
LOADS = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}


class Loaded(HTMLParser):
    """Gathers what a page asks for when it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = LOADS.get(tag, "")
        self.addresses += [value for name, value in attrs if name == wanted and value]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the site was built."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_where_a_status_sends_its_reader_there_is_the_page(site: Path) -> None:
    """`troubleshootingUrl` is an address below wherever the site is served."""
    for code in (*TROUBLES, "NobodyKnows"):
        path = urlsplit(page_url("https://docs.example.com/provisor", code)).path
        page = site / path.removeprefix("/provisor/") / "index.html"
        assert page.exists(), code
        title = code if code in TROUBLES else "Troubleshooting"
        assert f"<title>{title} - Provisor</title>" in page.read_text(encoding="utf-8")


def test_the_site_asks_no_other_host_for_anything(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        foreign = [one for one in loaded.addresses if urlsplit(one).netloc]
        assert not foreign, f"{page.name}: {foreign}"


def test_pictures_are_drawn_by_ourselves_and_shown(site: Path) -> None:
    for picture in (ROOT / "docs" / "pictures").glob("*.svg"):
        assert (site / "pictures" / picture.name).exists()
        assert f"pictures/{picture.name}" in text("docs/concepts.md")
        assert not re.search(r"(href|src|url)=?\(?[\"']?https?:", picture.read_text("utf-8"))


def test_every_property_of_a_status_has_its_page() -> None:
    pages = {page.stem for page in (ROOT / STATUS).glob("*.md")} - {"README"}
    assert pages == set(names_of(jobs.SynchronizationStatus))
    index = text(f"{STATUS}/README.md")
    assert all(f"[{name}]({name}.md)" in index for name in pages)


@pytest.mark.parametrize("page", sorted(WITHIN))
def test_what_a_property_holds_is_told_on_its_page(page: str) -> None:
    missing = [
        name for name in names_of(WITHIN[page]) if f"`{name}`" not in text(f"{STATUS}/{page}.md")
    ]
    assert not missing
