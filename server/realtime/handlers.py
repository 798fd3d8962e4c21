"""What each client event does, for both doors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from server.core.access import Access
from server.core.limits import Limits
from server.core.messages import Messages, drafted
from server.core.presence import Presence
from server.core.sessions import Sessions
from server.core.turns import Turns
from server.domain import SessionId
from server.errors import InternalError, NotJoined, RateLimited, SeanceError
from server.logs import logger
from server.protocol import inbound
from server.protocol.outbound import Typing
from server.protocol.quick import quick_message
from server.realtime.admission import Admission
from server.realtime.broadcast import Rooms
from server.realtime.visitor import Answer, Place, Visitor

log = logger()

Handler = Callable[[Visitor, object, Answer], None]

SEND_MESSAGE = inbound.SendMessageSchema()
SET_TYPING = inbound.SetTypingSchema()
STOP_SPIRIT = inbound.StopSpiritSchema()
NOTHING = inbound.NothingSchema()
JOIN = inbound.JoinSchema()


@dataclass(frozen=True, slots=True)
class Core:
    """What the doors ask."""

    access: Access
    limits: Limits
    sessions: Sessions
    messages: Messages
    presence: Presence
    turns: Turns

    def heard_elsewhere(self, session_id: SessionId, name: str, data: bytes) -> None:
        """Hear what another process says of a session."""
        if not self.presence.heard_elsewhere(session_id, name, data):
            self.turns.heard_elsewhere(session_id, name, data)


class Handlers:
    """One method per event, found `by_name`: checks what was said, asks the core, answers once."""

    def __init__(self, core: Core, rooms: Rooms, admission: Admission) -> None:
        """Take the core, the rooms of this process, and the way in."""
        self._core = core
        self._rooms = rooms
        self._admission = admission
        self.by_name: dict[str, Handler] = {
            "join_session": self.join_session,
            "leave_session": self.leave_session,
            "send_message": self.send_message,
            "typing": self.typing,
            "stop_spirit": self.stop_spirit,
            "summon_spirit": self.summon_spirit,
        }

    def handle(self, handler: Handler, visitor: Visitor, said: object, answer: Answer) -> None:
        """Handle one event in its turn; every error becomes its answer."""
        if visitor.work is None:
            self.guarded(answer, handler, visitor, said, answer)
        else:
            turn = partial(self.guarded, answer, handler, visitor, said, answer)
            self.guarded(answer, visitor.wait, turn)

    def guarded(self, answer: Answer, work: Callable[..., None], *arguments: object) -> None:
        """Do something whose errors are the answer."""
        try:
            work(*arguments)
        except SeanceError as error:
            answer(error)
        except Exception:
            log.exception("event.failed")
            answer(InternalError())

    def admits(self, visitor: Visitor) -> bool:
        """Count whatever a connection sends, good or bad, and end one that floods us."""
        try:
            self._core.limits.event(visitor.id)
        except RateLimited as error:
            visitor.line.refuse(error)
            return False
        return True

    # -- events

    def join_session(self, visitor: Visitor, said: object, answer: Answer) -> None:
        """Join, and hear what was missed."""
        wish = inbound.read(JOIN, said)
        visitor.begin(self._admission.join_by_event(visitor, wish), answer)

    def leave_session(self, visitor: Visitor, said: object, answer: Answer) -> None:
        """Leave for good; the seat is free at once."""
        inbound.read(NOTHING, {} if said is None else said)
        if visitor.place is None:
            raise NotJoined
        visitor.begin(self._admission.leave(visitor), answer)

    def send_message(self, visitor: Visitor, said: object, answer: Answer) -> None:
        """Post a message; the answer comes after its commit."""
        place = _speaker(visitor)
        text, client_message_id = quick_message(said) or inbound.read(SEND_MESSAGE, said)
        self._core.limits.message(place.session_id, place.user.user_id)
        self._core.messages.post(drafted(place.session_id, place.user, text, client_message_id), answer)

    def typing(self, visitor: Visitor, said: object, answer: Answer) -> None:
        """Tell the others whether a person types."""
        place = _speaker(visitor)
        command = inbound.read(SET_TYPING, said)
        self._rooms.tell_besides(visitor, place.session_id, Typing(place.user, command.is_typing))
        if command.is_typing:
            self._core.turns.typing(place.session_id)
        answer(None)

    def stop_spirit(self, visitor: Visitor, said: object, answer: Answer) -> None:
        """End the spirit's turn."""
        place = _speaker(visitor)
        command = inbound.read(STOP_SPIRIT, {} if said is None else said)
        self._core.turns.stop(place.session_id, place.user, command.scope)
        answer(None)

    def summon_spirit(self, visitor: Visitor, said: object, answer: Answer) -> None:
        """Ask the spirit to speak now."""
        place = _speaker(visitor)
        inbound.read(NOTHING, {} if said is None else said)
        visitor.begin(self._summon(place), answer)

    async def _summon(self, place: Place) -> None:
        self._core.turns.summon(await self._core.sessions.get(place.session_id), place.user)


def _speaker(visitor: Visitor) -> Place:
    place = visitor.place
    if place is None:
        raise NotJoined
    if place.identity is not None:
        place.identity.may_speak()
    return place
