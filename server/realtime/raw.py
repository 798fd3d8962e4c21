"""The raw door: `WS /ws/{session_id}`, the same rooms without Socket.IO."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from aiohttp import web

from server.domain import SessionId
from server.engine.websocket import WebSocket, accept, frame
from server.errors import Busy, Forbidden, ValidationFailed
from server.moments import new_id
from server.protocol.wire import raw
from server.realtime.admission import Admission
from server.realtime.bundle import Bundle
from server.realtime.farewell import retry_after_seconds
from server.realtime.handlers import Handlers
from server.realtime.raw_guest import Guest
from server.realtime.raw_line import RawLine
from server.realtime.visitor import Visitor

SUBPROTOCOL: Final = "seance.v1"
FRAME_BYTES_MOST: Final = 1_048_576
QUEUED_BYTES_MOST: Final = 1_048_576

OriginAllowed = Callable[[web.Request], bool]
AddressOf = Callable[[web.Request], str]


@dataclass(slots=True, eq=False)
class RawAudience:
    """The WebSockets of a session."""

    members: dict[str, WebSocket] = field(default_factory=dict)

    def tell(self, bundle: Bundle, deaf: str = "") -> None:
        """Write events to all of them but one, framed once."""
        frames = b"".join([frame(raw(wire)) for wire in bundle.wires])
        for id_, socket in list(self.members.items()):
            if id_ != deaf:
                socket.write(frames)


class RawDoor:
    """Lets raw WebSockets in and keeps those of each session."""

    def __init__(
        self,
        handlers: Handlers,
        admission: Admission,
        origin_allowed: OriginAllowed,
        address_of: AddressOf,
        heartbeat: tuple[float, float],
    ) -> None:
        """Take what handles events, the way in, the rule for origins, who tells an address, and how to ping."""
        self._heartbeat = heartbeat
        self._handlers = handlers
        self._admission = admission
        self._origin_allowed = origin_allowed
        self._address_of = address_of
        self._audiences: defaultdict[SessionId, RawAudience] = defaultdict(RawAudience)
        self._lines: dict[Visitor, RawLine] = {}
        self._is_shut = False

    # -- the members of a session

    def add(self, session_id: SessionId, visitor: Visitor) -> RawAudience:
        """Let a WebSocket hear the session."""
        audience = self._audiences[session_id]
        audience.members[visitor.id] = self._lines[visitor].socket
        return audience

    def remove(self, session_id: SessionId, visitor: Visitor) -> None:
        """Let it hear the session no more."""
        if session_id in self._audiences:
            audience = self._audiences[session_id]
            audience.members.pop(visitor.id, None)
            if not audience.members:
                del self._audiences[session_id]

    def forget(self, visitor: Visitor) -> None:
        """Nothing brings a WebSocket back but joining anew."""

    def shut(self) -> None:
        """Answer handshakes with 503, so that a proxy may try another process."""
        self._is_shut = True

    def visitors(self) -> list[Visitor]:
        """Return all WebSockets, those that have not registered yet too."""
        return list(self._lines)

    # -- coming

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Open a WebSocket; whatever is wrong with its session is said through it."""
        if not self._origin_allowed(request):
            raise Forbidden("This origin may not connect")
        if self._is_shut:
            raise Busy("The server is going away", details={"retry_after": retry_after_seconds()})
        line = RawLine()
        visitor = Visitor(new_id(), self._address_of(request), line, self)
        session_id, forget = SessionId(request.match_info["session_id"]), partial(self._lines.pop, visitor, None)
        guest = Guest(self._handlers, self._admission, session_id, visitor, line, forget)
        try:
            line.socket = await accept(
                request,
                guest,
                frame_bytes=FRAME_BYTES_MOST,
                queued_bytes=QUEUED_BYTES_MOST,
                subprotocols=(SUBPROTOCOL,),
                heartbeat=self._heartbeat,
            )
        except web.HTTPBadRequest:
            raise ValidationFailed("A WebSocket handshake is expected here") from None
        self._lines[visitor] = line
        guest.opened(acks=line.socket.subprotocol == SUBPROTOCOL)
        return line.socket.response
