"""What the parts of the engine need of each other, and the words they share."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .connection import Connection
    from .encoded import Encoded
    from .outgoing import Outgoing


class State(IntEnum):
    """How far a connection is."""

    OPEN = 1
    # The client was told to go, or will be by its next poll; nothing more is taken from it.
    CLOSING = 2
    CLOSED = 3


class Link(Protocol):
    """The WebSocket of a connection."""

    deflates: bool
    number: int
    outgoing: Outgoing

    def write(self, data: bytes) -> None:
        """Queues frames."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Says goodbye and closes."""

    def hang_up(self) -> None:
        """Closes without waiting for the client."""

    def abort(self, reason: str) -> None:
        """Drops it."""

    def pause_reading(self) -> None:
        """Stops taking what the client sends."""

    def resume_reading(self) -> None:
        """Takes it again."""

    @property
    def backlog_bytes(self) -> int:
        """Bytes queued."""


class Listener(Protocol):
    """Who hears what comes over a WebSocket; called inside the receive path.

    One object instead of a callback for each thing: five objects fewer for every connection, 410 bytes of 4,580.
    """

    def took(self, payload: bytes | bytearray) -> bool:
        """Whether a text message is done with, not yet decoded; else it comes to `received`."""

    def received(self, message: str | bytes) -> None:
        """A text message, or the bytes of a binary one."""

    def closed(self, code: int | None, reason: str) -> None:
        """The end: the close code that the client sent, None without one, and why."""


class Host(Protocol):
    """What a connection tells its server."""

    queued_bytes: int

    def received(self, connection: Connection, data: str | bytes) -> None:
        """A message came; may raise Malformed."""

    async def drained(self, connection: Connection) -> None:
        """Returns when the connection may send more."""

    def pong(self, connection: Connection) -> None:
        """The client answered a ping."""

    def upgraded(self, connection: Connection) -> None:
        """An upgrade is over, one way or the other."""

    def complain(self, connection: Connection, what: str) -> None:
        """The client misbehaved."""

    def closed(self, connection: Connection, reason: str) -> None:
        """The connection has ended; told once."""


class Peer(Protocol):
    """One Engine.IO connection, of either engine; nothing here waits or raises."""

    sid: str
    remote: str
    namespace_sid: str | None
    # What of it is being handled, and a packet that lacks its attachments: the layer above knows more of both.
    busy: Any
    partial: Any

    @property
    def ready(self) -> Link | None:
        """The socket to which ready frames may be written; None when they have to go through `send`."""

    def send(self, packet: Encoded) -> None:
        """Queues a packet; ignored once the connection is gone."""

    def close(self) -> None:
        """Sends what is queued, then closes."""

    def abort(self, reason: str) -> None:
        """Drops the connection and what is queued."""

    def backlog_bytes(self) -> int:
        """Bytes queued, the transport's included."""


class Reason:
    """Why a connection ended; the first five are python-engineio's words."""

    SERVER = "server disconnect"
    CLIENT = "client disconnect"
    PING_TIMEOUT = "ping timeout"
    TRANSPORT_CLOSE = "transport close"
    TRANSPORT_ERROR = "transport error"
    SLOW = "slow consumer"
    NO_CONNECT = "connect timeout"


class Receiver(Protocol):
    """The layer above the engine."""

    @property
    def asks_first(self) -> bool:
        """Whether a handler of "connect" is to be asked, with a WSGI environment, before a connection is opened."""

    def opened(self, connection: Connection) -> None:
        """A connection is there."""

    def take_event(self, connection: Connection, payload: bytes | bytearray) -> bool:
        """A packet came as text, not yet decoded; False leaves it, untouched, to whoever would take it else."""

    def received(self, connection: Connection, data: str | bytes) -> None:
        """A message came; may raise Malformed."""

    def closed(self, connection: Connection, reason: str) -> None:
        """A connection has ended."""

    async def drained(self, connection: Connection) -> None:
        """Returns when the connection may send more."""
