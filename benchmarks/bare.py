"""The bare limits: what each cycle cannot do without, with nothing around it. Timed like a cycle.

`python -m benchmarks.bare replay RECORDING PORT CONNECTIONS` sends what a cycle has sent, over raw
sockets; `read FOLDER` reads and hashes the files; `list PORT` lists the users page by page.
"""

from __future__ import annotations

import asyncio
import csv
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from benchmarks.stub import HOST, LENGTH
from benchmarks.told import telling
from benchmarks.world import FILES

PAGE = 100
POLARS = importlib.util.find_spec("polars") is not None
LIST = "GET /scim/v2/Users?startIndex={}&count={} HTTP/1.1\r\nHost: x\r\n\r\n"


def recorded(path: Path) -> list[bytes]:
    """Return the requests that a stub has recorded, each as it lay on the wire."""
    content = path.read_bytes()
    requests: list[bytes] = []
    at = 0
    while at < len(content):
        end = content.index(b"\r\n\r\n", at)
        length = LENGTH.search(content, at, end)
        whole = end + 4 + (int(length[1]) if length else 0)
        requests.append(content[at:whole])
        at = whole
    return requests


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> bytes:
    """Send a request and read its answer whole."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    return await reader.readexactly(int(length[1])) if length else b""


async def replay(requests: Iterator[bytes], port: int, connections: int) -> None:
    async def work() -> None:
        reader, writer = await asyncio.open_connection(HOST, port, limit=2**26)
        for request in requests:
            await exchange(reader, writer, request)
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))


async def list_users(port: int) -> int:
    """List all users, page after page as they must be asked for, and understand each page."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=2**26)
    seen, total = 0, 1
    while seen < total:
        answer = await exchange(reader, writer, LIST.format(seen + 1, PAGE).encode())
        page = json.loads(answer)
        seen, total = seen + len(page["Resources"]), page["totalResults"]
    writer.close()
    return seen


def read(folder: Path) -> int:
    """Read every row of the files and hash it, with Polars where it is there."""
    return read_with_polars(folder) if POLARS else read_with_csv(folder)


def read_with_polars(folder: Path) -> int:
    polars: Any = importlib.import_module("polars")
    tables = (polars.read_csv(folder / name, infer_schema=False) for name in FILES.values())
    return sum(table.hash_rows().len() for table in tables)


def read_with_csv(folder: Path) -> int:
    digest, rows = blake2b(), 0
    for name in FILES.values():
        with (folder / name).open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                digest.update("\0".join(row).encode())
                rows += 1
    return rows


def main(what: str, *arguments: str) -> None:
    match what, arguments:
        case "replay", (path, port, connections):
            requests = recorded(Path(path))
            with telling() as said:
                asyncio.run(replay(iter(requests), int(port), int(connections)))
                said["requests"] = len(requests)
        case "read", (folder,):
            if POLARS:
                importlib.import_module("polars")  # starting it is not what is measured
            with telling() as said:
                said["rows"] = read(Path(folder))
        case "list", (port,):
            with telling() as said:
                said["users"] = asyncio.run(list_users(int(port)))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
