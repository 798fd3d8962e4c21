"""What was said, read back."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain import Message, SessionId
from server.protocol.commands import HistoryRange
from server.store.database import Database
from server.store.questions import Questions
from server.store.rows import MESSAGE_COLUMNS, message_of
from server.store.tables import messages

_MAX_BATCH: Final = 50

_Question = tuple[SessionId, HistoryRange]
_Page = tuple[list[Message], bool]


class History:
    """The committed messages; an unknown session has none.

    Pages that are asked for at once share a connection, and equal ones a query: a thousand people who come back
    to one room after an outage all missed the same.
    """

    def __init__(self, database: Database) -> None:
        """Work on an open database."""
        self._database = database
        self._questions: Questions[_Question, _Page] = Questions(self._pages, _MAX_BATCH)

    async def read(self, session_id: SessionId, wanted: HistoryRange) -> _Page:
        """Return messages in ascending `seq`, and whether the range holds more than `limit`.

        With `after_seq` the oldest above it, else the newest (below `before_seq` when that is given).
        The list may be shared with other callers: do not change it.
        """
        return await self._questions.ask((session_id, wanted))

    async def after(self, session_id: SessionId, seq: int, limit: int) -> list[Message]:
        """Return at most `limit` messages that follow `seq`, ascending without a hole."""
        found, _ = await self.read(session_id, HistoryRange(after_seq=seq, limit=limit))
        return found

    async def _pages(self, questions: list[_Question]) -> list[_Page]:
        async with self._database.reading() as db:
            pages = {question: await _page(db, *question) for question in dict.fromkeys(questions)}
        return [pages[question] for question in questions]


async def _page(db: AsyncConnection, session_id: SessionId, wanted: HistoryRange) -> _Page:
    forward = wanted.after_seq is not None
    query = select(*MESSAGE_COLUMNS).where(messages.c.session_id == session_id).limit(wanted.limit + 1)
    query = query.order_by(messages.c.seq if forward else messages.c.seq.desc())
    if wanted.after_seq is not None:
        query = query.where(messages.c.seq > wanted.after_seq)
    if wanted.before_seq is not None:
        query = query.where(messages.c.seq < wanted.before_seq)
    found = [message_of(row) for row in await db.execute(query)]
    shown = found[: wanted.limit]
    return (shown if forward else shown[::-1]), len(found) > wanted.limit
