"""One Engine.IO connection as a state machine: no socket, no clock, no task of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .codec import dumps
from .packets import RECORD_SEPARATOR, Malformed, decode_payload, packet_frame
from .ports import Reason, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from .encoded import Encoded
    from .ports import Host, Link


OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = "0123456"
PING_FRAME, CLOSE_FRAME = b"\x81\x012", b"\x81\x011"


class Connection:
    """Packets in, packets out, over polling or a WebSocket.

    `link` is the WebSocket once there is one; without it packets wait in an outbox for the next
    poll. Every method returns at once.
    """

    __slots__ = (
        "_outbox",
        "_outbox_bytes",
        "_session",
        "_wake",
        "busy",
        "host",
        "link",
        "namespace_sid",
        "partial",
        "posting",
        "ready",
        "remote",
        "sid",
        "state",
        "stock",
        "upgrading",
    )

    def __init__(self, host: Host, sid: str, remote: str, link: Link | None = None) -> None:
        self.host = host
        self.sid = sid
        self.remote = remote
        self.link: Link | None = None
        # The link as long as frames may be written to it as they are; a fan-out looks at nothing else.
        self.ready: Link | None = None
        self.state = State.OPEN
        self.upgrading = False
        self.posting = False
        self.namespace_sid: str | None = None
        # Set by the layer above: its work in progress, and a packet that lacks its attachments.
        self.busy: Any = None
        self.partial: Any = None
        self.stock = False
        self._session: dict[Any, Any] | None = None
        self._outbox: list[str] | None = None
        self._outbox_bytes = 0
        self._wake: Callable[[], None] | None = None
        if link is not None:
            self.attach(link)

    def attach(self, link: Link) -> None:
        """Goes on over a WebSocket."""
        self.link = link
        self.ready = None if link.deflates else link

    # -- what python-socketio reads

    @property
    def session(self) -> dict[Any, Any]:
        """The user session of python-engineio."""
        if self._session is None:
            self._session = {}
        return self._session

    @session.setter
    def session(self, value: dict[Any, Any]) -> None:
        self._session = value

    @property
    def upgraded(self) -> bool:
        """Whether it is on a WebSocket."""
        return self.link is not None

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self.state is not State.OPEN

    @property
    def connected(self) -> bool:
        """Whether it has not."""
        return self.state is State.OPEN

    # -- sending

    def send(self, packet: Encoded) -> None:
        """Queues packets for the client; one that lets too much wait is cut off."""
        if self.state is not State.OPEN:
            return
        if self.link is not None:
            self.link.write(packet.deflated() if self.link.deflates else packet.frames)
        else:
            self._queue(packet.packets, len(packet.frames))

    def ping(self) -> None:
        """Queues a ping."""
        if self.link is not None:
            self.link.write(PING_FRAME)
        else:
            self._queue((PING,), 1)

    def backlog_bytes(self) -> int:
        """Bytes that wait for the client."""
        return self._outbox_bytes if self.link is None else self.link.backlog_bytes

    def _queue(self, packets: tuple[str, ...], size_bytes: int) -> None:
        if self._outbox is None:
            self._outbox = []
        self._outbox.extend(packets)
        self._outbox_bytes += size_bytes
        if self._outbox_bytes > self.host.queued_bytes:
            self.abort(Reason.SLOW)
        else:
            self._rouse()

    def _rouse(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    # -- polling

    @property
    def polling(self) -> bool:
        """Whether a poll waits."""
        return self._wake is not None

    def poll(self, wake: Callable[[], None]) -> bool:
        """Whether a poll can be answered now; if not, `wake` is called once it can."""
        if self._outbox or self.upgrading or self.state is not State.OPEN:
            return True
        self._wake = wake
        return False

    def unpoll(self) -> None:
        """Forgets a waiting poll."""
        self._wake = None

    def take_payload(self) -> str:
        """What a poll is answered: all that waits, or a packet that ends the poll."""
        outbox, self._outbox, self._outbox_bytes = self._outbox, None, 0
        if self.state is State.CLOSING and outbox and outbox.pop() and outbox:
            # socket.io-client loses events that share a payload with CLOSE: it follows alone.
            self._outbox = [CLOSE]
        elif self.state is State.CLOSING:
            self.state, outbox = State.CLOSED, [CLOSE]
        return RECORD_SEPARATOR.join(outbox) if outbox else NOOP

    def receive_payload(self, body: str, max_packets: int) -> None:
        """Takes the packets of a POST; Malformed, before any was taken, when one is bad."""
        for packet in decode_payload(body, max_packets):
            self.receive(packet)

    # -- receiving

    def receive(self, packet: str | bytes) -> None:
        """Takes one packet; Malformed for what no client may send."""
        if self.state is not State.OPEN:
            return
        if isinstance(packet, bytes):
            self.host.received(self, packet)
            return
        kind = packet[:1]
        if kind == MESSAGE:
            self.host.received(self, packet[1:])
        elif kind == PONG:
            self.host.pong(self)
        elif kind == CLOSE:
            self._closed_by_client()
        elif kind != NOOP:
            raise Malformed("bad packet")

    def _closed_by_client(self) -> None:
        self._end(State.CLOSED, Reason.CLIENT)
        if self.link is not None:
            self.link.hang_up()
        self._outbox = None
        self._rouse()

    # -- upgrade

    def start_upgrade(self) -> None:
        """Holds nothing back, but answers polls at once, so that none stays open."""
        self.upgrading = True
        self._rouse()

    def cancel_upgrade(self) -> None:
        """Goes on with polling."""
        self.upgrading = False

    def finish_upgrade(self, link: Link) -> None:
        """Moves to the WebSocket, with all that waits."""
        self.upgrading = False
        self.attach(link)
        outbox, self._outbox, self._outbox_bytes = self._outbox, None, 0
        for packet in outbox or ():
            link.write(packet_frame(packet))
        self._rouse()

    # -- the end

    def close(self) -> None:
        """Ends the connection behind what is queued."""
        if self.state is not State.OPEN:
            return
        if self.link is not None:
            self.link.write(CLOSE_FRAME)
            self._end(State.CLOSED, Reason.SERVER)
            self.link.close()
        else:
            self._queue((CLOSE,), 1)
            self._end(State.CLOSING, Reason.SERVER)

    def abort(self, reason: str) -> None:
        """Ends the connection now; what is queued is dropped."""
        if self.state is State.CLOSED:
            return
        self._outbox = [CLOSE]
        self._end(State.CLOSED, reason)
        if self.link is not None:
            self.link.abort(reason)
        self._rouse()

    def fail(self, reason: str) -> None:
        """Ends the connection because of what the client did or did not do."""
        if self.state is State.CLOSED:
            return
        self._outbox = [CLOSE]
        self._end(State.CLOSED, reason)
        if self.link is not None:
            self.link.hang_up()
        self._rouse()

    def lost(self, reason: str) -> None:
        """Called when the transport is gone."""
        if self.state is not State.CLOSED:
            self._end(State.CLOSED, reason)
            self._rouse()

    def _end(self, state: State, reason: str) -> None:
        told = self.state is not State.OPEN
        self.state = state
        self.ready = None
        if not told:
            self.host.closed(self, reason)


def open_packet(sid: str, upgrades: list[str], ping_interval: float, ping_timeout: float, max_payload: int) -> bytes:
    """The packet that answers a handshake; times in seconds, told in whole milliseconds."""
    return b"0" + dumps(
        {
            "sid": sid,
            "upgrades": upgrades,
            "pingInterval": round(ping_interval * 1000),
            "pingTimeout": round(ping_timeout * 1000),
            "maxPayload": max_payload,
        }
    )
