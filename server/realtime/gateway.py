"""The Socket.IO door: python-socketio's rooms hold the members of each session."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Final, cast

from server.domain import SessionId, room_of
from server.engine import Accept, Handshake, Inbound, Refused, SocketServer
from server.engine.encoded import encode_text
from server.errors import InternalError, NotJoined, PayloadTooLarge, SeanceError, UnknownEvent, ValidationFailed
from server.logs import logger
from server.protocol import inbound
from server.protocol.commands import Join
from server.protocol.envelopes import acknowledgement_json
from server.protocol.fields import shown
from server.protocol.outbound import ErrorTold
from server.protocol.quick import quick_join
from server.protocol.wire import Wire, WireEvent
from server.realtime.admission import Admission, Admitted
from server.realtime.bundle import Bundle
from server.realtime.handlers import JOIN, Handler, Handlers
from server.realtime.tickets import Ticket
from server.realtime.visitor import Visitor

log = logger()

JOIN_SECONDS: Final = 10.0
# So many who left are remembered; they might come back within a day, but do so within seconds if at all.
LEFT_MOST: Final = 10_000
CLEAN_REASONS: Final = frozenset({"client disconnect", "server disconnect"})


class SocketIoLine:
    """The way to one Socket.IO client."""

    __slots__ = ("_sid", "_sio", "recovers")

    def __init__(self, sio: SocketServer, sid: str, *, recovers: bool) -> None:
        """Take the client's id and whether its library is to keep offsets."""
        self._sio = sio
        self._sid = sid
        self.recovers = recovers

    def tell(self, wire: Wire) -> None:
        """Write one event."""
        self._sio.write(self._sid, encode_text(wire.socket_io(with_offset=self.recovers)))

    def refuse(self, error: SeanceError) -> None:
        """Write an error and disconnect."""
        self.tell(WireEvent.of(ErrorTold(error)))
        self._sio.close(self._sid)

    def hang_up(self) -> None:
        """Disconnect: socket.io-client will not come back by itself."""
        self._sio.close(self._sid)

    def send_away(self) -> None:
        """Close the transport only: socket.io-client comes back by itself."""
        self._sio.abort(self._sid, "server draining")

    def abort(self, reason: str) -> None:
        """Cut the connection off."""
        self._sio.abort(self._sid, reason)

    def backlog_bytes(self) -> int:
        """Return how much waits to be read."""
        return self._sio.backlog_bytes(self._sid)


@dataclass(slots=True, eq=False)
class SocketIoAudience:
    """Those of a session's clients who may recover, or those who may not, in a room of their own."""

    sio: SocketServer
    room: str
    recovers: bool
    members: set[str] = field(default_factory=set)

    def tell(self, bundle: Bundle, deaf: str = "") -> None:
        """Write events to all of them but one."""
        self.sio.broadcast_frames(self.room, bundle.frames if self.recovers else bundle.plain_frames, deaf)


class SocketIoDoor:
    """Lets Socket.IO clients in at connect or by event, and keeps each session's in its rooms.

    A session has two rooms: one for clients that may recover, who get the `seq` as a second argument of
    `message_received` (socket.io-client takes it as its offset), and one for the others.
    """

    def __init__(self, sio: SocketServer, handlers: Handlers, admission: Admission) -> None:
        """Take the Socket.IO server and put its handlers in place."""
        self._sio = sio
        self._handlers = handlers
        self._admission = admission
        self._visitors: dict[str, Visitor] = {}
        self._left: dict[str, None] = {}
        self._audiences: dict[tuple[SessionId, bool], SocketIoAudience] = {}
        sio.on_connect(self._connect)
        for name, handler in handlers.by_name.items():
            sio.on_packet(name, partial(self._event, handler))
        sio.on_unknown(partial(self._event, None))
        sio.on_oversize(self._oversize)
        sio.on_gone(self._gone)

    # -- the members of a session

    def add(self, session_id: SessionId, visitor: Visitor) -> SocketIoAudience:
        """Put a client into the session's room."""
        kind = (session_id, visitor.recovers)
        audience = self._audiences.get(kind)
        if audience is None:
            audience = self._audiences[kind] = SocketIoAudience(self._sio, _room(*kind), visitor.recovers)
        audience.members.add(visitor.id)
        self._sio.enter(visitor.id, audience.room)
        return audience

    def remove(self, session_id: SessionId, visitor: Visitor) -> None:
        """Take it out."""
        kind = (session_id, visitor.recovers)
        audience = self._audiences.get(kind)
        if audience is None:
            return
        self._sio.leave(visitor.id, audience.room)
        audience.members.discard(visitor.id)
        if not audience.members:
            del self._audiences[kind]

    def forget(self, visitor: Visitor) -> None:
        """Keep a client that left from coming back by its `pid`, and what it hears elsewhere from being an offset."""
        visitor.recovers = cast("SocketIoLine", visitor.line).recovers = False
        self._left[visitor.id] = None
        if len(self._left) > LEFT_MOST:
            del self._left[next(iter(self._left))]

    def shut(self) -> None:
        """Answer handshakes with 503: socket.io-client comes back by itself, which it would not after a refusal."""
        self._sio.shut()

    def visitors(self) -> list[Visitor]:
        """Return all clients, those that have not joined yet too."""
        return list(self._visitors.values())

    # -- coming

    async def _connect(self, handshake: Handshake) -> Accept:
        ticket = self._ticket_of(handshake)
        wish = _wish(handshake.auth, ticket)
        line = SocketIoLine(self._sio, handshake.sid, recovers=wish is not None)
        visitor = Visitor(handshake.sid, handshake.remote, line, self, recovers=wish is not None)
        if wish is None:
            self._visitors[visitor.id] = visitor
            return Accept(after=lambda: self._expect_join(visitor))
        admitted = await self._seated(visitor, wish, ticket)
        self._visitors[visitor.id] = visitor
        keeps = ticket is not None and admitted.misses_nothing
        return Accept(
            after=partial(self._welcome, admitted),
            recovery=handshake.recovered if keeps else Ticket.of(admitted).as_list(),
        )

    def _ticket_of(self, handshake: Handshake) -> Ticket | None:
        """Return what a returning client proved, unless it left meanwhile, or asks for another session now."""
        if handshake.recovered is None or self._left.pop(handshake.sid, "here") is None:
            return None
        ticket = Ticket.read(handshake.recovered)
        said = handshake.auth
        asked = said.get("session_id", ticket.session_id) if isinstance(said, dict) else ticket.session_id
        return ticket if asked == ticket.session_id else None

    async def _seated(self, visitor: Visitor, wish: Join, ticket: Ticket | None) -> Admitted:
        try:
            return await self._admission.seat(visitor, wish, admitted_before=ticket.token_id if ticket else None)
        except SeanceError as error:
            raise Refused(error.as_dict()) from None
        except Exception:
            log.exception("connect.failed", connection_id=visitor.id)
            raise Refused(InternalError().as_dict()) from None

    def _welcome(self, admitted: Admitted) -> None:
        self._admission.welcome(admitted)

    def _expect_join(self, visitor: Visitor) -> None:
        asyncio.get_running_loop().call_later(JOIN_SECONDS, self._too_late, visitor)

    def _too_late(self, visitor: Visitor) -> None:
        if not visitor.has_joined and not visitor.gone:
            visitor.line.refuse(NotJoined("Join a session within 10 seconds"))

    # -- events

    def _event(self, handler: Handler | None, event: Inbound) -> None:
        visitor, args = self._visitors.get(event.sid), event.args
        event.args = ()  # what was said need not be kept until its answer
        if visitor is None or not self._handlers.admits(visitor):
            return
        answer = partial(_answer, visitor, event)
        if handler is None:
            answer(UnknownEvent(details={"event": shown(event.name)}))
        elif len(args) > 1:
            answer(ValidationFailed(details={"_schema": ["Expected one object."]}))
        else:
            self._handlers.handle(handler, visitor, args[0] if args else None, answer)

    def _oversize(self, event: Inbound) -> None:
        visitor = self._visitors.get(event.sid)
        if visitor is not None and self._handlers.admits(visitor):
            _answer(visitor, event, PayloadTooLarge(details={"bytes": event.size_bytes}))

    # -- going

    def _gone(self, sid: str, reason: str) -> None:
        if (visitor := self._visitors.pop(sid, None)) is not None:
            self._admission.depart(visitor, clean=reason in CLEAN_REASONS)


def _room(session_id: SessionId, recovers: bool) -> str:
    return room_of(session_id) if recovers else f"{room_of(session_id)}:plain"


def _answer(visitor: Visitor, event: Inbound, result: object | SeanceError) -> None:
    if event.ack_id is not None:
        event.answer_json(acknowledgement_json(result))
    elif isinstance(result, SeanceError):
        visitor.tell(ErrorTold(result))


def _wish(said: object, ticket: Ticket | None) -> Join | None:
    """Return the join that came with CONNECT; None for a client that will join by event."""
    try:
        if ticket is not None:
            return inbound.read(JOIN, ticket.wish(said if isinstance(said, dict) else {}))
        if said is None or (isinstance(said, dict) and "session_id" not in said):
            return None
        return quick_join(said) or inbound.read(JOIN, said)
    except SeanceError as error:
        raise Refused(error.as_dict()) from None
