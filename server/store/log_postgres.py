"""The message log on PostgreSQL: one statement a batch, and a simpler one for a batch of one."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from server.errors import DatabaseUnavailable, SessionClosed, SessionNotFound
from server.protocol.wire import Draft
from server.store.drivers import CONNECT_SECONDS, PLANNED_ONCE, Connection, connect_postgresql
from server.store.outages import outages_named
from server.store.outcomes import Written
from server.store.rows import message_of_driver

COMMIT_SECONDS: Final = 2.4

# What a draft's JSON holds.
_ROW: Final = """
    id text, session_id text, user_id text, user_name text, message text, timestamp timestamptz,
    is_spirit boolean, client_message_id text
"""
# Answers, in the order of the drafts: `seq` if stored now, `-seq` if stored before, 0 if the session takes nothing.
#
# The lookups see the database as of the statement's start, the locks and `last_seq` as of now. What another
# process stores in between breaks the unique constraint, and the batch is done again under locks taken first.
_APPEND: Final = f"""
WITH drafts AS MATERIALIZED (
  SELECT d.*,
         CASE WHEN d.client_message_id IS NOT NULL THEN (
           SELECT m.seq FROM messages m
           WHERE m.session_id = d.session_id AND m.user_id = d.user_id AND m.client_message_id = d.client_message_id
         ) END AS stored_seq
  FROM ROWS FROM (json_to_recordset($1) AS ({_ROW}))
    WITH ORDINALITY AS d(id, session_id, user_id, user_name, text, timestamp, is_spirit, client_message_id, place)
), wanted AS (
  SELECT session_id, count(*) AS rows FROM drafts WHERE stored_seq IS NULL GROUP BY session_id
), locked AS MATERIALIZED (
  SELECT s.id FROM sessions s
  WHERE s.id = ANY (ARRAY(SELECT session_id FROM wanted)) AND s.is_active
  ORDER BY s.id FOR NO KEY UPDATE
), bumped AS (
  UPDATE sessions s SET last_seq = s.last_seq + w.rows, last_active_at = statement_timestamp()
  FROM wanted w JOIN locked l ON l.id = w.session_id
  WHERE s.id = w.session_id
  RETURNING s.id, s.last_seq - w.rows AS base
), placed AS MATERIALIZED (
  SELECT d.*, CASE
    WHEN d.stored_seq IS NOT NULL THEN -d.stored_seq
    WHEN b.base IS NULL THEN 0
    ELSE b.base + count(*) FILTER (WHERE d.stored_seq IS NULL) OVER (PARTITION BY d.session_id ORDER BY d.place)
    END AS seq
  FROM drafts d LEFT JOIN bumped b ON b.id = d.session_id
), stored AS (
  INSERT INTO messages
    (id, session_id, seq, user_id, user_name, text, timestamp, is_spirit, client_message_id)
  SELECT id, session_id, seq, user_id, user_name, text, timestamp, is_spirit, client_message_id
  FROM placed WHERE seq > 0
)
SELECT array_agg(seq ORDER BY place) FROM placed
"""  # noqa: S608 - our own columns
# The same for one new message, which is what an idle server has to store: in 100 instead of 160 microseconds. It
# answers its `seq`, or nothing: then `_APPEND` is to say why, and so it is when it breaks the unique constraint.
_APPEND_ONE: Final = f"""
WITH draft AS MATERIALIZED (
  SELECT * FROM json_to_record($1) AS d ({_ROW})
), bumped AS (
  UPDATE sessions s SET last_seq = s.last_seq + 1, last_active_at = statement_timestamp()
  FROM draft d
  WHERE s.id = d.session_id AND s.is_active AND NOT EXISTS (
    SELECT FROM messages m
    WHERE m.session_id = d.session_id AND m.user_id = d.user_id AND m.client_message_id = d.client_message_id
  )
  RETURNING s.last_seq AS seq
)
INSERT INTO messages
  (id, session_id, seq, user_id, user_name, text, timestamp, is_spirit, client_message_id)
SELECT id, session_id, seq, user_id, user_name, message, timestamp, is_spirit, client_message_id
FROM draft, bumped
RETURNING seq
"""  # noqa: S608 - our own columns
_LOCK: Final = "SELECT 1 FROM sessions WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE"
_STORED: Final = """
SELECT m.id, m.session_id, m.seq, m.user_id, m.user_name, m.text, m.timestamp, m.is_spirit, m.client_message_id
FROM unnest($1::text[], $2::bigint[]) AS k(session_id, seq)
JOIN messages m ON m.session_id = k.session_id AND m.seq = k.seq
"""
_KNOWN: Final = "SELECT id FROM sessions WHERE id = ANY ($1)"

_SETTINGS: Final = {"statement_timeout": str(int(COMMIT_SECONDS * 1000)), **PLANNED_ONCE}


class PostgresWriter:
    """A `LogWriter` on one PostgreSQL connection."""

    def __init__(self, dsn: str) -> None:
        """Write to the database of a DSN, once opened."""
        self._dsn = dsn
        self._connection: Connection | None = None
        self._append: Any = None
        self._append_one: Any = None

    @property
    def is_open(self) -> bool:
        """Tell whether the connection still stands, as far as this end knows."""
        return self._connection is not None and not self._connection.is_closed()

    async def open(self) -> None:
        """Connect and prepare the statements."""
        with outages_named():
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await connect_postgresql(self._dsn, settings=_SETTINGS)
                try:
                    self._append = await connection.prepare(_APPEND)
                    self._append_one = await connection.prepare(_APPEND_ONE)
                    # Preparing leaves a transaction open, and the statement's time running out.
                    await connection.execute("SELECT")
                except BaseException:
                    connection.terminate()
                    raise
        self._connection = connection

    async def write(self, drafts: Sequence[Draft]) -> list[Written]:
        """Commit a batch; a connection that fails or is silent for `COMMIT_SECONDS` is thrown away."""
        connection = self._connection
        if connection is None:
            raise DatabaseUnavailable
        # Ending the connection ends the wait for an answer; cancelling would first wait for the silent server.
        timer = asyncio.get_running_loop().call_later(COMMIT_SECONDS, connection.terminate)
        try:
            with outages_named():
                return await self._written(connection, drafts)
        except DatabaseUnavailable:
            connection.terminate()
            raise
        finally:
            timer.cancel()

    async def aclose(self) -> None:
        """Disconnect; what was written is committed."""
        if self._connection is not None:
            self._connection.terminate()

    async def _written(self, connection: Connection, drafts: Sequence[Draft]) -> list[Written]:
        if len(drafts) == 1 and (seq := await self._stored_alone(drafts[0])):
            return [seq]
        rows = rows_of(drafts)
        try:
            answers: list[int] = await self._append.fetchval(rows)
        except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            answers = await self._append_locked(connection, drafts, rows)
        if min(answers) > 0:
            return list(answers)
        return await _explained(connection, drafts, answers)

    async def _stored_alone(self, draft: Draft) -> int | None:
        """Store one draft, if it is new and nothing is in its way."""
        try:
            seq: int | None = await self._append_one.fetchval(row_of(draft))
        except asyncpg.UniqueViolationError:  # another process stores the same message now
            return None
        return seq

    async def _append_locked(self, connection: Connection, drafts: Sequence[Draft], rows: str) -> list[int]:
        """Do the batch again where no other process can come in between."""
        async with connection.transaction():
            await connection.execute(_LOCK, [draft.session_id for draft in drafts])
            answers: list[int] = await self._append.fetchval(rows)
        return answers


def rows_of(drafts: Sequence[Draft]) -> str:
    """Return drafts as the JSON array that the statement reads: their heads, each with its end."""
    return (b"[%b}]" % b"},".join([draft.head for draft in drafts])).decode()


def row_of(draft: Draft) -> str:
    """Return one draft as JSON."""
    return (draft.head + b"}").decode()


async def _explained(connection: Connection, drafts: Sequence[Draft], answers: list[int]) -> list[Written]:
    """Return the answers with the stored message, or the reason, in place of numbers that are not new places."""
    stored = [(draft.session_id, -answer) for draft, answer in zip(drafts, answers, strict=True) if answer < 0]
    refused = [draft.session_id for draft, answer in zip(drafts, answers, strict=True) if answer == 0]
    found = await connection.fetch(_STORED, [key[0] for key in stored], [key[1] for key in stored])
    known = {row["id"] for row in await connection.fetch(_KNOWN, refused)}
    earlier = {(row["session_id"], row["seq"]): message_of_driver(row) for row in found}

    def explain(draft: Draft, answer: int) -> Written:
        if answer > 0:
            return answer
        if answer < 0:
            return earlier[draft.session_id, -answer]
        return SessionClosed() if draft.session_id in known else SessionNotFound.of(draft.session_id)

    return [explain(draft, answer) for draft, answer in zip(drafts, answers, strict=True)]
