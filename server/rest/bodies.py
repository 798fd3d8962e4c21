"""Reading what a request brings, within bounds."""

import asyncio
from typing import Final

from aiohttp import ClientPayloadError, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from server.domain import FRAME_BYTES
from server.errors import InvalidJson, PayloadTooLarge, UnsupportedMediaType
from server.protocol.codec import loads

BODY_SECONDS: Final = 10.0
CODINGS: Final = frozenset({"identity", "gzip", "deflate"})  # aiohttp has unpacked it, or left it as it is


async def read_json(request: web.Request, *, optional: bool = False) -> object:
    """Return the JSON of a request's body; `{}` for none, where it is optional.

    Raises `UnsupportedMediaType`, also for a content coding it does not know; `PayloadTooLarge` over 64 KiB; or
    `InvalidJson`, also for a body that is cut short, and for one that takes longer than 10 seconds.
    """
    if optional and not request.body_exists:
        return {}
    if request.content_type != "application/json":
        raise UnsupportedMediaType
    coding = request.headers.get(hdrs.CONTENT_ENCODING)
    if coding is not None and coding.strip().lower() not in CODINGS:
        raise UnsupportedMediaType(details={"content_encodings": sorted(CODINGS)})
    if (request.content_length or 0) > FRAME_BYTES:
        raise PayloadTooLarge(details={"bytes_most": FRAME_BYTES})
    try:
        return loads(await _body(request))
    except ValueError:
        raise InvalidJson from None


async def _body(request: web.Request) -> bytes:
    content = request.content
    try:
        # Nearly every body came together with its head: neither a timer nor a loop over pieces, which cost 10 µs.
        if content.is_eof() and content.total_bytes <= FRAME_BYTES:
            return content.read_nowait()
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise PayloadTooLarge(details={"bytes_most": FRAME_BYTES}) from None
    except (ClientPayloadError, HttpProcessingError, TimeoutError, web.RequestPayloadError):
        raise InvalidJson("The body did not arrive whole") from None
