"""What a WebSocket's messages do: to a connection that is on it, or that is about to move to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .frames import frame
from .packets import Malformed
from .ports import Reason, State

if TYPE_CHECKING:
    from .connection import Connection
    from .link import WebSocket
    from .ports import Receiver

GOODBYE, PROTOCOL_FAULT = 1000, 1002
PROBE, PROBE_ANSWER, UPGRADE = "2probe", frame(b"3probe"), "5"


class Guard:
    """Feeds a WebSocket's messages to a connection, and ends it for a malformed one."""

    __slots__ = ("_connection", "_receiver")

    def __init__(self, connection: Connection, receiver: Receiver) -> None:
        self._connection = connection
        self._receiver = receiver

    def took(self, payload: bytes | bytearray) -> bool:
        """Whether a text message, not yet decoded, is done with."""
        return self._receiver.take_event(self._connection, payload)

    def received(self, packet: str | bytes) -> None:
        """One message."""
        connection = self._connection
        try:
            connection.receive(packet)
        except Malformed as fault:
            connection.host.complain(connection, str(fault))
            connection.fail(Reason.TRANSPORT_ERROR)

    def closed(self, code: int | None, reason: str) -> None:
        """The end of the WebSocket.

        Only a client that means to go closes with 1000: python-socketio does so before its DISCONNECT was
        written. socket.io-client, which may come back, gives no code.
        """
        if reason == Reason.SLOW:
            self._connection.lost(Reason.SLOW)
        else:
            self._connection.lost(Reason.CLIENT if code == GOODBYE else Reason.TRANSPORT_CLOSE)


class Upgrade:
    """One attempt of a polling connection to move to a WebSocket: probe, answer, upgrade."""

    def __init__(self, connection: Connection, receiver: Receiver) -> None:
        self._connection = connection
        self._receiver = receiver
        self._guard: Guard | None = None
        self._refused = False
        self.socket: WebSocket | None = None

    def took(self, payload: bytes | bytearray) -> bool:
        """Whether a text message, not yet decoded, is done with: none is before the move."""
        return self._guard is not None and self._guard.took(payload)

    def received(self, packet: str | bytes) -> None:
        """One message on the WebSocket, before and after the move."""
        socket, connection = self.socket, self._connection
        if self._guard is not None:
            self._guard.received(packet)
        elif socket is None or connection.state is not State.OPEN:
            self.give_up()
        elif packet == PROBE and not connection.upgrading:
            connection.start_upgrade()
            socket.write(PROBE_ANSWER)
        elif packet == UPGRADE and connection.upgrading:
            self._guard = Guard(connection, self._receiver)
            connection.host.upgraded(connection)
            connection.finish_upgrade(socket)
        else:
            self.give_up()

    def give_up(self) -> None:
        """Leaves the connection where it is and closes the WebSocket."""
        if self._guard is None and self.socket is not None:
            self.socket.close(PROTOCOL_FAULT)

    def refuse(self) -> None:
        """Closes the WebSocket without touching the connection, which has another one."""
        self._refused = True
        self.give_up()

    def closed(self, code: int | None, reason: str) -> None:
        """The end of the WebSocket."""
        if self._guard is not None:
            self._guard.closed(code, reason)
        elif not self._refused:
            self._connection.cancel_upgrade()
            self._connection.host.upgraded(self._connection)
