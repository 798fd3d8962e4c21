"""The only place that touches what is private in aiohttp: taking a connection out of its hands."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.web_protocol import RequestHandler

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES = 16


class Taken(web.Response):
    """What a handler returns for a connection that is no longer aiohttp's: nothing is written."""

    def __init__(self) -> None:
        super().__init__(status=101)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002
        """Nothing: the answer has been written by hand."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing, likewise."""


# One for all: it has nothing of a request's in it, and making one takes 5 µs.
TAKEN = Taken()


def is_upgrade(request: web.Request) -> bool:
    """Whether this is a well-formed WebSocket opening handshake."""
    headers = request.headers
    try:
        key = base64.b64decode(headers.get(hdrs.SEC_WEBSOCKET_KEY, ""), validate=True)
    except ValueError:
        return False
    return (
        request.method == "GET"
        and headers.get(hdrs.UPGRADE, "").strip().lower() == "websocket"
        and "upgrade" in (part.strip() for part in headers.get(hdrs.CONNECTION, "").lower().split(","))
        and headers.get(hdrs.SEC_WEBSOCKET_VERSION, "").strip() == "13"
        and len(key) == _KEY_BYTES
    )


def choose_subprotocol(request: web.Request, subprotocols: Sequence[str]) -> str | None:
    """The first of the client's subprotocols that the server knows."""
    offered = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    return next((name for name in map(str.strip, offered.split(",")) if name in subprotocols), None)


def handshake_answer(request: web.Request, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """The 101 response to a WebSocket opening handshake."""
    key = request.headers[hdrs.SEC_WEBSOCKET_KEY].strip().encode()
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class Receiver(Protocol):
    """A protocol of asyncio's, of either kind, that also takes bytes read by somebody else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is its own."""

    def data_received(self, data: bytes) -> None:
        """Takes bytes from the client."""


def take_over(request: web.Request, protocol: Receiver) -> asyncio.Transport:
    """Gives the request's transport to `protocol`; what the client sent early is fed to it soon.

    aiohttp's request, parser and tasks end as if the connection were lost, but the transport
    stays open. The handler must return `TAKEN`. Raises HTTPBadRequest when the client is gone.
    """
    handler = cast("Any", request.protocol)
    transport: asyncio.Transport | None = handler.transport
    if transport is None:
        raise web.HTTPBadRequest(text="the client is gone")
    early, handler._message_tail = handler._message_tail, b""  # noqa: SLF001
    # Without a transport of its own, aiohttp's clean-up leaves the real one open.
    handler.transport = None
    cast("RequestHandler", handler).connection_lost(None)
    transport.set_protocol(cast("asyncio.BaseProtocol", protocol))
    # aiohttp pauses reading when much arrives behind an upgrade request.
    transport.resume_reading()
    loop = asyncio.get_running_loop()
    loop.call_soon(protocol.connection_made, transport)
    if early:
        loop.call_soon(protocol.data_received, early)
    return transport


def refuse_body(request: web.Request) -> None:
    """Lets the connection close right after the answer, without reading the rest of the body."""
    handler = cast("Any", request.protocol)
    handler._lingering_time = 0.0  # noqa: SLF001


def notice_loss(request: web.Request, waiter: asyncio.Future[None]) -> None:
    """Has `waiter` fail with ConnectionError when the client of a waiting request goes away.

    aiohttp tells nobody else unless every handler of the application is cancelled.
    """
    cast("Any", request)._payload = waiter  # noqa: SLF001
