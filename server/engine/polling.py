"""HTTP long-polling: GET takes what waits, POST brings packets."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

from aiohttp import ClientError, web

from .entrance import Rejection, bad_request, forbidden
from .packets import Malformed
from .ports import Reason
from .takeover import notice_loss, refuse_body

if TYPE_CHECKING:
    from .connection import Connection
    from .limits import Limits

_COMPRESS_BYTES = 1_024
_PLAIN = "text/plain; charset=UTF-8"


def text_response(request: web.Request, text: str, *, compress: bool) -> web.Response:
    """An answer to a poll, compressed when that pays and the client takes it."""
    body = text.encode()
    headers = {"Content-Type": _PLAIN, "Cache-Control": "no-store"}
    if compress and len(body) >= _COMPRESS_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, compresslevel=1)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, headers=headers)


async def answer_poll(request: web.Request, connection: Connection) -> str:
    """The payload for a GET, when there is one.

    A second GET beside a waiting one ends the connection, as does a client that goes away.
    """
    if connection.polling:
        connection.fail(Reason.TRANSPORT_ERROR)
        raise bad_request()
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    if not connection.poll(wake):
        notice_loss(request, waiter)
        try:
            await waiter
        except ConnectionError:
            connection.unpoll()
            connection.lost(Reason.TRANSPORT_CLOSE)
            # Nobody reads the answer, but aiohttp logs a traceback for any other exception.
            raise bad_request() from None
        except asyncio.CancelledError:
            connection.unpoll()
            connection.lost(Reason.TRANSPORT_CLOSE)
            raise
    return connection.take_payload()


async def take_post(request: web.Request, connection: Connection, limits: Limits) -> None:
    """Gives a POST's packets to the connection; one POST at a time, or the connection ends."""
    if connection.posting:
        connection.fail(Reason.TRANSPORT_ERROR)
        raise bad_request()
    connection.posting = True
    try:
        body = await _read_body(request, limits)
        connection.receive_payload(body, limits.payload_packets)
        await connection.host.drained(connection)
    except Malformed as fault:
        connection.host.complain(connection, str(fault))
        connection.fail(Reason.TRANSPORT_ERROR)
        raise bad_request() from None
    except Rejection:
        connection.fail(Reason.TRANSPORT_ERROR)
        raise
    except asyncio.CancelledError:
        connection.lost(Reason.TRANSPORT_CLOSE)
        raise
    finally:
        connection.posting = False


async def _read_body(request: web.Request, limits: Limits) -> str:
    """The body as text, bounded in size and time."""
    if (request.content_length or 0) > limits.message_bytes:
        refuse_body(request)
        raise forbidden("Payload too large", 413)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limits.message_bytes:
                    refuse_body(request)
                    raise forbidden("Payload too large", 413)
    except TimeoutError:
        refuse_body(request)
        raise forbidden("Body too slow", 408) from None
    except (ConnectionError, web.PayloadAccessError, web.RequestPayloadError, ClientError):
        # The client is gone, or its body is no HTTP.
        raise bad_request() from None
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise bad_request() from None
