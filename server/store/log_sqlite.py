"""The message log on SQLite: one hop to the thread of its connection, and one transaction, a batch."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import orjson

from server.domain import Message
from server.errors import DatabaseUnavailable, SessionClosed, SessionNotFound
from server.protocol.wire import Draft
from server.store.columns import text_of_iso
from server.store.database import Database
from server.store.drivers import connect_sqlite
from server.store.outages import outages_named
from server.store.outcomes import Written
from server.store.rows import message_of_driver

_SESSIONS: Final = "SELECT id, last_seq, is_active FROM sessions WHERE id IN (SELECT value FROM json_each(?))"
_STORED: Final = """
SELECT id, session_id, seq, user_id, user_name, text, timestamp, is_spirit, client_message_id
FROM messages WHERE session_id = ? AND user_id = ? AND client_message_id = ?
"""
_INSERT: Final = """
INSERT INTO messages
  (id, session_id, seq, user_id, user_name, text, timestamp, is_spirit, client_message_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_BUMP: Final = """
UPDATE sessions SET last_seq = ?, last_active_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') WHERE id = ?
"""

Answer = TypeVar("Answer")


class SqliteWriter:
    """A `LogWriter` on one SQLite connection with a thread of its own."""

    def __init__(self, database: Database) -> None:
        """Write to the file of a database, in turn with its other writers."""
        self._path = database.url.target
        self._write_turn = database.write_turn
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seance-log")
        self._connection: sqlite3.Connection | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether there is a connection."""
        return self._connection is not None

    async def open(self) -> None:
        """Open the file."""
        with outages_named():
            self._connection = await self._in_thread(lambda: connect_sqlite(self._path))

    async def write(self, drafts: Sequence[Draft]) -> list[Written]:
        """Commit a batch; waits for other writers at most twice `LOCK_WAIT_SECONDS`."""
        connection = self._connection
        if connection is None:
            raise DatabaseUnavailable
        with outages_named():
            async with self._write_turn():
                return await self._in_thread(lambda: _write(connection, drafts))

    async def aclose(self) -> None:
        """Close the file; the thread then has nothing to do and ends."""
        if self._connection is not None:
            await self._in_thread(self._connection.close)
        self._connection = None
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _write(connection: sqlite3.Connection, drafts: Sequence[Draft]) -> list[Written]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        answers = _stored(connection, drafts)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return answers


def _stored(connection: sqlite3.Connection, drafts: Sequence[Draft]) -> list[Written]:
    """Give every draft its place and store it; nobody else writes meanwhile, so what is read here stays true."""
    ids = orjson.dumps(list({draft.session_id for draft in drafts})).decode()
    known = {id_: (last_seq, is_active) for id_, last_seq, is_active in connection.execute(_SESSIONS, (ids,))}
    heads = {id_: last_seq for id_, (last_seq, is_active) in known.items() if is_active}
    rows: list[tuple[object, ...]] = []
    answers: list[Written] = []
    for draft in drafts:
        session_id = draft.session_id
        earlier = _earlier(connection, draft)
        if earlier is not None:
            answers.append(earlier)
        elif session_id in heads:
            heads[session_id] = seq = heads[session_id] + 1
            answers.append(seq)
            rows.append(_row(draft, seq))
        else:
            answers.append(SessionClosed() if session_id in known else SessionNotFound.of(session_id))
    connection.executemany(_INSERT, rows)
    connection.executemany(_BUMP, [(seq, id_) for id_, seq in heads.items() if seq != known[id_][0]])
    return answers


def _earlier(connection: sqlite3.Connection, draft: Draft) -> Message | None:
    """Return the message that an earlier send of this one left."""
    if draft.client_message_id is None:
        return None
    key = (draft.session_id, draft.user_id, draft.client_message_id)
    row = connection.execute(_STORED, key).fetchone()
    return message_of_driver(row) if row is not None else None


def _row(draft: Draft, seq: int) -> tuple[object, ...]:
    return (
        draft.id,
        draft.session_id,
        seq,
        draft.user_id,
        draft.user_name,
        draft.text,
        text_of_iso(draft.timestamp),
        draft.is_spirit,
        draft.client_message_id,
    )
