"""Opening WebSockets on connections that aiohttp has accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from .deflate import EXTENSION, offered
from .frames import frame
from .link import WebSocket
from .takeover import choose_subprotocol, handshake_answer, is_upgrade, take_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .ports import Listener

__all__ = ["WebSocket", "accept", "frame", "open_websocket"]


def open_websocket(
    request: web.Request,
    listener: Listener,
    *,
    frame_bytes: int,
    queued_bytes: int,
    subprotocol: str | None = None,
    compression: bool = False,
    first: bytes = b"",
) -> WebSocket:
    """An open WebSocket for a checked handshake; `first` follows the answer in one write."""
    socket = WebSocket(
        listener,
        frame_bytes=frame_bytes,
        queued_bytes=queued_bytes,
        subprotocol=subprotocol,
        deflates=compression and offered(request),
    )
    extra = [("Sec-WebSocket-Protocol", subprotocol)] if subprotocol else []
    if socket.deflates:
        extra.append(("Sec-WebSocket-Extensions", EXTENSION))
    transport = take_over(request, socket)
    transport.write(handshake_answer(request, extra) + first)
    socket.attach(transport)
    return socket


async def accept(
    request: web.Request,
    listener: Listener,
    *,
    frame_bytes: int,
    queued_bytes: int,
    subprotocols: Sequence[str] = (),
    heartbeat: tuple[float, float] | None = None,
    compression: bool = False,
) -> WebSocket:
    """An open WebSocket on the request's connection; the handler then returns its `response`.

    The listener hears nothing before the handler has next awaited or returned.
    `heartbeat` is how often the client is pinged, and how long it may be silent after a ping, in
    seconds. Raises HTTPBadRequest when the request is no WebSocket handshake.
    """
    if not is_upgrade(request):
        raise web.HTTPBadRequest(text="expected a WebSocket handshake")
    chosen = choose_subprotocol(request, subprotocols)
    socket = open_websocket(
        request,
        listener,
        frame_bytes=frame_bytes,
        queued_bytes=queued_bytes,
        subprotocol=chosen,
        compression=compression,
    )
    if heartbeat is not None:
        socket.beat(*heartbeat)
    return socket
