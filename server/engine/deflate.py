"""permessage-deflate (RFC 7692) without memory between messages.

Neither side keeps its window, so a connection costs nothing while idle and one compressed frame
serves every client of a broadcast.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from .frames import ProtocolFault

if TYPE_CHECKING:
    from aiohttp import web

EXTENSION = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
# Below it the deflated text is seldom shorter by more than it costs.
MIN_BYTES = 512
LEVEL = 1
_RAW = -zlib.MAX_WBITS
_TAIL = b"\x00\x00\xff\xff"
_INVALID_DATA, _TOO_BIG = 1007, 1009
_UNDERSTOOD = frozenset({"server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits"})


def offered(request: web.Request) -> bool:
    """Whether one of the client's offers can be taken as it is."""
    offers = ",".join(request.headers.getall("Sec-WebSocket-Extensions", [])).split(",")
    return any(_acceptable(offer) for offer in offers)


def _acceptable(offer: str) -> bool:
    name, *parameters = (part.strip() for part in offer.split(";"))
    names = {parameter.split("=")[0].strip() for parameter in parameters}
    return name == "permessage-deflate" and names <= _UNDERSTOOD


def deflate(payload: bytes) -> bytes:
    """A message's payload, compressed on its own."""
    compressor = zlib.compressobj(LEVEL, wbits=_RAW)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[: -len(_TAIL)]


def inflate(payload: bytes | bytearray, max_bytes: int) -> bytes:
    """The message of a client's compressed payload; ProtocolFault if it is none or too big."""
    inflator = zlib.decompressobj(wbits=_RAW)
    try:
        message = inflator.decompress(payload + _TAIL, max_bytes + 1)
    except zlib.error:
        raise ProtocolFault(_INVALID_DATA, "bad compression") from None
    if len(message) > max_bytes:
        raise ProtocolFault(_TOO_BIG, "message too big")
    return message
