"""`env:NAME` and `file:PATH` in settings: read again at each use, never stored (settled 35)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

ENVIRONMENT = "env:"
FILE = "file:"
SEALED = "sealed:"
"""Begins what stands in place of a secret that lies in the vault."""
FILE_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference that leads nowhere just now."""

    path: str
    """Inside the settings: `oauth.clientSecret`."""
    message: str


@dataclass(frozen=True, slots=True)
class Resolved:
    settings: dict[str, object]
    """Without those that could not be resolved."""
    unresolved: tuple[Unresolved, ...]


def is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith((ENVIRONMENT, FILE))


def is_sealed(value: object) -> bool:
    """Tell whether something stands in place of a secret that lies in the vault."""
    return isinstance(value, str) and value.startswith(SEALED)


def resolve(
    settings: Mapping[str, object],
    base: Path,
    environment: Mapping[str, str],
    sealed: Mapping[str, str],
) -> Resolved:
    """Return settings with every reference replaced by what it leads to.

    `base`: what paths are relative to. `sealed`: secrets from the vault, by path.
    """
    missing: list[Unresolved] = []

    def value_of(value: object, path: str) -> object:
        if isinstance(value, Mapping):
            return inside(cast(Mapping[str, object], value), f"{path}.")
        if isinstance(value, list):
            items = cast(list[object], value)
            return [value_of(item, f"{path}.{number}") for number, item in enumerate(items)]
        if not isinstance(value, str):
            return value
        try:
            return _resolve_text(value, path, base, environment, sealed)
        except LookupError as failure:
            missing.append(Unresolved(path, str(failure.args[0])))
            return None

    def inside(mapping: Mapping[str, object], prefix: str) -> dict[str, object]:
        values = {name: value_of(value, f"{prefix}{name}") for name, value in mapping.items()}
        return {name: value for name, value in values.items() if value is not None}

    return Resolved(inside(settings, ""), tuple(missing))


def _resolve_text(
    text: str, path: str, base: Path, environment: Mapping[str, str], sealed: Mapping[str, str]
) -> str:
    """Raises LookupError with a message that tells the way out, and never a value."""
    if text.startswith(ENVIRONMENT):
        return _from_environment(text.removeprefix(ENVIRONMENT), environment)
    if text.startswith(FILE):
        return _from_file(base / text.removeprefix(FILE))
    if text.startswith(SEALED):
        if path not in sealed:
            raise LookupError("the vault holds no secret for it; `provisor secrets set` puts one")
        return sealed[path]
    return text


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name)
    if not value:
        state = "is empty" if name in environment else "is not set"
        raise LookupError(f"the environment variable {name} {state}; export it where this runs")
    return value


def _from_file(file: Path) -> str:
    """Return the content, but for a line break at its end, which editors add."""
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
        text = content.decode("utf-8").rstrip("\r\n")
    except OSError as failure:
        raise LookupError(f"the file {file} cannot be read: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise LookupError(f"the file {file} is not UTF-8") from None
    if not text or len(content) > FILE_BYTES_MAX:
        raise LookupError(f"the file {file} is {'too long' if text else 'empty'}")
    return text


def references(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each reference and each sealed secret with its path."""
    for name, value in settings.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from references(cast(Mapping[str, object], value), f"{path}.")
        elif isinstance(value, str) and value.startswith((ENVIRONMENT, FILE, SEALED)):
            yield path, value
