"""One raw WebSocket from its first frame to its end."""

import asyncio
from collections.abc import Callable
from typing import Final

from server.domain import SessionId
from server.errors import NotJoined, SeanceError, UnknownEvent, ValidationFailed
from server.protocol import inbound
from server.protocol.commands import Join, Register
from server.protocol.fields import shown
from server.protocol.outbound import ErrorTold
from server.realtime.admission import Admission
from server.realtime.handlers import Handlers
from server.realtime.raw_frames import FrameId, read_object, read_said
from server.realtime.raw_line import RawLine
from server.realtime.visitor import Answer, Visitor

REGISTER: Final = inbound.RegisterSchema()
REGISTER_SECONDS: Final = 10.0


class Guest:
    """Reads the frames of one connection: the first one registers, the others are events.

    A bad frame is answered with `error` and the connection stays usable; a refused join closes it.
    """

    def __init__(
        self,
        handlers: Handlers,
        admission: Admission,
        session_id: SessionId,
        visitor: Visitor,
        line: RawLine,
        on_gone: Callable[[], object],
    ) -> None:
        """Take what handles events, the way in, where it leads, the way to the client, and who hears of the end."""
        self._on_gone = on_gone
        self._line = line
        self._handlers = handlers
        self._admission = admission
        self._session_id = session_id
        self._visitor = visitor
        self._acks = False

    def opened(self, *, acks: bool) -> None:
        """Begin to wait for the registration; `acks` tells whether the client speaks `seance.v1`."""
        self._acks = self._visitor.wants_joined = acks
        asyncio.get_running_loop().call_later(REGISTER_SECONDS, self._too_late)

    def took(self, _: bytes | bytearray) -> bool:
        """Return that every frame has to be decoded."""
        return False

    def received(self, message: str | bytes) -> None:
        """Handle a text frame, in the order of arrival; refuse a binary one."""
        if not self._handlers.admits(self._visitor):
            return
        if isinstance(message, bytes):
            self._tell_error(ValidationFailed("Binary frames are not understood"))
        else:
            self._guarded(lambda: self._visitor.in_order(lambda: self._guarded(lambda: self._heard(message))))

    def closed(self, code: int | None, _: str) -> None:
        """Let go of the seat: at once if the client said goodbye, with whatever code, or we did for good."""
        self._on_gone()
        self._admission.depart(self._visitor, clean=self._line.is_over or code is not None)

    def _heard(self, text: str) -> None:
        if not self._visitor.has_joined:
            self._register(text)
            return
        said = read_said(text)
        answer, handler = self._answer(said.id), self._handlers.by_name.get(said.event)
        if said.fault is not None:
            answer(said.fault)
        elif handler is None:
            answer(UnknownEvent(details={"event": shown(said.event)}))
        else:
            self._handlers.handle(handler, self._visitor, said.data, answer)

    def _register(self, text: str) -> None:
        said = read_object(text)
        if "event" in said:
            raise NotJoined("The first frame has to say who you are")
        wish = inbound.read(REGISTER, said)
        self._visitor.begin(self._join(wish), self._refused)

    async def _join(self, wish: Register) -> None:
        join = Join(self._session_id, wish.user_name, wish.user_id, wish.token, wish.last_seq)
        self._admission.welcome(await self._admission.seat(self._visitor, join))

    def _refused(self, result: object | SeanceError) -> None:
        if isinstance(result, ValidationFailed):
            self._tell_error(_in_a_frame_s_words(result))
        elif isinstance(result, SeanceError):
            self._line.refuse(result)

    def _answer(self, frame_id: FrameId | None) -> Answer:
        def answer(result: object | SeanceError) -> None:
            if frame_id is not None and self._acks:
                self._line.acknowledge(frame_id, result)
            elif isinstance(result, SeanceError):
                self._tell_error(result)

        return answer

    def _tell_error(self, error: object | SeanceError) -> None:
        if isinstance(error, SeanceError):
            self._visitor.tell(ErrorTold(error))

    def _guarded(self, work: Callable[[], None]) -> None:
        self._handlers.guarded(self._tell_error, work)

    def _too_late(self) -> None:
        if not self._visitor.has_joined and not self._visitor.gone:
            self._line.refuse(NotJoined("Say who you are within 10 seconds"))


def _in_a_frame_s_words(error: ValidationFailed) -> ValidationFailed:
    """Return the error with the field that everyone else calls `user_name` as the first frame has it: `name`."""
    return ValidationFailed(details={"name" if key == "user_name" else key: why for key, why in error.details.items()})
