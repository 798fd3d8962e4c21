"""A server's end of one WebSocket, on a transport taken over from aiohttp."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .deadlines import LOOK_SECONDS
from .deflate import MIN_BYTES, deflate
from .frame_parser import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    FrameParser,
    read_close,
    read_text,
)
from .frames import ProtocolFault, binary_frame, close_frame, deflated_frame, frame, ping_frame, pong_frame
from .incoming import incoming
from .outgoing import NOBODY, Outgoing, outgoing
from .takeover import TAKEN

if TYPE_CHECKING:
    from aiohttp import web

    from .ports import Listener

NORMAL = 1000
NO_STATUS = 1005  # stands for a close frame without a code (RFC 6455, 7.1.5)
CLOSE_SECONDS = 1.0


class WebSocket(asyncio.BufferedProtocol):
    """Writes that never wait, and a listener for what arrives.

    Once it was told of the end it is told nothing more, and every write is ignored.
    """

    __slots__ = (
        "_buffer",
        "_closing",
        "_heartbeat",
        "_limit",
        "_listener",
        "_parser",
        "_transport",
        "deflates",
        "heard",
        "number",
        "outgoing",
        "subprotocol",
    )

    def __init__(
        self,
        listener: Listener,
        *,
        frame_bytes: int,
        queued_bytes: int,
        subprotocol: str | None = None,
        deflates: bool = False,
    ) -> None:
        self._listener: Listener | None = listener
        self._limit = queued_bytes
        self._parser: FrameParser | None = FrameParser(frame_bytes, deflates=deflates)
        self._transport: asyncio.Transport | None = None
        self._buffer = incoming()
        self.outgoing: Outgoing = outgoing()
        self.number = NOBODY
        self._closing = False
        self._heartbeat: asyncio.TimerHandle | None = None
        self.subprotocol = subprotocol
        self.deflates = deflates
        self.heard = True  # a watchdog sets it to False and looks again later

    # -- writing

    def write(self, data: bytes) -> None:
        """Queues ready frames; what one turn of the loop brings leaves in one write."""
        if not self._closing:
            self.outgoing.write_one(self.number, data)

    def write_now(self, frames: bytes) -> None:
        """Hands frames to the transport, and cuts off a client that lets more than the bound wait there."""
        transport = self._transport
        if transport is not None and not self._closing and not transport.is_closing():
            transport.write(frames)
            if transport.get_write_buffer_size() > self._limit:
                self.abort("slow consumer")

    def pause_writing(self) -> None:
        """Called by the transport once something waits in it: what follows has to wait there, too."""
        if not self._closing:
            self.outgoing.enter(self, None)

    def resume_writing(self) -> None:
        """Called by the transport once nothing waits in it any more."""
        if not self._closing and self._transport is not None:
            self.outgoing.enter(self, _descriptor_of(self._transport))

    def send_text(self, text: str | bytes) -> None:
        """Queues one text message."""
        payload = text.encode() if isinstance(text, str) else text
        if self.deflates and len(payload) >= MIN_BYTES:
            self.write(deflated_frame(deflate(payload)))
        else:
            self.write(frame(payload))

    def send_binary(self, data: bytes) -> None:
        """Queues one binary message."""
        self.write(binary_frame(data))

    def ping(self) -> None:
        """Queues a ping; any WebSocket client answers it by itself."""
        self.write(ping_frame())

    @property
    def backlog_bytes(self) -> int:
        """What is queued here and in the transport."""
        transport = self._transport
        return self.outgoing.waiting_bytes(self) + (transport.get_write_buffer_size() if transport else 0)

    # -- heartbeat

    def beat(self, interval: float, timeout: float) -> None:
        """Pings every `interval` seconds, and drops a client that is silent for `timeout` seconds after one."""
        self._heartbeat = asyncio.get_running_loop().call_later(interval, self._ask, interval, timeout)

    def _ask(self, interval: float, timeout: float) -> None:
        self.heard = False
        self.ping()
        self._heartbeat = asyncio.get_running_loop().call_later(timeout, self._look, interval, timeout)

    def _look(self, interval: float, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        if self.heard:
            self._heartbeat = loop.call_later(max(0.0, interval - timeout), self._ask, interval, timeout)
        else:  # or not read yet, if the process stood still: uvloop looks at its timers first
            self._heartbeat = loop.call_later(LOOK_SECONDS, self._miss, interval, timeout)

    def _miss(self, interval: float, timeout: float) -> None:
        if self.heard:
            self._look(interval, timeout)
        else:
            self.abort("ping timeout")

    # -- reading

    def pause_reading(self) -> None:
        """Lets what the client sends wait in its own buffers."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Takes it up again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the transport has no better idea than ours
        """Called by the transport."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the transport."""
        self.data_received(bytes(self._buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Takes bytes from the client."""
        self.heard = True
        parser = self._parser
        if parser is None:
            return
        try:
            texts, rest = parser.take_texts(data)
            for text in texts:
                listener = self._listener
                if listener is not None and not listener.took(text):
                    listener.received(read_text(text))
            if rest:
                for opcode, payload in parser.feed(rest):
                    self._received(opcode, payload)
        except ProtocolFault as fault:
            self.close(fault.code, fault.reason)

    def _received(self, opcode: int, payload: bytes | bytearray) -> None:
        listener = self._listener
        if listener is None:
            self._received_late(opcode)
        elif opcode == TEXT:
            listener.received(read_text(payload))
        elif opcode == BINARY:
            listener.received(bytes(payload))
        elif opcode == PING:
            self.write(pong_frame(payload))
        elif opcode == CLOSE:
            code, reason = read_close(payload)
            told = NO_STATUS if code is None else code
            self._finish(NORMAL if code is None else code, "", told, reason or "closed")
            self._received_late(opcode)

    def _received_late(self, opcode: int) -> None:
        if opcode == CLOSE and self._transport is not None:
            self._parser = None
            self._transport.close()

    # -- the end

    @property
    def closed(self) -> bool:
        """Whether writes are ignored by now."""
        return self._closing

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Says goodbye with `code` and closes, at most `CLOSE_SECONDS` later."""
        self._finish(code, reason, None, reason or "closed by the server")

    def _finish(self, code: int, reason: str, told: int | None, why: str) -> None:
        if self._closing:
            return
        self.write_now(self.outgoing.take(self) + close_frame(code, reason))
        if self._closing:  # the last write was one too many
            return
        self._closing = True
        transport = self._transport
        if transport is not None:
            # Closing at once could reset the connection before the client read why.
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, transport.abort)
        self._end(told, why)

    def hang_up(self) -> None:
        """Closes without waiting for the client to agree."""
        self.close()
        transport = self._transport
        if transport is not None:
            self._parser = None
            transport.close()

    def abort(self, reason: str = "aborted") -> None:
        """Drops the connection and all that is queued, now."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()
        self._end(None, reason)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the transport."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the transport."""
        self._closing = True
        self._transport = None
        self._end(None, "connection lost" if exc is None else "connection reset")

    def _end(self, code: int | None, reason: str) -> None:
        listener, self._listener = self._listener, None
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            self._heartbeat = None
        self.outgoing.leave(self)
        if listener is not None:
            listener.closed(code, reason)

    def attach(self, transport: asyncio.Transport) -> None:
        """Gives it its transport; called once, by `accept`."""
        self._transport = transport
        self.outgoing.enter(self, _descriptor_of(transport))
        # So that it says at once when something waits in it.
        transport.set_write_buffer_limits(high=0)
        if transport.get_write_buffer_size():
            self.pause_writing()

    @property
    def response(self) -> web.StreamResponse:
        """What the aiohttp handler must return."""
        return TAKEN


def _descriptor_of(transport: asyncio.Transport) -> int | None:
    """The descriptor that takes a transport's bytes as they are; None where it has none, or encrypts."""
    socket = transport.get_extra_info("socket")
    if socket is None or transport.get_extra_info("sslcontext") is not None:
        return None
    descriptor: int = socket.fileno()
    return descriptor if descriptor >= 0 else None
