"""What was said, read back."""

from typing import Final

import orjson
from sqlalchemy import select

from server.domain import Message, SessionId
from server.protocol.commands import HistoryRange
from server.store.database import Database
from server.store.questions import Questions
from server.store.rows import MESSAGE_COLUMNS, message_of_driver
from server.store.tables import messages
from server.store.urls import Dialect

_MAX_BATCH: Final = 50
_ENDLESS: Final = 2**62
_COLUMNS: Final = ", ".join(column.name for column in MESSAGE_COLUMNS)


def _statements(order: str) -> dict[Dialect, str]:
    """Return the statement for a page; each value is read from the one parameter, so the index is walked in order."""
    # No words but our own columns and the two orders.
    return {
        "postgresql": f"""
            SELECT {_COLUMNS} FROM messages
            WHERE session_id = $1::json ->> 'session_id'
              AND seq > ($1::json ->> 'above')::bigint AND seq < ($1::json ->> 'below')::bigint
            ORDER BY seq {order} LIMIT ($1::json ->> 'rows')::bigint
        """,  # noqa: S608
        "sqlite": f"""
            SELECT {_COLUMNS} FROM messages
            WHERE session_id = ?1 ->> 'session_id' AND seq > ?1 ->> 'above' AND seq < ?1 ->> 'below'
            ORDER BY seq {order} LIMIT ?1 ->> 'rows'
        """,  # noqa: S608
    }


_OLDEST: Final = _statements("ASC")
_NEWEST: Final = _statements("DESC")

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

    async def has(self, session_id: SessionId, user_id: str, client_message_id: str) -> bool:
        """Tell whether a person's message with this id of its own is stored."""
        columns = messages.c
        found = select(columns.seq).where(
            columns.session_id == session_id,
            columns.user_id == user_id,
            columns.client_message_id == client_message_id,
        )
        async with self._database.reading() as db:
            return (await db.execute(found)).first() is not None

    async def _pages(self, questions: list[_Question]) -> list[_Page]:
        pages = {question: await self._page(*question) for question in dict.fromkeys(questions)}
        return [pages[question] for question in questions]

    async def _page(self, session_id: SessionId, wanted: HistoryRange) -> _Page:
        forward = wanted.after_seq is not None
        asked = {
            "session_id": session_id,
            "above": wanted.after_seq if wanted.after_seq is not None else -1,
            "below": wanted.before_seq if wanted.before_seq is not None else _ENDLESS,
            "rows": wanted.limit + 1,
        }
        statements = _OLDEST if forward else _NEWEST
        rows = await self._database.pages.ask(statements[self._database.dialect], orjson.dumps(asked).decode())
        shown = [message_of_driver(row) for row in rows[: wanted.limit]]
        return (shown if forward else shown[::-1]), len(rows) > wanted.limit
