"""What the server says: frozen events."""

from dataclasses import dataclass
from typing import ClassVar

from server.domain import CloseReason, Message, Participant, Session, TurnId, TurnReason
from server.errors import SeanceError
from server.protocol.objects import Json, message_object, person_object, session_object, user_object


class Event:
    """Something a room or one connection is told."""

    __slots__ = ()
    name: ClassVar[str]

    def data(self) -> Json:
        """Return the object of the event."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class MessageReceived(Event):
    """A message was committed; everyone gets it, its sender too."""

    name: ClassVar[str] = "message_received"
    message: Message

    def data(self) -> Json:
        """Return the message."""
        return message_object(self.message)


@dataclass(frozen=True, slots=True)
class SpiritThinking(Event):
    """The spirit is going to answer."""

    name: ClassVar[str] = "spirit_thinking"
    turn_id: TurnId

    def data(self) -> Json:
        """Return the turn's id."""
        return {"turn_id": self.turn_id}


@dataclass(frozen=True, slots=True)
class SpiritDelta(Event):
    """A piece of the spirit's answer; not replayed."""

    name: ClassVar[str] = "spirit_delta"
    turn_id: TurnId
    index: int
    text: str

    def data(self) -> Json:
        """Return the piece and its place."""
        return {"turn_id": self.turn_id, "index": self.index, "text": self.text}


@dataclass(frozen=True, slots=True)
class SpiritFinished(Event):
    """The turn is over; always comes, after the text itself, the message with `seq`."""

    name: ClassVar[str] = "spirit_finished"
    turn_id: TurnId
    reason: TurnReason
    message_id: str | None = None
    seq: int | None = None
    stopped_by: Participant | None = None
    error: SeanceError | None = None

    def data(self) -> Json:
        """Return how it ended."""
        said: Json = {"turn_id": self.turn_id, "reason": self.reason}
        if self.message_id is not None:
            said["message_id"] = self.message_id
        if self.seq is not None:
            said["seq"] = self.seq
        if self.stopped_by is not None:
            said["stopped_by"] = person_object(self.stopped_by)
        if self.error is not None:
            said["error"] = self.error.as_dict()
        return said


@dataclass(frozen=True, slots=True)
class UserJoined(Event):
    """A person came; the others are told."""

    name: ClassVar[str] = "user_joined"
    user: Participant

    def data(self) -> Json:
        """Return who."""
        return person_object(self.user)


@dataclass(frozen=True, slots=True)
class UserLeft(Event):
    """A person's last connection is gone for good."""

    name: ClassVar[str] = "user_left"
    user: Participant

    def data(self) -> Json:
        """Return who."""
        return person_object(self.user)


@dataclass(frozen=True, slots=True)
class Typing(Event):
    """A person types or stopped typing; may be lost."""

    name: ClassVar[str] = "typing"
    user: Participant
    is_typing: bool

    def data(self) -> Json:
        """Return who and whether."""
        return {**person_object(self.user), "is_typing": self.is_typing}


@dataclass(frozen=True, slots=True)
class SessionUpdated(Event):
    """The session was changed."""

    name: ClassVar[str] = "session_updated"
    session: Session

    def data(self) -> Json:
        """Return the session as it is now."""
        return session_object(self.session)


@dataclass(frozen=True, slots=True)
class SessionOver(Event):
    """The session has ended; connections are closed soon."""

    name: ClassVar[str] = "session_closed"
    reason: CloseReason

    def data(self) -> Json:
        """Return why."""
        return {"reason": self.reason}


@dataclass(frozen=True, slots=True)
class ServerDraining(Event):
    """This process is going away: come back after `retry_after` seconds."""

    name: ClassVar[str] = "server_draining"
    retry_after: float

    def data(self) -> Json:
        """Return when to come back."""
        return {"retry_after": self.retry_after}


@dataclass(frozen=True, slots=True)
class TurnUnderWay:
    """What a joiner is told of a turn that already speaks: the next delta has `index`."""

    turn_id: TurnId
    index: int
    text: str

    def as_object(self) -> Json:
        """Return it as it is told, see `TurnShape`."""
        return {"turn_id": self.turn_id, "index": self.index, "text": self.text}


@dataclass(frozen=True, slots=True)
class Replay:
    """What a joiner that named its `last_seq` gets next: all behind `after`, or, if too much, none of it."""

    after: int
    complete: bool


@dataclass(frozen=True, slots=True)
class SessionJoined(Event):
    """Told to the joiner only, before anything else from the room."""

    name: ClassVar[str] = "session_joined"
    session: Session
    user: Participant
    users: tuple[Participant, ...]
    turn: TurnUnderWay | None = None
    replay: Replay | None = None

    def data(self) -> Json:
        """Return the room as the joiner finds it."""
        said: Json = {
            "session": session_object(self.session),
            "user": user_object(self.user),
            "users": [user_object(user) for user in self.users],
            "head": self.session.head,
        }
        if self.turn is not None:
            said["turn"] = self.turn.as_object()
        if self.replay is not None:
            said["replay"] = {"after": self.replay.after, "complete": self.replay.complete}
        return said


@dataclass(frozen=True, slots=True)
class ErrorTold(Event):
    """What went wrong with something that had no acknowledgement."""

    name: ClassVar[str] = "error"
    error: SeanceError

    def data(self) -> Json:
        """Return the error object."""
        return self.error.as_dict()
