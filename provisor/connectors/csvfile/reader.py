"""One CSV file, read strictly: whoever gets a row from here may believe it.

Whatever makes the rest of a file doubtful ends the read with `Unreachable`, code
`SourceReadIncomplete`, naming file, line and the way out.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisor.connectors.csvfile.settings import Format
from provisor.errors import Unreachable

CHUNK_BYTES: Final = 256 * 1024
LINE_CHARACTERS_MAX: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """What changes when a file does."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def incomplete(message: str) -> Unreachable:
    """Return what ends a read: nothing may be concluded from what it left out."""
    return Unreachable(message, code="SourceReadIncomplete")


def look(path: Path) -> Identity:
    """Return what a file is now."""
    try:
        found = path.stat()
    except OSError as error:
        raise _cannot_read(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise incomplete(f"{path.name} is no regular file; name the file itself")
    return _identity(found)


class OpenFile:
    """A file that is read once, from its first byte to its last, and watched meanwhile."""

    def __init__(self, path: Path, format: Format) -> None:
        self.path = path
        self._format, self._dialect = format, _dialect(format)
        self._hash = hashlib.sha256()
        self._bytes_read = 0
        self._lines_handed_on = 0
        try:
            self._raw = path.open("rb", buffering=0)
        except OSError as error:
            raise _cannot_read(path, error) from error
        self.identity = _identity(os.fstat(self._raw.fileno()))

    def close(self) -> None:
        self._raw.close()

    def where(self, line: int) -> str:
        return f"{self.path.name}, line {line}"

    def sha256(self) -> str:
        """Return the hash of what was read so far."""
        return self._hash.hexdigest()

    def hash_ahead(self) -> str:
        """Return the hash of the whole file, and go back to its beginning."""
        ahead = hashlib.sha256()
        for chunk in self.bytes_ahead():
            ahead.update(chunk)
        return ahead.hexdigest()

    def bytes_ahead(self) -> Iterator[bytes]:
        """Yield the whole file from its beginning, and go back there when it has been read."""
        self._raw.seek(0)
        while chunk := self._chunk():
            yield chunk
        self._raw.seek(0)

    def rows_in(self, line: bytes) -> list[list[str]]:
        """Return the rows in a line that stands alone, without its line feed.

        Raises UnicodeError, csv.Error where there is none, or it does not end there.
        """
        text = line.decode(self._format.encoding)
        return [*csv.reader((f"{text}\n",), self._dialect)]

    def content(self) -> bytes:
        """Return all of it: for small files."""
        return b"".join(self._chunks())

    def check_unchanged(self) -> None:
        """Refuse what was read if the file is another by now, here or under its name."""
        if self._bytes_read != self.identity.size:
            raise self.changed()
        self.check_there()

    def check_there(self) -> None:
        """Refuse a file that is another by now under its name."""
        if look(self.path) != self.identity:
            raise self.changed()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line in which each row begins, and its cells; the header first.

        A line that is empty is a row without cells, unless only such lines follow.
        """
        reader = csv.reader(self._lines(), self._dialect)
        line, empty = 1, list[int]()
        try:
            for row in reader:
                if row:
                    if empty:
                        yield from ((before, list[str]()) for before in empty)
                        empty.clear()
                    yield line, row
                else:
                    empty.append(line)
                line = reader.line_num + 1
        except csv.Error as error:
            way_out = "close the quotation mark that was opened there, or double one inside a cell"
            raise self.broken(line, f"{error}; {way_out}") from error

    def broken(self, line: int, what: str) -> Unreachable:
        """Return what ends the read where the file cannot be understood any further."""
        return incomplete(f"{self.where(line)}: {what}")

    def _lines(self) -> Iterator[str]:
        """Yield lines with their ends. Only what ends with a line end is a line."""
        decoder = codecs.getincrementaldecoder(self._format.encoding)("strict")
        rest, is_begun = "", False
        for chunk in self._chunks():
            text = self._decode(decoder, chunk, rest)
            if not is_begun and text:
                text, is_begun = text.removeprefix("\ufeff"), True
            rest += text
            # A carriage return at the very end may be the first half of a line end.
            cut = max(rest.rfind("\n"), rest.rfind("\r", 0, len(rest) - 1)) + 1
            yield from io.StringIO(rest[:cut], newline="")
            self._lines_handed_on += _ends(rest[:cut])
            rest = rest[cut:]
            if len(rest) > LINE_CHARACTERS_MAX:
                raise self.broken(self._line_after(""), "the line does not end; is it a CSV file?")
        rest += self._decode(decoder, b"", rest)
        if rest and rest[-1] != "\r":
            way_out = "the file is cut short or still being written: let its last line end too"
            raise self.broken(self._line_after(""), way_out)
        if rest:
            yield rest

    def _decode(self, decoder: codecs.IncrementalDecoder, chunk: bytes, rest: str) -> str:
        encoding = self._format.encoding
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            before = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
            seen = rest + before.decode(encoding, "replace")
            message = f"this is not {encoding}: {_reason(error)}; set encoding to what it is"
            raise self.broken(self._line_after(seen), message) from error
        if "\0" in text:
            seen = rest + text[: text.index("\0")]
            message = "there is a NUL character; the file is damaged, or its encoding is another"
            raise self.broken(self._line_after(seen), message)
        return text

    def _line_after(self, seen: str) -> int:
        return self._lines_handed_on + 1 + _ends(seen)

    def _chunks(self) -> Iterator[bytes]:
        while chunk := self._chunk():
            self._hash.update(chunk)
            self._bytes_read += len(chunk)
            yield chunk

    def _chunk(self) -> bytes:
        """Return bytes that were there when the file was opened: what is mixed is not read."""
        try:
            chunk = self._raw.read(CHUNK_BYTES)
            now = _identity(os.fstat(self._raw.fileno()))
        except OSError as error:
            raise _cannot_read(self.path, error) from error
        if now != self.identity:
            raise self.changed()
        return chunk or b""

    def changed(self) -> Unreachable:
        """Return what ends the read of a file that somebody writes meanwhile."""
        return incomplete(
            f"{self.path.name} changed while it was read; write it under another name, then "
            "rename it to this one"
        )


def _dialect(format: Format) -> csv.Dialect:
    class Strict(csv.excel):
        delimiter = format.delimiter
        quotechar = format.quote
        quoting = csv.QUOTE_MINIMAL if format.quote else csv.QUOTE_NONE
        strict = True

    return Strict()


def _ends(text: str) -> int:
    """Return how many lines end in a text: with LF, CR or both."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _cannot_read(path: Path, error: OSError) -> Unreachable:
    reason = error.strerror or type(error).__name__
    return incomplete(f"{path.name} cannot be read: {reason}; put the file there, readable")


def _identity(found: os.stat_result) -> Identity:
    return Identity(
        device=found.st_dev,
        inode=found.st_ino,
        size=found.st_size,
        modified_ns=found.st_mtime_ns,
        changed_ns=found.st_ctime_ns,
    )


def _reason(error: UnicodeError) -> str:
    return error.reason if isinstance(error, UnicodeDecodeError) else str(error)
