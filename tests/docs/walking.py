"""Doing what a page shows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.api.served import TARGET_TOKEN
from tests.docs.pages import Shown, steps
from tests.tidy.repository import text

PYTHON = Path(sys.executable).parent


def followed(
    page: str,
    folder: Path,
    instead: Mapping[str, str],
    shown: Callable[[str], Iterator[Shown]] = steps,
    commands: Path = PYTHON,
) -> str:
    """Do what a page shows, from top to bottom; return what was said on the way."""
    environment = {
        **os.environ,
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "APP_TOKEN": TARGET_TOKEN,
        "NO_COLOR": "1",
    }
    said: list[str] = []
    for block in shown(text(page)):
        content = _put(block, instead)
        if block.name:
            (folder / block.name).write_text(content, encoding="utf-8")
        elif block.language == "sh":
            ended = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", content],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert ended.returncode == 0, f"{content}\n{ended.stdout}\n{ended.stderr}"
            said.append(ended.stdout)
    return "".join(said)


def _put(block: Shown, instead: Mapping[str, str]) -> str:
    content = block.content
    for written, there in instead.items():
        content = content.replace(written, there)
    return content
