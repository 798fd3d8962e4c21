"""What got lost of turns: ends that nobody heard, words of a process that died, messages that woke nobody."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from server.core.messages import Messages
from server.core.ports import Broadcaster
from server.core.turn_watch import TurnOver
from server.domain import SessionId, TurnId
from server.protocol.outbound import SpiritDelta, SpiritFinished
from server.store.turns import AbandonedTurn, TurnStore, Unanswered

UNANSWERED_MOST: Final = 200
ASKED_TIMES: Final = 4


@dataclass(frozen=True, slots=True)
class Known:
    """What a lost turn has said, in how many deltas, and whether anyone has heard its end."""

    text: str
    index: int
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Losses:
    """Looks for what was lost, for the members that are here."""

    broadcaster: Broadcaster
    messages: Messages
    store: TurnStore
    # How far a session was heard here when all that people had said in it was answered.
    _settled: dict[SessionId, int] = field(default_factory=dict)

    async def tell_ends(self, running: Collection[TurnId]) -> None:
        """Tell the rooms of ends whose news was lost on the way; who has heard one hears it no second time."""
        turns = self.broadcaster.turns_under_way().items()
        waited_for = {turn_id: session_id for session_id, turn_id in turns if turn_id not in running}
        for over in await self.store.ended(waited_for) if waited_for else []:
            told = SpiritFinished(over.turn_id, over.reason, over.message_id, over.seq)
            self.broadcaster.tell(waited_for[over.turn_id], told)

    async def unanswered(self, busy: Collection[SessionId]) -> list[Unanswered]:
        """Return sessions with members here in which a message woke nobody: its process died before its turn began.

        Only those are looked at in which something was said since they were last found in order.
        """
        heard = self.broadcaster.heads()
        for session_id in self._settled.keys() - heard.keys():
            del self._settled[session_id]
        moved = [one for one, seq in heard.items() if one not in busy and self._settled.get(one) != seq]
        found = await self.store.unanswered(moved) if moved else []
        # Whoever runs a turn looks for more when it ends, but it may die before that: such a session stays in question.
        in_question = {one.session_id for one in found if one.is_running}
        self._settled.update({one: heard[one] for one in moved if one not in in_question})
        return [one for one in found if not one.is_running]

    def unsettle(self, session_id: SessionId) -> None:
        """Look at a session again: it could not be answered."""
        self._settled.pop(session_id, None)

    async def known_of(self, lost: AbandonedTurn) -> Known:
        """Return what is known of a lost turn; the room is told what it had not heard of it."""
        heard = None
        for _ in range(ASKED_TIMES):  # busy processes answer late, and words that were heard must not be lost
            heard = heard or await self.broadcaster.turn_elsewhere(lost.session_id, lost.turn_id)
        newer = await self.messages.after(lost.session_id, lost.until_seq, UNANSWERED_MOST)
        kept = [message.text for message in newer if message.is_spirit and message.client_message_id == lost.turn_id]
        if isinstance(heard, TurnOver):
            return Known("".join(kept), 0, is_over=True)
        if heard is None:
            return Known((kept or [lost.text])[0], 0)
        text = max(heard.text, *kept, lost.text, key=len)
        if text == heard.text or not text.startswith(heard.text):
            return Known(text, heard.index)
        rest = SpiritDelta(lost.turn_id, heard.index, text[len(heard.text) :])
        self.broadcaster.tell(lost.session_id, rest)
        return Known(text, heard.index + 1)
