"""What was applied last, as the store remembers it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from provisor.settings.leaves import Configuration, Item

APPLIED = "applied"


class Applied(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was applied last."""

    file: str
    """Relative to the workspace, where it lies in it."""
    digests: dict[str, str]
    """Of the file and of all that it names, by path relative to the file."""
    at: str
    tenant: dict[str, object]
    applications: dict[str, dict[str, object]]
    jobs: dict[str, dict[str, object]]
    left: dict[str, list[str]] = {}
    """Names by section that the file brought once, has no more, and that are still in force."""

    @property
    def brought(self) -> Configuration:
        """All that the file ever brought, as far as it is still there."""
        said = self.configuration
        left = {section: dict.fromkeys(names, Item({})) for section, names in self.left.items()}
        return Configuration(
            tenant=said.tenant,
            applications={**left.get("applications", {}), **said.applications},
            jobs={**left.get("jobs", {}), **said.jobs},
        )

    @property
    def configuration(self) -> Configuration:
        return Configuration(
            tenant=self.tenant,
            applications={name: Item(leaves) for name, leaves in self.applications.items()},
            jobs={name: Item(leaves) for name, leaves in self.jobs.items()},
        )

    def is_untouched(self, folder: Path) -> bool:
        """True where the file and all that it names are what they were when they were applied."""
        place = (folder / self.file).parent
        return all(digest(place / name) == known for name, known in self.digests.items())


def read_applied(content: bytes | None) -> Applied | None:
    return msgspec.json.decode(content, type=Applied) if content else None


def digest(file: Path) -> str:
    """Return what names a file's content; empty if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
