"""A Socket.IO server with direct handlers beside python-socketio's own interface."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import engineio
import socketio
from socketio import packet as sio_packet

from .complaints import Complaints
from .direct import Direct
from .dispatch import Dispatch
from .encoded import Encoded, encode_text
from .engine import Engine
from .fan_out import FanOut
from .limits import Limits
from .messages import RESERVED, read_auth
from .packets import Malformed
from .rooms import indexed
from .stock import StockPeer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from .handlers import Accept, Handshake, Inbound
    from .recovery import Recovery


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # it ships no types
    """`socketio.AsyncServer` on an engine that conforms, keeps bounds and writes without tasks.

    `engine="stock"` runs the same application on python-engineio's server. With `on_connect` set,
    namespace "/" belongs to the direct handlers; other namespaces, and "/" without it, work as in
    python-socketio.
    """

    def __init__(  # noqa: PLR0913 - python-socketio's own options among them
        self,
        *,
        engine: Literal["fast", "stock"] = "fast",
        limits: Limits | None = None,
        json: Any = None,
        recovery: Recovery | None = None,
        ping_interval: float = 25,
        ping_timeout: float = 20,
        cors_allowed_origins: Any = None,
        transports: Sequence[str] | None = None,
        compression: bool = False,
        client_manager: Any = None,
        **stock_options: Any,
    ) -> None:
        self.limits = limits if limits is not None else Limits()
        self._engine = engine
        self._compression = compression
        rooms = indexed(client_manager)
        # Loggers of our own choice: for none given, python-socketio adds handlers to its own.
        stock_options.setdefault("logger", logging.getLogger("socketio.server"))
        stock_options.setdefault("engineio_logger", logging.getLogger("engineio.server"))
        super().__init__(
            client_manager=rooms,
            json=json,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            cors_allowed_origins=cors_allowed_origins,
            transports=transports,
            max_http_buffer_size=self.limits.message_bytes,
            **stock_options,
        )
        self._rooms: Any = rooms
        fast = isinstance(self.eio, Engine)
        complaints = self.eio.complaints if fast else Complaints(self.limits.log_lines_per_second)
        self._direct = Direct(self.limits, recovery, rooms, complaints)
        self._stock_peers: dict[str, StockPeer] = {}
        self.direct_sockets: dict[str, Any] | None = None
        if fast:
            self.eio.receiver = Dispatch(self, self.eio, self._direct, self.limits)
            self.direct_sockets = self.eio.sockets

    def _engineio_server_class(self) -> Any:
        if self._engine == "stock":
            return partial(engineio.AsyncServer, async_mode="aiohttp")
        return partial(Engine, limits=self.limits, compression=self._compression)

    @property
    def instrumented(self) -> bool:
        """Whether someone else listens for ended connections, as the Admin UI does."""
        return bool(self.eio.handlers.get("disconnect") != self._handle_eio_disconnect)

    @property
    def has_namespaces(self) -> bool:
        """Whether there are namespaces of python-socketio's kind."""
        return bool(self.handlers or self.namespace_handlers or self.namespaces != ["/"])

    # -- handlers

    def on_connect(self, handler: Callable[[Handshake], Awaitable[Accept]]) -> None:
        """Gives namespace "/" to the direct handlers; `handler` raises Refused to keep one out."""
        self._direct.on_connect = handler

    def on_packet(self, name: str, handler: Callable[[Inbound], None]) -> None:
        """Sets the handler of one event; ValueError for the names Socket.IO reserves."""
        if name in RESERVED:
            msg = f"{name!r} is a reserved event name"
            raise ValueError(msg)
        self._direct.handlers[name] = handler

    def on_unknown(self, handler: Callable[[Inbound], None]) -> None:
        """Sets the handler of events without one, the reserved names among them."""
        self._direct.on_unknown = handler

    def on_oversize(self, handler: Callable[[Inbound], None]) -> None:
        """Sets the handler of events over `limits.event_bytes`; their arguments are not read."""
        self._direct.on_oversize = handler

    def on_gone(self, handler: Callable[[str, str], None]) -> None:
        """Sets what is told (sid, reason) once for every accepted connection that ended."""
        self._direct.on_gone = handler

    # -- writing

    def write(self, sid: str, packet: Encoded) -> None:
        """Queues a packet for one client."""
        self._direct.write(sid, packet)

    def broadcast(self, room: str, packet: Encoded, skip: str | None = None) -> None:
        """Queues a packet for everyone in a room but `skip`."""
        self.broadcast_frames(room, packet.frames, skip)

    def broadcast_frames(self, room: str, frames: bytes, skip: str | None = None) -> None:
        """The same for text packets that are framed already, as `Encoded.frames` is."""
        fan_out = self._rooms.fan_outs.get(room)
        if skip or fan_out is None or (fan_out.others and not fan_out.is_current(self._direct.peers.get)):
            fan_out = self._fan_out(room, skip)
        fan_out.write(frames, self.write)

    def _fan_out(self, room: str, skip: str | None) -> FanOut:
        members = [sid for sid in self._rooms.members("/", room) if sid != skip]
        fan_out = FanOut(members, self._direct.peers.get)
        if not skip:
            self._rooms.fan_outs[room] = fan_out
        return fan_out

    def enter(self, sid: str, room: str) -> None:
        """Puts a client into a room; nothing happens for one that is gone."""
        if self._rooms.eio_sid_from_sid(sid, "/") is not None:
            self._rooms.basic_enter_room(sid, "/", room)

    def leave(self, sid: str, room: str) -> None:
        """Takes a client out of a room."""
        self._rooms.basic_leave_room(sid, "/", room)

    def shut(self) -> None:
        """Lets nobody new in from now on, where the engine is ours; who is here stays."""
        if isinstance(self.eio, Engine):
            self.eio.shut()

    def close(self, sid: str) -> None:
        """Tells a client that it is disconnected and closes its transport."""
        peer = self._direct.peers.get(sid)
        if peer is not None:
            peer.send(encode_text(b"41"))
            self._direct.gone(peer, self.reason.SERVER_DISCONNECT)
            peer.close()

    def abort(self, sid: str, reason: str) -> None:
        """Cuts a client off, with what it was still to be sent."""
        peer = self._direct.peers.get(sid)
        if peer is not None:
            self._direct.gone(peer, reason)
            peer.abort(reason)

    def backlog_bytes(self, sid: str) -> int:
        """Bytes that wait for a client; 0 for one that is gone."""
        peer = self._direct.peers.get(sid)
        return 0 if peer is None else peer.backlog_bytes()

    # -- python-socketio's way in

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        """Answers every CONNECT, whatever its handler does."""
        name = namespace or "/"
        known = name in self.handlers or name in self.namespace_handlers
        if not known and self.namespaces != "*" and name not in self.namespaces:
            await self._refuse(eio_sid, name, "Invalid namespace")
            return
        try:
            await super()._handle_connect(eio_sid, name, data)
        except Exception:
            sid = self.manager.sid_from_eio_sid(eio_sid, name)
            if sid is not None:
                await self.manager.disconnect(sid, name, ignore_queue=True)
            await self._refuse(eio_sid, name, "Internal error")
            raise

    async def _refuse(self, eio_sid: str, namespace: str, message: str) -> None:
        packet = self.packet_class(sio_packet.CONNECT_ERROR, data={"message": message}, namespace=namespace)
        await self._send_packet(eio_sid, packet)

    # -- the stock engine's way in

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        if self._direct.on_connect is None or not isinstance(data, str) or data[1:2] == "/":
            await super()._handle_eio_message(eio_sid, data)
            return
        peer = self._stock_peers.get(eio_sid)
        if peer is None:
            remote = self.environ[eio_sid]["aiohttp.request"].remote or ""
            peer = self._stock_peers[eio_sid] = StockPeer(self.eio, eio_sid, remote)
        try:
            await self._stock_direct(peer, data)
        except Malformed:
            self._direct.gone(peer, self.reason.TRANSPORT_ERROR)
            peer.close()

    async def _stock_direct(self, peer: StockPeer, data: str) -> None:
        kind, rest = data[:1], data[1:]
        if kind == "2":
            self._direct.receive_event(peer, data)
        elif kind == "0":
            fresh = self.eio.generate_id()
            await self._direct.connect(peer, read_auth(rest), peer.remote, fresh)
        elif kind == "1":
            self._direct.gone(peer, self.reason.CLIENT_DISCONNECT)
        elif kind != "3":
            raise Malformed("bad packet type")

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        peer = self._stock_peers.pop(eio_sid, None)
        if peer is not None:
            self._direct.gone(peer, reason)
        await super()._handle_eio_disconnect(eio_sid, reason)
