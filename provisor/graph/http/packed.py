"""Bodies that come compressed, as those of clients in Go do, unpacked as far as a route takes."""

from __future__ import annotations

import zlib

from provisor.graph.http.faults import Fault, bad_request, too_long

GZIP = 31
"""zlib's name for a gzip header with the largest window."""
BOM = b"\xef\xbb\xbf"


def unpacked(body: bytes, encoding: str, body_max: int) -> bytes:
    """Return a body as its sender meant it, without a mark of its byte order. Raises Fault.

    What is answered to an encoding that we do not know has clients send the body again as it is.
    """
    match encoding.strip().lower():
        case "" | "identity":
            plain = body
        case "gzip" | "x-gzip" if body:
            plain = _ungzipped(body, body_max)
        case "gzip" | "x-gzip":
            plain = body
        case other:
            message = f"The content encoding '{other[:100]}' is not taken here."
            headers = {"Accept-Encoding": "gzip"}
            raise Fault(415, "UnsupportedMediaType", message, headers=headers)
    return plain.removeprefix(BOM)


def _ungzipped(body: bytes, body_max: int) -> bytes:
    """However much a small body would become, no more is unpacked than is taken."""
    unpacking = zlib.decompressobj(GZIP)
    try:
        plain = unpacking.decompress(body, body_max + 1)
    except zlib.error:
        raise bad_request("The body is no gzip, although Content-Encoding says so.") from None
    if len(plain) > body_max:
        raise too_long(body_max)
    if not unpacking.eof or unpacking.unused_data:
        raise bad_request("The body is not one whole gzip, although Content-Encoding says so.")
    return plain
