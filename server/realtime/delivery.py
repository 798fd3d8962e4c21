"""What the members of a room hear, and in which order."""

from collections.abc import Callable
from typing import Final

from server.domain import SessionId
from server.protocol.outbound import SessionOver
from server.protocol.wire import Wire, Wires
from server.realtime.bundle import Bundle
from server.realtime.holes import Holes, Log
from server.realtime.room import Arrival, Room

OVER: Final = SessionOver.name.encode()


class Delivery:
    """Writes to a room's members what is theirs to hear now, and keeps what has to wait.

    Messages pass the room's sequencer: members hear them in the order of `seq`, without holes; what is missing is read
    from the log. A turn's events wait for the messages before them.
    """

    def __init__(self, messages: Log, on_settled: Callable[[SessionId, Room], None]) -> None:
        """Take the log, and who is told when arrivals of a room have become members or gone."""
        self._holes = Holes(messages, self.ordered)
        self._on_settled = on_settled

    def run(self, session_id: SessionId, room: Room, run: Bundle) -> None:
        """Tell successive messages, as far as none before them is missing."""
        if room.order.passes(run.first, run.last):
            self._write_messages(session_id, room, run)
            return
        ready: list[Wire] = []
        for wire in run.wires:
            ready += room.order.offer(wire.seq, wire)
        self.ordered(session_id, room, ready)
        self._holes.fill(session_id, room)

    def ordered(self, session_id: SessionId, room: Room, wires: Wires) -> None:
        """Tell messages that the sequencer has let out."""
        if wires:
            self._write_messages(session_id, room, Bundle(wires))

    def events(self, session_id: SessionId, room: Room, wires: Wires, besides: str = "", deaf: str = "") -> None:
        """Tell events; arrivals of the user `besides` and the connection `deaf` do not hear them."""
        wires = [wire for wire in wires if not room.keeps_back(wire) and room.turn.hear(wire)]
        if room.late:
            self._holes.fill(session_id, room)
        if not wires:
            return
        self._write(session_id, room, Bundle(wires), besides, deaf)
        if wires[-1].name == OVER:
            room.is_over = True
            for visitor in room.everyone():
                visitor.line.hang_up()

    def start(self, session_id: SessionId, room: Room, seq: int) -> None:
        """Learn the head that a joiner's seat was given: a new room starts behind it."""
        self.ordered(session_id, room, room.order.start(seq))
        self._holes.fill(session_id, room)

    def exists(self, session_id: SessionId, room: Room, seq: int) -> None:
        """Learn that a message is in the log: it and some before may be missing."""
        room.order.exists(seq)
        self._holes.fill(session_id, room)

    def settle(self, session_id: SessionId, room: Room) -> None:
        """Make the arrivals members for whom the room has come far enough, and tell them what was held."""
        for arrival in room.settled():
            self._let_in(session_id, room, arrival)
        self._on_settled(session_id, room)

    def _let_in(self, session_id: SessionId, room: Room, arrival: Arrival) -> None:
        visitor = arrival.visitor
        if arrival.overrun:
            visitor.line.abort("too slow to join")
        elif not visitor.gone:
            for wire in arrival.newer():
                visitor.line.tell(wire)
            room.admit(session_id, visitor)

    def _write_messages(self, session_id: SessionId, room: Room, bundle: Bundle) -> None:
        """Write messages, and the end of a turn that waited for the last of them."""
        self._write(session_id, room, bundle)
        if room.late:
            self.events(session_id, room, room.take_late())

    def _write(self, session_id: SessionId, room: Room, bundle: Bundle, besides: str = "", deaf: str = "") -> None:
        if room.arrivals:
            for arrival in room.arrivals:
                if arrival.user_id != besides and arrival.visitor.id != deaf:
                    arrival.hold(bundle.wires)
        for audience in room.audiences:
            audience.tell(bundle, deaf)
        if room.arrivals:
            self.settle(session_id, room)
