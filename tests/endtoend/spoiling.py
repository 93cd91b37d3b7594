"""What may happen to a file between those who write it and us."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

from tests.endtoend.site import Site

Spoil = Callable[[bytes], bytes | None]
"""Makes of a whole file what is found; None where no file is found."""


def cut(share: float) -> Spoil:
    """Cut in the middle of a row."""

    def spoil(whole: bytes) -> bytes:
        end = whole.index(b",", int(len(whole) * share)) + 1
        return whole[:end]

    return spoil


def cut_after_a_row(share: float) -> Spoil:
    return lambda whole: whole[: whole.index(b"\n", int(len(whole) * share)) + 1]


def without_column(name: str) -> Spoil:
    return lambda whole: whole.replace(name.encode(), b"x" + name.encode(), 1)


def exchanged(one: str, other: str) -> Spoil:
    """Exchange the headings of two columns."""

    def spoil(whole: bytes) -> bytes:
        header, _, rows = whole.partition(b"\n")
        names = {one: other, other: one}
        headings = ",".join(names.get(name, name) for name in header.decode().split(","))
        return headings.encode() + b"\n" + rows

    return spoil


def without_zeros(whole: bytes) -> bytes:
    """Take ids for numbers, as spreadsheets do."""
    return re.sub(rb"\be0*(\d)", rb"\1", whole)


def header_only(whole: bytes) -> bytes:
    return whole[: whole.index(b"\n") + 1]


def with_byte(byte: bytes) -> Spoil:
    """Put a byte where none should be."""

    def spoil(whole: bytes) -> bytes:
        middle = whole.index(b",", len(whole) // 2)
        return whole[:middle] + byte + whole[middle:]

    return spoil


def spoil(site: Site, file: str, how: Spoil) -> None:
    content = how(site.company.text(file))
    if content is None:
        (site.folder / file).unlink()
    else:
        site.company.put(file, content)


@contextmanager
def nobody_is_touched(site: Site) -> Generator[None]:
    """Hold that meanwhile nothing is sent, and that the target is as before."""
    before, mark = site.picture(), site.mark
    yield
    assert site.sent(mark) == []
    assert site.picture() == before
