"""Tells the members of sessions, here and on other processes; implements the core's `Broadcaster`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from server.core.ports import Backplane
from server.core.turn_watch import TurnOver
from server.domain import CloseReason, SessionId, TurnId
from server.errors import SeanceError
from server.logs import logger
from server.protocol.codec import dumps
from server.protocol.outbound import Event, MessageReceived, SessionOver, TurnUnderWay, Typing
from server.protocol.wire import Draft, WireEvent
from server.realtime.bundle import RUN, Bundle
from server.realtime.delivery import Delivery
from server.realtime.holes import Log
from server.realtime.room import Arrival, Room
from server.realtime.turn_questions import TurnQuestions
from server.realtime.visitor import Door, Visitor

log = logger()

SIGNAL: Final = b"~"
TYPING: Final = Typing.name.encode()


Elsewhere = Callable[[SessionId, str, bytes], None]


class Rooms:
    """The sessions that have members on this process.

    An event is encoded once, told here at once, and published for the others.
    """

    def __init__(self, backplane: Backplane, messages: Log) -> None:
        """Take the way to other processes, and the log."""
        self._backplane = backplane
        self._delivery = Delivery(messages, self._close_if_empty)
        self._doors: list[Door] = []
        self._rooms: dict[SessionId, Room] = {}
        self._on_elsewhere: Elsewhere = _ignore
        self._questions = TurnQuestions(self.signal)
        backplane.on_news = self._hear

    def open(self, door: Door) -> None:
        """Tell a door's connections too from now on."""
        self._doors.append(door)

    def shut(self) -> None:
        """Let nobody new in from now on; who is here stays."""
        for door in self._doors:
            door.shut()

    # -- members

    async def expect(self, session_id: SessionId, visitor: Visitor, user_id: str) -> Arrival:
        """Begin to hold what the session is told for a connection that is about to join.

        Returns once news from other processes arrives, too.
        """
        arrival = Arrival(visitor, user_id)
        self._room(session_id).arrivals.add(arrival)
        try:
            await self._backplane.listen(session_id)
        except BaseException:
            self.forget(session_id, arrival)
            raise
        return arrival

    def begin_at(self, session_id: SessionId, seq: int) -> None:
        """Learn the head that a joiner's seat was given: a new room starts behind it."""
        if (room := self._rooms.get(session_id)) is not None:
            self._delivery.start(session_id, room, seq)

    def has_come_to(self, session_id: SessionId, seq: int) -> None:
        """Learn how far a session is by now: something may be missing.

        No room starts there: whoever is just joining was given an earlier head, and is owed what came since.
        """
        if (room := self._rooms.get(session_id)) is not None:
            self._delivery.exists(session_id, room, seq)

    def is_over(self, session_id: SessionId, reason: CloseReason) -> None:
        """Learn that a session is over, if no news told of it: its members are told and sent away."""
        room = self._rooms.get(session_id)
        if room is not None and not room.is_over:
            self._delivery.events(session_id, room, [WireEvent.of(SessionOver(reason))])

    def settle(self, session_id: SessionId, arrival: Arrival, seq: int) -> None:
        """Give an arrival what was held beyond `seq` as soon as the room is there; then it hears everything."""
        arrival.settles_at = seq
        if (room := self._rooms.get(session_id)) is not None:
            self._delivery.settle(session_id, room)

    def forget(self, session_id: SessionId, arrival: Arrival) -> None:
        """Stop holding for an arrival."""
        if (room := self._rooms.get(session_id)) is not None:
            room.arrivals.discard(arrival)
            self._close_if_empty(session_id, room)

    def leave(self, session_id: SessionId, visitor: Visitor) -> None:
        """Take a connection out; it hears nothing more of the session."""
        if (room := self._rooms.get(session_id)) is not None:
            room.dismiss(session_id, visitor)
            if room.arrivals:
                room.arrivals = {arrival for arrival in room.arrivals if arrival.visitor is not visitor}
            self._close_if_empty(session_id, room)

    def turn_of(self, session_id: SessionId, arrival: Arrival) -> TurnUnderWay | None:
        """Return the turn under way for an arrival to be told of; its events from now on continue it."""
        arrival.forget_turn()
        room = self._rooms.get(session_id)
        return room.turn.under_way if room is not None else None

    async def attend(self, session_id: SessionId) -> None:
        """Follow a session, here and on other processes, even if nobody here is in it; `unattend` must follow."""
        self._room(session_id).attended += 1
        await self._backplane.listen(session_id)

    def unattend(self, session_id: SessionId) -> None:
        """Follow it only for its members again."""
        if (room := self._rooms.get(session_id)) is not None:
            room.attended -= 1
            self._close_if_empty(session_id, room)

    async def turn_elsewhere(self, session_id: SessionId, turn_id: TurnId | None) -> TurnUnderWay | TurnOver | None:
        """Return a turn as far as members on any process heard it; None if nobody did, or nobody can be asked."""
        room = self._rooms.get(session_id)
        known = room.turn.known_of(turn_id) if room is not None else None
        if known is not None:
            return known
        if not self._backplane.reaches_others:
            return None
        await self._backplane.listen(session_id)
        try:
            return await self._questions.ask(session_id, turn_id)
        finally:
            if session_id not in self._rooms:
                self._backplane.ignore(session_id)

    def is_first(self, session_id: SessionId) -> bool:
        """Tell whether other processes may know more of a session: nobody here was in it before this arrival."""
        room = self._rooms.get(session_id)
        return self._backplane.reaches_others and room is not None and not room.members and len(room.arrivals) == 1

    def turns_under_way(self) -> dict[SessionId, TurnId]:
        """Return the turns that the members here still wait for the end of."""
        turns = {session_id: room.turn.under_way for session_id, room in self._rooms.items()}
        return {session_id: turn.turn_id for session_id, turn in turns.items() if turn is not None}

    def heads(self) -> dict[SessionId, int]:
        """Return how far the members here have heard the messages of their sessions."""
        heads = ((session_id, room.order.delivered) for session_id, room in self._rooms.items())
        return {session_id: seq for session_id, seq in heads if seq is not None}

    def sessions(self) -> list[SessionId]:
        """Return the sessions that have members here."""
        return list(self._rooms)

    # -- telling

    def tell(self, session_id: SessionId, event: Event) -> None:
        """Tell everyone in the session."""
        self.tell_others(session_id, event, besides="")

    def tell_besides(self, visitor: Visitor, session_id: SessionId, event: Event) -> None:
        """Tell everyone but one connection."""
        wire = WireEvent.of(event)
        self._publish(session_id, wire)
        if (room := self._rooms.get(session_id)) is not None:
            self._delivery.events(session_id, room, [wire], deaf=visitor.id)

    def tell_others(self, session_id: SessionId, event: Event, besides: str) -> None:
        """Tell everyone but the arriving connections of one user id."""
        wire = WireEvent.of(event)
        self._publish(session_id, wire)
        if (room := self._rooms.get(session_id)) is not None:
            self._delivery.events(session_id, room, [wire], besides)

    def rename(self, session_id: SessionId, user_id: str, name: str) -> None:
        """Let a person's connections on this process speak under another name from now on."""
        if (room := self._rooms.get(session_id)) is not None:
            for visitor in room.everyone():
                if visitor.place is not None and visitor.place.user.user_id == user_id:
                    visitor.place.user = replace(visitor.place.user, user_name=name)

    def evict(self, session_id: SessionId, connection_ids: Collection[str], error: SeanceError) -> None:
        """Tell some connections of this process why they may not stay, and close them."""
        if (room := self._rooms.get(session_id)) is not None:
            for visitor in room.everyone():
                if visitor.id in connection_ids:
                    visitor.line.refuse(error)

    def signal(self, session_id: SessionId, name: str, said: Mapping[str, object]) -> None:
        """Say something to the other processes only."""
        self._publish(session_id, WireEvent(SIGNAL + name.encode(), dumps(said)))

    def on_elsewhere(self, heard: Elsewhere) -> None:
        """Call `heard` with other processes' signals, and with messages and typing in sessions that are attended."""
        self._on_elsewhere = heard

    def tell_messages(self, session_id: SessionId, messages: Sequence[Draft]) -> None:
        """Tell everyone of messages that are committed now, ascending."""
        first, last = messages[0].seq, messages[-1].seq
        if last - first >= len(messages):  # stored in several steps, with another process's in between
            for message in messages:
                self.tell_messages(session_id, [message])
            return
        run = Bundle(messages, b"", first, last)
        if self._backplane.reaches_others:
            self._backplane.publish(session_id, run.packed())
        room = self._rooms.get(session_id)
        if room is not None:
            self._delivery.run(session_id, room, run)

    def everyone(self) -> list[Visitor]:
        """Return all connections of this process, those that are in no session too."""
        return [visitor for door in self._doors for visitor in door.visitors()]

    def _room(self, session_id: SessionId) -> Room:
        room = self._rooms.get(session_id)
        if room is None:
            room = self._rooms[session_id] = Room()
        return room

    def _publish(self, session_id: SessionId, wire: WireEvent) -> None:
        if self._backplane.reaches_others:
            self._backplane.publish(session_id, wire.packed())

    # -- what is heard

    def _hear(self, session_id: SessionId, news: Sequence[bytes]) -> None:
        """Hear what one other process told in one go."""
        for piece in news:
            room = self._rooms.get(session_id)
            if not piece.startswith(RUN):
                self._hear_event(session_id, room, WireEvent.unpack(piece))
            elif room is not None:
                run = Bundle.unpack(piece)
                self._delivery.run(session_id, room, run)
                if room.attended:
                    for wire in run.wires:
                        self._on_elsewhere(session_id, MessageReceived.name, wire.data)

    def _hear_event(self, session_id: SessionId, room: Room | None, wire: WireEvent) -> None:
        if wire.name.startswith(SIGNAL):
            name = wire.name.removeprefix(SIGNAL).decode()
            if not self._questions.hear(session_id, name, wire.data, room.turn if room is not None else None):
                self._on_elsewhere(session_id, name, wire.data)
        elif room is not None:
            self._delivery.events(session_id, room, [wire])
            if wire.name == TYPING and room.attended:
                self._on_elsewhere(session_id, Typing.name, wire.data)

    def _close_if_empty(self, session_id: SessionId, room: Room) -> None:
        if room.is_empty and self._rooms.get(session_id) is room:
            del self._rooms[session_id]
            self._backplane.ignore(session_id)


def _ignore(_: SessionId, __: str, ___: bytes) -> None:
    """Hear nothing of elsewhere."""
