"""A YAML file as plain values, with the line on which each of them stands."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from provisor.settings.problems import Problems

BYTES_MAX = 16 * 2**20


def load(file: Path, problems: Problems) -> dict[str, object]:
    """Return what a file holds; note in `problems` what is wrong, and all lines.

    With an empty or unreadable file the mapping is empty.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        problems.add((), "there is no such file; `provisor init` writes one to begin with")
        return {}
    except OSError as failure:
        problems.add((), f"it cannot be read: {failure.strerror}")
        return {}
    if len(content) > BYTES_MAX:
        problems.add((), f"it is longer than {BYTES_MAX // 2**20} MB; is it the right file?")
        return {}
    return parse(content, problems)


def parse(content: bytes, problems: Problems) -> dict[str, object]:
    """As `load`, from the content of the file."""
    try:
        text = content.decode("utf-8-sig")
        tree = cast(object, cast(Any, YAML(typ="rt")).load(text))
    except UnicodeDecodeError as failure:
        line = content.count(b"\n", 0, failure.start) + 1
        _complain(problems, line, "it is not UTF-8; save it in that encoding")
        return {}
    except DuplicateKeyError as failure:
        _complain(problems, _line(failure), f"{_first_line(failure)}; remove one of the two")
        return {}
    except YAMLError as failure:
        _complain(problems, _line(failure), f"it is no YAML: {_first_line(failure)}")
        return {}
    if tree is None:
        return {}
    plain = _plain(tree, (), problems)
    if not isinstance(plain, dict):
        problems.add((), "it is to be a mapping with keys such as `jobs:`")
        return {}
    return cast(dict[str, object], plain)


def _complain(problems: Problems, line: int, message: str) -> None:
    problems.lines[("",)] = line
    problems.add(("",), message)
    del problems.lines[("",)]


def _line(failure: YAMLError) -> int:
    mark = cast(Any, failure).problem_mark if isinstance(failure, MarkedYAMLError) else None
    return int(mark.line) + 1 if mark is not None else 0


def _first_line(failure: YAMLError) -> str:
    is_marked = isinstance(failure, MarkedYAMLError)
    text = str((cast(Any, failure).problem if is_marked else None) or failure)
    lines = text.splitlines()
    return re.sub(r" with value .*", "", lines[0]) if lines else "it cannot be read"


def _plain(node: object, path: tuple[str, ...], problems: Problems) -> object:
    """Return a node without YAML's own types."""
    match node:
        case Mapping():
            return _plain_mapping(cast(Mapping[object, object], node), path, problems)
        case str():
            return str(node)
        case Sequence():
            return _plain_sequence(cast(Sequence[object], node), path, problems)
        case bool() | None:
            return node
        case int():
            return _plain_integer(node)
        case float():
            return float(node)
        case date():
            return str(node)
        case _:
            problems.add(path, f"a {type(node).__name__} cannot stand here; write it in quotes")
            return None


def _plain_integer(node: int) -> object:
    return bool(node) if type(node).__name__ == "ScalarBoolean" else int(node)


def _plain_mapping(
    node: Mapping[object, object], path: tuple[str, ...], problems: Problems
) -> dict[str, object]:
    plain: dict[str, object] = {}
    for key, value in node.items():
        name = str(key)
        at = (*path, name)
        problems.lines[at] = _line_of(node, key, problems.line(path))
        plain[name] = _plain(value, at, problems)
    return plain


def _plain_sequence(
    node: Sequence[object], path: tuple[str, ...], problems: Problems
) -> list[object]:
    plain: list[object] = []
    for index, value in enumerate(node):
        at = (*path, str(index))
        problems.lines[at] = _line_of(node, index, problems.line(path))
        plain.append(_plain(value, at, problems))
    return plain


def _line_of(node: object, key: object, otherwise: int) -> int:
    """Return the line of a key or an item; a merged one (`<<`) stands where its mapping does."""
    try:
        place = cast(Any, node).lc.data[key]
    except (AttributeError, KeyError, TypeError):
        return otherwise
    return int(place[0]) + 1


def with_tenant(text: str, tenant: str) -> str:
    """Return the text of a file with a tenant id in it; comments and order stay."""
    yaml = cast(Any, YAML(typ="rt"))
    tree = yaml.load(text)
    if tree is None or not tree.get("tenant"):
        kept = "\n".join(line for line in text.splitlines() if not re.match(r"tenant:\s*$", line))
        return f"tenant:\n  id: {tenant}\n\n{kept}\n"
    tree["tenant"].insert(0, "id", tenant)
    written = io.StringIO()
    yaml.dump(tree, written)
    return written.getvalue()
