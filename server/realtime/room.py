"""One session on this process: who hears it here, who is just arriving, and how far they all are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from server.core.sequencer import Sequencer
from server.core.turn_watch import TURN_END, TURN_EVENTS, TurnWatch
from server.domain import Participant, SessionId
from server.protocol.codec import dumps, loads
from server.protocol.objects import person_object
from server.protocol.outbound import UserJoined, UserLeft
from server.protocol.wire import Wire, Wires
from server.realtime.visitor import Audience, Visitor

HELD_EVENTS_MOST: Final = 2_000
JOINED: Final = UserJoined.name.encode()
LEFT: Final = UserLeft.name.encode()


@dataclass(slots=True, eq=False)
class Arrival:
    """A connection between its seat and its first live event: what is told meanwhile waits here.

    It is settled once it was told everything up to `settles_at`, and the room has come as far.
    """

    visitor: Visitor
    user_id: str
    held: list[Wire] = field(default_factory=list)
    overrun: bool = False
    settles_at: int | None = None

    def hold(self, events: Wires) -> None:
        """Keep events until the joiner was told what came before."""
        if len(self.held) + len(events) > HELD_EVENTS_MOST:
            self.overrun = True
        else:
            self.held.extend(events)

    def forget_turn(self) -> None:
        """Drop what was held of the turn, because the joiner is told of it as a whole."""
        self.held = [event for event in self.held if event.name not in TURN_EVENTS]

    def forget_arrivals(self, users: Collection[Participant]) -> None:
        """Drop news of people who came before the joiner was seated, because the joiner is told of them as `users`.

        When a room fills at once that is half of what was held.
        """
        known = {dumps(person_object(user)) for user in users}
        held: list[Wire] = []
        for event in self.held:
            if event.name == LEFT:
                known.discard(event.data)  # who comes back after that is news
            if event.name != JOINED or event.data not in known:
                held.append(event)
        self.held = held

    def newer(self) -> Iterable[Wire]:
        """Return what was held, without the messages the joiner has already."""
        seen = self.settles_at or 0
        return (event for event in self.held if not event.seq or event.seq > seen)


@dataclass(slots=True, eq=False)
class Room:
    """The members and arrivals of one session here, and the order in which they hear its messages."""

    order: Sequencer[Wire] = field(default_factory=Sequencer)
    members: set[Visitor] = field(default_factory=set)
    audiences: list[Audience] = field(default_factory=list)
    arrivals: set[Arrival] = field(default_factory=set)
    turn: TurnWatch = field(default_factory=TurnWatch)
    is_filling: bool = False
    attended: int = 0
    late: list[Wire] = field(default_factory=list)
    is_over: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether nobody is or will be here, nor a turn of the spirit."""
        return not self.members and not self.arrivals and not self.attended

    def everyone(self) -> list[Visitor]:
        """Return the members and those who are just arriving."""
        return [*self.members, *(arrival.visitor for arrival in self.arrivals)]

    def admit(self, session_id: SessionId, visitor: Visitor) -> None:
        """Make a connection a member."""
        self.members.add(visitor)
        audience = visitor.door.add(session_id, visitor)
        if audience not in self.audiences:
            self.audiences.append(audience)

    def dismiss(self, session_id: SessionId, visitor: Visitor) -> None:
        """Take a member out."""
        self.members.discard(visitor)
        visitor.door.remove(session_id, visitor)
        self.audiences = [audience for audience in self.audiences if audience.members]

    def keeps_back(self, wire: Wire) -> bool:
        """Keep an end of a turn, and the turn's events after it, while a message is missing: the text comes first."""
        if wire.name == TURN_END:
            end = cast("dict[str, Any]", loads(wire.data))
            self.order.exists(end.get("seq", 0))  # news of the text itself may be lost
        is_early = bool(self.late) or (wire.name == TURN_END and self.order.lacks is not None)
        if is_early and wire.name in TURN_EVENTS:
            self.late.append(wire)
            return True
        return False

    def take_late(self) -> list[Wire]:
        """Take out and return what was kept back, once no message is missing."""
        if self.order.lacks is not None:
            return []
        late, self.late = self.late, []
        return late

    def settled(self) -> list[Arrival]:
        """Take out and return the arrivals that can become members now."""
        delivered = self.order.delivered
        ready = [
            arrival
            for arrival in self.arrivals
            if arrival.settles_at is not None and delivered is not None and delivered >= arrival.settles_at
        ]
        self.arrivals.difference_update(ready)
        return ready
