"""The one list of events, both ways: documents are made from it and tests check against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import ValidationError

from server.domain import CloseReason, MessageId, TurnReason
from server.errors import (
    Busy,
    DatabaseUnavailable,
    Forbidden,
    InternalError,
    NotJoined,
    RateLimited,
    SeanceError,
    SessionClosed,
    SessionFull,
    SessionNotFound,
    SpiritDisabled,
    Unauthorized,
    UnknownEvent,
    ValidationFailed,
)
from server.protocol import inbound, objects, outbound, shapes
from server.protocol.examples import ADA, BEN, MESSAGE, PEOPLE, SESSION, SESSION_ID, TURN_ID

Errors = tuple[type[SeanceError], ...]

_ANY: Final[Errors] = (ValidationFailed, RateLimited, InternalError)
_STORED: Final[Errors] = (DatabaseUnavailable, Busy)
_JOINED: Final[Errors] = (*_ANY, NotJoined, SessionClosed)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event that the server sends: its shape, and one that could have been sent."""

    shape: type[shapes.Shape]
    example: outbound.Event
    note: str = ""

    @property
    def name(self) -> str:
        """The event's name on the wire."""
        return self.example.name

    @property
    def summary(self) -> str:
        """One sentence on when it comes."""
        return _first_line(type(self.example))


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event that clients send: its schema, and what its acknowledgement carries.

    `ack` is the shape of the envelope's `data`, None when that is null; `errors` are what it may answer instead.
    """

    name: str
    summary: str
    schema: type[inbound.CommandSchema[Any]]
    ack: type[shapes.Shape] | None
    errors: Errors
    example: Mapping[str, object]
    ack_example: Mapping[str, object] | None = None
    object_required: bool = True


OUTGOING: Final = (
    Outgoing(
        shapes.JoinedShape,
        outbound.SessionJoined(SESSION, ADA, PEOPLE),
        "The same object as the acknowledgement of `join_session`. "
        "A raw WebSocket gets it only with the subprotocol `seance.v1`.",
    ),
    Outgoing(
        shapes.MessageShape,
        outbound.MessageReceived(MESSAGE),
        "Over Socket.IO a second argument, the string of `seq`, may follow: the client library keeps it as "
        "the offset of its connection state recovery.",
    ),
    Outgoing(
        shapes.TurnBegunShape,
        outbound.SpiritThinking(TURN_ID),
        "It follows the `message_received` that woke the spirit, and `spirit_finished` always ends it.",
    ),
    Outgoing(
        shapes.DeltaShape,
        outbound.SpiritDelta(TURN_ID, 0, "Someone "),
        "Whoever stays connected gets every piece; joined in the order of `index` they equal the final text. "
        "Pieces are not replayed.",
    ),
    Outgoing(
        shapes.TurnEndedShape,
        outbound.SpiritFinished(TURN_ID, TurnReason.COMPLETED, MessageId("5d1f8c9e-7b2a-4e6d-9f30-a1b2c3d4e5f6"), 8),
        "The text itself comes first, as a `message_received` with `is_spirit: true`.",
    ),
    Outgoing(shapes.PersonShape, outbound.UserJoined(BEN), "Two connections of one person are one arrival."),
    Outgoing(shapes.PersonShape, outbound.UserLeft(BEN), "A connection that comes back in time is no departure."),
    Outgoing(shapes.TypingShape, outbound.Typing(BEN, is_typing=True), "The connection that types is not told."),
    Outgoing(shapes.SessionShape, outbound.SessionUpdated(SESSION)),
    Outgoing(
        shapes.ClosedShape,
        outbound.SessionOver(CloseReason.ENDED),
        "Every connection of the session is closed within 5 seconds.",
    ),
    Outgoing(
        shapes.DrainingShape,
        outbound.ServerDraining(1.25),
        "Connections are closed soon after. Each client is given a time of its own, so that not all come back at once.",
    ),
    Outgoing(
        shapes.ErrorShape,
        outbound.ErrorTold(UnknownEvent(details={"event": "dance"})),
        "For a fault of an event that was sent with an acknowledgement, the acknowledgement says it instead.",
    ),
)

INCOMING: Final = (
    Incoming(
        "join_session",
        "Join a session, for a connection that named none when it connected; within 10 seconds.",
        inbound.JoinSchema,
        shapes.JoinedShape,
        (*_ANY, *_STORED, Unauthorized, Forbidden, SessionNotFound, SessionFull, SessionClosed),
        {"session_id": SESSION_ID, "user_name": "Ada", "user_id": "ada"},
        outbound.SessionJoined(SESSION, ADA, PEOPLE).data(),
    ),
    Incoming(
        "leave_session",
        "Leave the session; the seat is free within a second.",
        inbound.NothingSchema,
        None,
        (*_ANY, NotJoined),
        {},
        object_required=False,
    ),
    Incoming(
        "send_message",
        "Say something; acknowledged after the commit.",
        inbound.SendMessageSchema,
        shapes.PostedShape,
        (*_JOINED, *_STORED, Forbidden),
        {"message": "Is anyone there?", "client_message_id": "c-17"},
        objects.posted_object(MESSAGE),
    ),
    Incoming(
        "typing",
        "Tell the others that you type, or have stopped.",
        inbound.SetTypingSchema,
        None,
        (*_JOINED, Forbidden),
        {"is_typing": True},
    ),
    Incoming(
        "stop_spirit",
        "Stop the spirit; what it has said is kept.",
        inbound.StopSpiritSchema,
        None,
        (*_JOINED, *_STORED, Forbidden),
        {"scope": "turn"},
        object_required=False,
    ),
    Incoming(
        "summon_spirit",
        "Ask the spirit to speak now.",
        inbound.NothingSchema,
        None,
        (*_JOINED, *_STORED, Forbidden, SpiritDisabled),
        {},
        object_required=False,
    ),
)

EVENTS: Final[Mapping[str, Outgoing]] = {event.name: event for event in OUTGOING}
INBOUND: Final[Mapping[str, Incoming]] = {event.name: event for event in INCOMING}


def check_event(name: str, data: object) -> None:
    """Raise `ValueError` unless the server may send `data` under this name."""
    event = EVENTS.get(name)
    if event is None:
        raise ValueError(f"no such event: {name}")
    _check(event.shape, data, name)


def check_ack(name: str, data: object) -> None:
    """Raise `ValueError` unless `data` may stand in the envelope that acknowledges a client's event."""
    event = INBOUND.get(name)
    if event is None:
        raise ValueError(f"no such event: {name}")
    if event.ack is not None:
        _check(event.ack, data, name)
    elif data is not None:
        raise ValueError(f"{name}: the acknowledgement carries null")


def _check(shape: type[shapes.Shape], data: object, name: str) -> None:
    if not isinstance(data, Mapping):
        raise ValueError(f"{name}: not an object")  # noqa: TRY004 - one exception for every mismatch
    try:
        shape().load(data)
    except ValidationError as error:
        raise ValueError(f"{name}: {error.messages}") from None


def _first_line(documented: type) -> str:
    return (documented.__doc__ or "").partition("\n")[0]
