"""One Socket.IO client on a WebSocket of its own: no library, so that one process can be thousands of people."""

import asyncio
import base64
import os
import ssl
import time
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from server.loadtest.ledger import Listener, Room, Sent
from server.loadtest.plan import RATE_LIMITED, Trouble, trouble_of

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT_SECONDS: Final = 30.0
_TEXT, _CLOSE, _PING = 0x81, 0x88, 0x89
_NO_MASK: Final = bytes(4)  # a mask of zeros is a mask, and spares us the work of masking
_MESSAGE: Final = b'42["message_received",'
_PRESENCE: Final = b'42["user_'
_SHORT, _MEDIUM = 126, 127
_LONG_BYTES: Final = 65_536
_TOO_MANY_REQUESTS: Final = b"429"


def frame(payload: bytes, first: int = _TEXT) -> bytes:
    """Return a client's frame."""
    size = len(payload)
    if size < _SHORT:
        return bytes((first, 0x80 | size)) + _NO_MASK + payload
    if size < _LONG_BYTES:
        return bytes((first, 0x80 | _SHORT)) + size.to_bytes(2, "big") + _NO_MASK + payload
    return bytes((first, 0x80 | _MEDIUM)) + size.to_bytes(8, "big") + _NO_MASK + payload


class Guest(asyncio.Protocol, Listener):
    """A person in a room: joins at connect, sends, and books everything it is told."""

    __slots__ = (
        "_buffer",
        "_joined",
        "_leaving",
        "_numbers",
        "_transport",
        "_upgraded",
        "on_answer",
        "pending",
        "room",
    )

    def __init__(self, room: Room, request: bytes, auth: dict[str, str]) -> None:
        """Take the room, the request that opens the WebSocket, and who this is."""
        super().__init__()
        self.room = room
        self.pending: dict[int, Sent] = {}
        self.on_answer: Callable[[Room, bool], None] = lambda _room, _good: None
        self._buffer = request
        self._upgraded = False
        self._leaving = False
        self._numbers = 0
        self._transport: asyncio.Transport | None = None
        # Sent as soon as it may; then the future tells how joining went.
        self._joined: tuple[dict[str, str], asyncio.Future[None]] = (auth, asyncio.get_running_loop().create_future())

    async def join(self, host: str, port: int, *, tls: ssl.SSLContext | None, source: str | None) -> None:
        """Return once this guest is in its room; raises `Trouble` or `OSError`."""
        loop = asyncio.get_running_loop()
        local = (source, 0) if source else None
        async with asyncio.timeout(CONNECT_SECONDS):
            try:
                await loop.create_connection(lambda: self, host, port, ssl=tls, local_addr=local)
            except BaseException:
                self._transport = None  # uvloop closes what we may have been given without telling us
                raise
            await self._joined[1]

    def send(self, text: str, due: float) -> None:
        """Send a message that was due at a moment of `perf_counter`."""
        if self._transport is None:
            return
        self._numbers += 1
        own_id = f"{id(self):x}-{self._numbers}"
        sent = Sent(self, self._numbers, own_id, due, counts=self.room.meter.counting)
        self.pending[self._numbers] = self.room.under_way[own_id] = sent
        said = orjson.dumps(["send_message", {"message": text, "client_message_id": own_id}])
        self._write(frame(b"42%d%b" % (self._numbers, said)))

    def leave(self) -> None:
        """Say goodbye."""
        self._leaving = True
        if self._transport is not None:
            self._write(frame(b"41"))
            self._transport.close()

    def vanish(self) -> None:
        """Be gone without a word."""
        self._leaving = True
        if self._transport is not None:
            self._transport.abort()

    # -- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._buffer)
        self._buffer = b""

    def connection_lost(self, exc: Exception | None) -> None:
        """Be out of the books; a loss that nobody wanted is a fault."""
        self._transport = None
        self._refused(Trouble("the server closed the connection while joining") if exc is None else exc)
        if not self._leaving and self in self.room.listeners:
            self.room.meter.faults.disconnected += 1
            self.room.listeners.discard(self)

    def data_received(self, data: bytes) -> None:
        """Read whole frames."""
        now = time.perf_counter()
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        start = 0 if self._upgraded else self._upgrade(data)
        end = len(data)
        while self._upgraded and end - start >= 2:  # noqa: PLR2004 - a frame's head
            size, body = data[start + 1], start + 2
            if size >= _SHORT:
                body += 2 if size == _SHORT else 8
                size = int.from_bytes(data[start + 2 : body], "big")
            if end < body + size:
                break
            self._frame(data[start], data[body : body + size], now)
            start = body + size
        if start < end:
            self._buffer = data[start:]

    def _upgrade(self, data: bytes) -> int:
        """Read the answer to the request; return where frames begin, 0 while it is not whole."""
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:  # noqa: PLR2004 - not found
            return 0
        status = data.split(b" ", 2)[1]
        if status == b"101":
            self._upgraded = True
        elif status == _TOO_MANY_REQUESTS:
            self._refused(trouble_of(RATE_LIMITED, "", token=False))
        else:
            self._refused(Trouble(f"no WebSocket at /socket.io/: the server says {status.decode()}"))
        return end

    def _frame(self, first: int, payload: bytes, now: float) -> None:
        if first == _TEXT:
            self._packet(payload, now)
        elif first == _PING:
            self._write(frame(payload, 0x8A))
        elif first == _CLOSE and self._transport is not None:
            self._transport.close()

    # -- what is said

    def _packet(self, packet: bytes, now: float) -> None:
        if packet.startswith(_MESSAGE):
            room = self.room
            if packet != room.frame:
                said = orjson.loads(packet[2:])[1]
                room.frame, room.said = packet, (said["seq"], said.get("client_message_id"))
            room.heard(self, *room.said, now)
        elif packet.startswith(_PRESENCE):
            pass  # in a room of thousands there are millions of them
        elif packet.startswith(b"43"):
            self._answered(packet, now)
        elif packet == b"2":
            self._write(frame(b"3"))
        elif packet.startswith(b"0"):
            self._write(frame(b"40" + orjson.dumps(self._joined[0])))
        elif packet.startswith(b"44"):
            told = orjson.loads(packet[2:])
            error = told.get("data") or {"code": "REFUSED", "message": told.get("message", "")}
            self._refused(trouble_of(error["code"], error["message"], token="token" in self._joined[0]))
        elif packet.startswith(b"42["):
            self._event(*orjson.loads(packet[2:])[:2])

    def _event(self, name: str, said: Any = None) -> None:
        if name == "session_joined":
            self.seq = said["head"]
            self.room.listeners.add(self)
            if not self._joined[1].done():
                self._joined[1].set_result(None)
        elif name == "error":
            self.room.meter.error(said["code"], said["message"])

    def _answered(self, packet: bytes, now: float) -> None:
        bracket = packet.index(b"[")
        sent = self.pending.pop(int(packet[2:bracket]), None)
        if sent is None:
            self.room.meter.faults.acks_doubled += 1
            return
        answer = orjson.loads(packet[bracket:])[0]
        if answer["success"]:
            self.room.acknowledged(sent, answer["data"]["seq"], now)
        else:
            self.room.under_way.pop(sent.own_id, None)
            self.room.meter.error(answer["error"]["code"], answer["error"]["message"])
        self.on_answer(self.room, answer["success"])

    def _write(self, data: bytes) -> None:
        # Where asyncio only counts what is written to a closed connection, uvloop raises.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _refused(self, why: Exception) -> None:
        if not self._joined[1].done():
            self._joined[1].set_exception(why)
        self._leaving = self._leaving or self not in self.room.listeners


def opening(host: str, path: str) -> bytes:
    """Return the request that opens a WebSocket to Socket.IO."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path}/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()
