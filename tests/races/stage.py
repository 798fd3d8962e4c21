"""Parts of a server put together by hand, so that a test decides what comes first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.core.messages import drafted
from server.domain import Message, Participant, SessionId, UserId
from server.moments import new_id
from server.realtime.broadcast import Rooms
from server.realtime.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from server.errors import SeanceError
    from server.protocol.outbound import Event
    from server.protocol.wire import Draft, Wire
    from server.realtime.bundle import Bundle

SESSION = SessionId(new_id())


@dataclass
class Line:
    """A client's end: what it was told, in order."""

    heard: list[int] = field(default_factory=list)
    ended: str = ""

    def tell(self, wire: Wire) -> None:
        if wire.seq:
            self.heard.append(wire.seq)

    def refuse(self, error: SeanceError) -> None:
        self.ended = error.code

    def hang_up(self) -> None:
        self.ended = "hung up"

    def send_away(self) -> None:
        self.ended = "sent away"

    def abort(self, reason: str) -> None:
        self.ended = reason

    def backlog_bytes(self) -> int:
        return 0


@dataclass
class Door:
    """All clients of one kind; they are one audience."""

    there: list[Visitor] = field(default_factory=list)

    @property
    def members(self) -> list[Visitor]:
        return self.there

    def add(self, session_id: SessionId, visitor: Visitor) -> Door:
        assert session_id == SESSION
        self.there.append(visitor)
        return self

    def remove(self, session_id: SessionId, visitor: Visitor) -> None:
        assert session_id == SESSION
        self.there.remove(visitor)

    def visitors(self) -> list[Visitor]:
        return self.there

    def forget(self, visitor: Visitor) -> None:
        """Nobody comes back by itself."""

    def shut(self) -> None:
        """Nobody knocks here."""

    def tell(self, bundle: Bundle, deaf: str = "") -> None:
        for visitor in self.there:
            for wire in bundle.wires:
                if visitor.id != deaf:
                    visitor.line.tell(wire)

    def visitor(self, name: str) -> tuple[Visitor, Line]:
        """A new client of this door, who is in no session yet."""
        line = Line()
        return Visitor(name, "127.0.0.1", line, self), line


class Carrier:
    """A backplane on which the test says what arrives."""

    reaches_others = True

    def __init__(self) -> None:
        self.on_news: Callable[[SessionId, Sequence[bytes]], None] = lambda _, __: None

    async def start(self) -> None:
        """Nothing is to be reached."""

    async def aclose(self) -> None:
        """Nothing was reached."""

    async def listen(self, session_id: SessionId) -> None:
        """News would arrive."""

    def ignore(self, session_id: SessionId) -> None:
        """News would not arrive."""

    def publish(self, session_id: SessionId, news: bytes) -> None:
        """Nobody is there."""

    async def ping(self, timeout_seconds: float) -> bool:
        return timeout_seconds > 0


class Log:
    """A session's messages 1 … `head`, as a room reads them again."""

    def __init__(self, head: int) -> None:
        self.head = head
        self.reads = 0

    async def after(self, _: SessionId, seq: int, limit: int) -> list[Message]:
        self.reads += 1
        return [message(place) for place in range(seq + 1, min(self.head, seq + limit) + 1)]


class Told(Rooms):
    """A broadcaster that remembers: who was said to come and go, and who was evicted."""

    def __init__(self) -> None:
        super().__init__(Carrier(), Log(0))
        self.events: list[tuple[str, str]] = []
        self.evicted: set[str] = set()
        self.left: list[str] = []

    def tell(self, session_id: SessionId, event: Event) -> None:
        assert session_id
        assert event.name == "user_left"
        self.left.append(str(event.data()["user_id"]))

    def tell_others(self, session_id: SessionId, event: Event, besides: str) -> None:
        assert session_id
        assert besides != event.name
        self.events.append((event.name, str(event.data().get("user_id"))))

    def evict(self, session_id: SessionId, connection_ids: Collection[str], error: SeanceError) -> None:
        assert session_id
        assert error.code == "SESSION_FULL"
        self.evicted.update(connection_ids)


def message(seq: int) -> Draft:
    said = drafted(SESSION, person("ada"), f"text {seq}")
    said.seq = seq
    return said


def person(name: str) -> Participant:
    return Participant(UserId(name), name.title())
