"""What the spirit may know when it speaks: read anew for every turn, in one go."""

import asyncio
from dataclasses import dataclass
from typing import Final

from server.core.messages import Messages
from server.core.ports import Scene
from server.domain import Message, Session, SessionId, TurnId
from server.protocol.commands import HistoryRange
from server.store.seats import Seats
from server.store.turns import TurnStore

CONTEXT_MESSAGES: Final = 100
SAID_LATE_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Past:
    """What a turn answers: everything newer than `since_seq`, up to `until_seq`."""

    since_seq: int
    until_seq: int


@dataclass(frozen=True, slots=True)
class Scenes:
    """Reads scenes from where their parts are kept."""

    messages: Messages
    seats: Seats
    store: TurnStore
    has_summary: bool

    async def of(self, turn_id: TurnId, session: Session, past: Past) -> Scene:
        """Return what the spirit may know when it answers a part of the past."""
        wanted = HistoryRange(before_seq=past.until_seq + 1, limit=CONTEXT_MESSAGES)
        (messages, _), own, people, summary = await asyncio.gather(
            self.messages.read(session.id, wanted),
            self._said_late(session.id, past),
            self.seats.present(session.id),
            self._summary(session.id),
        )
        old = [message for message in messages if message.seq <= past.since_seq]
        new = messages[len(old) :]
        return Scene(turn_id, session, tuple(people), (*old, *own, *new), summary)

    async def _summary(self, session_id: SessionId) -> str:
        return (await self.store.summary(session_id))[0] if self.has_summary else ""

    async def _said_late(self, session_id: SessionId, past: Past) -> list[Message]:
        """Return what the spirit said to what is old, but which has a later `seq` than what is new."""
        if not past.since_seq:
            return []
        newer = await self.messages.after(session_id, past.until_seq, SAID_LATE_MOST)
        return [message for message in newer if message.is_spirit]
