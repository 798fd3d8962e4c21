"""The way to one raw WebSocket."""

from typing import Final

from server.engine.websocket import WebSocket, frame
from server.errors import SeanceError, SessionClosed
from server.protocol.outbound import ErrorTold
from server.protocol.wire import Wire, WireEvent, raw
from server.realtime.raw_frames import FrameId, ack_frame

RESTART: Final = 1012


class RawLine:
    """The way to one raw WebSocket."""

    __slots__ = ("is_over", "socket")
    socket: WebSocket

    def __init__(self) -> None:
        """Begin; the socket comes with the handshake."""
        self.is_over = False

    def tell(self, wire: Wire) -> None:
        """Write one event."""
        self.socket.write(frame(raw(wire)))

    def acknowledge(self, frame_id: FrameId, result: object | SeanceError) -> None:
        """Write the answer to one frame."""
        self.socket.write(ack_frame(frame_id, result))

    def refuse(self, error: SeanceError) -> None:
        """Write an error and close with its code."""
        self.is_over = True
        self.tell(WireEvent.of(ErrorTold(error)))
        self.socket.close(error.close_code, error.code)

    def hang_up(self) -> None:
        """Close because the session is over."""
        self.is_over = True
        self.socket.close(SessionClosed.close_code, "session closed")

    def send_away(self) -> None:
        """Close because this process goes."""
        self.socket.close(RESTART, "server draining")

    def abort(self, reason: str) -> None:
        """Cut the connection off."""
        self.socket.abort(reason)

    def backlog_bytes(self) -> int:
        """Return how much waits to be read."""
        return self.socket.backlog_bytes
