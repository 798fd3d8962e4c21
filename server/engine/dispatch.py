"""From Engine.IO messages to handlers: in order, one at a time for each client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from .messages import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    DISCONNECT,
    EVENT,
    RESERVED,
    Packet,
    read_packet,
)
from .packets import Malformed
from .ports import Reason
from .serial import Serial

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .connection import Connection
    from .direct import Direct
    from .engine import Engine
    from .limits import Limits


class Dispatch:
    """Hands each message to the direct handlers or to python-socketio.

    Direct events are handled where they arrive. Everything that awaits runs in a task that
    exists only while its client has something to do.
    """

    def __init__(self, server: Any, engine: Engine, direct: Direct, limits: Limits) -> None:
        self._server = server
        self._engine = engine
        self._direct = direct
        self._limits = limits
        self._serial: Serial[str | Packet] = Serial(self._handle, limits, engine.complaints)
        self.take_event = direct.take_event

    # -- the engine's receiver

    @property
    def asks_first(self) -> bool:
        """Only python-socketio wants the environment, which takes 12 µs to make, for namespaces of its own."""
        server = self._server
        only_direct = self._direct.on_connect is not None and not server.has_namespaces
        return not (only_direct and server.manager_initialized and not server.instrumented)

    def opened(self, connection: Connection) -> None:
        """Expects CONNECT before long."""
        self._engine.timeouts.await_connect(connection)

    def received(self, connection: Connection, data: str | bytes) -> None:
        """Handles a message, or queues it behind the one being handled."""
        direct = self._direct
        if _is_plain_event(data) and direct.on_connect is not None and connection.partial is None:
            if connection.busy is None:
                direct.receive_event(connection, data)
            else:
                self._serial.take(connection, data, len(data))
            return
        packet = self._read(connection, data)
        if packet is None:
            return
        if packet.kind in (ACK, BINARY_ACK):
            self._acknowledge(connection, packet)
        else:
            self._serial.take(connection, packet, len(data))

    def closed(self, connection: Connection, reason: str) -> None:
        """Tells the handlers that a client is gone, once its connect handler is done with it."""
        busy = self._serial.drop(connection)
        self._direct.gone(connection, reason)
        if not connection.stock and not self._server.instrumented:
            if self._server.environ:
                self._server.environ.pop(connection.sid, None)
            return
        job = self._gone(connection, reason)
        if busy is not None and isinstance(busy.current, Packet) and busy.current.kind == CONNECT:
            busy.then = job
        else:
            self._serial.spawn(job)

    async def drained(self, connection: Connection) -> None:
        """Returns when few enough packets wait."""
        await self._serial.drained(connection)

    # -- reading

    def _read(self, connection: Connection, data: str | bytes) -> Packet | None:
        """The whole packet this message completes."""
        partial: Packet | None = connection.partial
        if partial is not None:
            if isinstance(data, str):
                raise Malformed("text instead of an attachment")
            if not partial.attach(data, self._limits.attachment_bytes):
                return None
            connection.partial = None
            return partial
        if isinstance(data, bytes):
            raise Malformed("unexpected binary")
        packet = read_packet(data, self._limits.attachments)
        if packet.kind in (BINARY_EVENT, BINARY_ACK):
            self._check_binary(connection, packet)
        if packet.missing:
            connection.partial = packet
            return None
        return packet

    def _check_binary(self, connection: Connection, packet: Packet) -> None:
        if self._server.manager.sid_from_eio_sid(connection.sid, packet.namespace) is None:
            raise Malformed("binary before CONNECT")

    # -- handling

    def _handle(self, connection: Connection, packet: str | Packet) -> Coroutine[Any, Any, None] | None:
        """Handles a packet, or returns what is to be awaited for it."""
        if isinstance(packet, str):
            self._direct.receive_event(connection, packet)
            return None
        if packet.kind == CONNECT:
            self._engine.timeouts.stop_awaiting(connection)
            return self._connect(connection, packet)
        if packet.namespace == "/" and self._direct.on_connect is not None:
            if packet.kind != DISCONNECT:  # an event with attachments, or with "/" written out
                self._direct.receive_packet(connection, packet)
                return None
            self._direct.gone(connection, Reason.CLIENT)
            self._engine.timeouts.await_connect(connection)
            return None
        if packet.kind == DISCONNECT:
            return self._disconnect(connection, packet)
        return self._event(connection, packet)

    async def _connect(self, connection: Connection, packet: Packet) -> None:
        if connection.closed:  # it went while this waited for its turn, and nobody would tell of its end
            return
        server = self._server
        if packet.namespace == "/" and self._direct.on_connect is not None:
            fresh = self._engine.generate_id()
            await self._direct.connect(connection, packet.data, connection.remote, fresh)
            if connection.namespace_sid is not None and not server.has_namespaces:
                # Two kilobytes that nobody can ask for any more.
                server.environ.pop(connection.sid, None)
        else:
            connection.stock = True
            await server._handle_connect(connection.sid, packet.namespace, packet.data)  # noqa: SLF001
        if not self._joined(connection):
            self._engine.timeouts.await_connect(connection)

    def _joined(self, connection: Connection) -> bool:
        if connection.namespace_sid is not None:
            return True
        manager = self._server.manager
        return any(manager.sid_from_eio_sid(connection.sid, n) for n in manager.get_namespaces())

    async def _disconnect(self, connection: Connection, packet: Packet) -> None:
        await self._server._handle_disconnect(  # noqa: SLF001
            connection.sid, packet.namespace, Reason.CLIENT
        )
        if not self._joined(connection):
            self._engine.timeouts.await_connect(connection)

    def _event(self, connection: Connection, packet: Packet) -> Coroutine[Any, Any, None] | None:
        server = self._server
        sid = server.manager.sid_from_eio_sid(connection.sid, packet.namespace)
        if not connection.stock:
            raise Malformed("event before CONNECT")
        if packet.data[0] in RESERVED or not server.manager.is_connected(sid, packet.namespace):
            self._engine.complain(connection, "event refused")
            return None
        job: Coroutine[Any, Any, None] = server._handle_event_internal(  # noqa: SLF001
            server, sid, connection.sid, packet.data, packet.namespace, packet.id
        )
        return job

    def _acknowledge(self, connection: Connection, packet: Packet) -> None:
        """Runs the callback an answer is for; never queued, as a handler may wait for it."""
        manager = self._server.manager
        sid = manager.sid_from_eio_sid(connection.sid, packet.namespace)
        if sid is not None and packet.id in manager.callbacks.get(sid, {}) and packet.id:
            self._serial.spawn(manager.trigger_callback(sid, packet.id, packet.data))

    async def _gone(self, connection: Connection, reason: str) -> None:
        await self._engine._trigger_event(  # noqa: SLF001
            "disconnect", connection.sid, reason, run_async=False
        )


def _is_plain_event(data: str | bytes) -> TypeGuard[str]:
    """Whether this is an event in namespace "/" without attachments."""
    return data[:1] == EVENT and data[1:2] != "/"
