"""What a process knows of a session's turn, whoever runs it: the turn as a joiner has to know it."""

from dataclasses import dataclass
from typing import Any, Final, cast

from server.domain import TurnId
from server.protocol.codec import loads
from server.protocol.outbound import SpiritDelta, SpiritFinished, SpiritThinking, TurnUnderWay
from server.protocol.wire import Wire

_THINKING: Final = SpiritThinking.name.encode()
_DELTA: Final = SpiritDelta.name.encode()
_FINISHED: Final = SpiritFinished.name.encode()
TURN_END: Final = _FINISHED
TURN_EVENTS: Final = frozenset({_THINKING, _DELTA, _FINISHED})


@dataclass(frozen=True, slots=True)
class TurnOver:
    """A turn whose end the members here have heard."""

    turn_id: TurnId


class TurnWatch:
    """Follows a turn by its events; a delta that does not continue what is known makes it unknown."""

    __slots__ = ("_ended", "under_way")

    def __init__(self) -> None:
        """Begin with no turn."""
        self.under_way: TurnUnderWay | None = None
        self._ended: TurnId | None = None

    def known_of(self, turn_id: TurnId | None) -> TurnUnderWay | TurnOver | None:
        """Return what is known of a turn; of the one under way, whichever that is, if none is named."""
        if self.under_way is not None and turn_id in {None, self.under_way.turn_id}:
            return self.under_way
        return TurnOver(turn_id) if turn_id is not None and turn_id == self._ended else None

    def hear(self, wire: Wire) -> bool:
        """Follow one event of the session; False: it tells an end that was told already, by an owner before."""
        if wire.name not in TURN_EVENTS:
            return True
        said = cast("dict[str, Any]", loads(wire.data))
        turn_id, turn = TurnId(said["turn_id"]), self.under_way
        if wire.name == _FINISHED:
            if turn_id == self._ended:
                return False
            self._ended = turn_id
            self.under_way = None if turn is None or turn.turn_id == turn_id else turn
        elif wire.name == _THINKING:
            if turn is None or turn.turn_id != turn_id:
                self.under_way = TurnUnderWay(turn_id, 0, "")
        elif turn is not None and turn.turn_id == turn_id and turn.index == said["index"]:
            self.under_way = TurnUnderWay(turn_id, turn.index + 1, turn.text + said["text"])
        else:
            self.under_way = None
        return True

    def learn(self, turn: TurnUnderWay) -> None:
        """Take the word of another process, unless the events told already; it may not have heard the end yet."""
        if self.under_way is None and turn.turn_id != self._ended:
            self.under_way = turn
