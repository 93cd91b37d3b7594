"""Writes what the package is made of, as CycloneDX: itself, and what it needs, as the lock pins it.

    .venv/bin/python scripts/sbom.py build/provisor.cdx.json

Reads what is installed beside it: names, versions, licences. The same lock gives the same bytes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
EXTRAS = ("", "sql", "otel", "postgresql")
"""What somebody runs; `demo`, `docs` and `dev` are no part of that."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needs(one: Distribution, extras: tuple[str, ...]) -> Iterator[Requirement]:
    for text in one.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            yield requirement


def closure(name: str, extras: tuple[str, ...]) -> Mapping[str, tuple[Distribution, set[str]]]:
    """Return all that a package needs, by name, each with the names of what it needs itself."""
    found: dict[str, tuple[Distribution, set[str]]] = {}
    waiting, seen = [(name, extras)], set[tuple[str, str]]()
    while waiting:
        name, extras = waiting.pop()
        one, known = found.setdefault(canonical(name), (distribution(name), set()))
        for requirement in needs(one, extras):
            inner = canonical(requirement.name)
            known.add(inner)
            for extra in ("", *requirement.extras):
                if (inner, extra) not in seen:
                    seen.add((inner, extra))
                    waiting.append((inner, (extra,)))
    return found


def locked() -> Mapping[str, list[str]]:
    """Return the hashes that the lock has for each package."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    return {
        canonical(found[1]): re.findall(r"--hash=sha256:(\w+)", block)
        for block in blocks
        if (found := re.match(r"([A-Za-z0-9._-]+)==", block))
    }


def reference(one: Distribution) -> str:
    return f"pkg:pypi/{canonical(one.name)}@{one.version}"


def licence(one: Distribution) -> list[dict[str, object]]:
    stated = next(iter(one.metadata.get_all("License-Expression") or ()), "")
    if stated:
        return [{"expression": stated}]
    classified = [
        line.rpartition(" :: ")[2]
        for line in one.metadata.get_all("Classifier") or ()
        if line.startswith("License ::")
    ]
    return [{"license": {"name": name}} for name in classified]


def component(one: Distribution, hashes: list[str]) -> dict[str, object]:
    made: dict[str, object] = {
        "type": "library",
        "bom-ref": reference(one),
        "name": one.name,
        "version": one.version,
        "purl": reference(one),
    }
    if licences := licence(one):
        made["licenses"] = licences
    if hashes:
        # One for each file that may be installed: CycloneDX has one place for the files of all.
        made["externalReferences"] = [
            {
                "type": "distribution",
                "url": reference(one),
                "hashes": [{"alg": "SHA-256", "content": hash} for hash in hashes],
            }
        ]
    return made


def document() -> dict[str, object]:
    found, hashes = closure("provisor", EXTRAS), locked()
    own, _ = found["provisor"]
    rest = [one for name, (one, _) in sorted(found.items()) if name != "provisor"]
    made: dict[str, object] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**component(own, []), "type": "application"}},
        "components": [component(one, hashes.get(canonical(one.name), [])) for one in rest],
        "dependencies": [
            {
                "ref": reference(one),
                "dependsOn": sorted(reference(found[inner][0]) for inner in known),
            }
            for _, (one, known) in sorted(found.items())
        ],
    }
    content = json.dumps(made, sort_keys=True)
    return {**made, "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, content)}"}


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{path} written")
