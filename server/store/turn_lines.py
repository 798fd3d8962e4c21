"""A turn's few statements, many turns by one: without SQLAlchemy, and without a wait for the disk."""

from dataclasses import dataclass
from typing import Final

import orjson

from server.domain import SessionId, TurnId, TurnReason
from server.store.database import Database
from server.store.outages import outages_named
from server.store.questions import Questions
from server.store.urls import Dialect

_MAX_BATCH: Final = 200

# In the order of sessions, so that no two processes wait for each other's rows in turn. A turn starts when its row is
# made: the statement may be older than the end of the turn before, which it waited for.
_BEGIN: Final[dict[Dialect, str]] = {
    "postgresql": """
        INSERT INTO turns (id, session_id, process_id, fence, until_seq, woken_by, started_at)
        SELECT t.id, s.id, t.process_id, 1, t.until_seq, t.woken_by, clock_timestamp()
        FROM json_to_recordset($1) AS t(
          id text, session_id text, process_id text, until_seq bigint, woken_by text, is_summoned boolean
        ) JOIN sessions s ON s.id = t.session_id AND s.is_active
        WHERE t.is_summoned
           OR t.until_seq > coalesce((SELECT max(o.until_seq) FROM turns o WHERE o.session_id = s.id), 0)
        ORDER BY s.id
        ON CONFLICT DO NOTHING RETURNING id
    """,
    "sqlite": """
        INSERT INTO turns (id, session_id, process_id, fence, until_seq, woken_by, started_at)
        SELECT t.value ->> 'id', s.id, t.value ->> 'process_id', 1, t.value ->> 'until_seq', t.value ->> 'woken_by',
               strftime('%Y-%m-%d %H:%M:%f000', 'now')
        FROM json_each(?) AS t JOIN sessions s ON s.id = t.value ->> 'session_id' AND s.is_active
        WHERE t.value ->> 'is_summoned' OR t.value ->> 'until_seq' >
              coalesce((SELECT max(o.until_seq) FROM turns o WHERE o.session_id = s.id), 0)
        ON CONFLICT DO NOTHING RETURNING id
    """,
}
# A turn without a reason goes on, and only while its session does.
_SAVE: Final[dict[Dialect, str]] = {
    "postgresql": """
        UPDATE turns SET
          text = t.text, until_seq = t.until_seq, reason = t.reason,
          ended_at = CASE WHEN t.reason IS NOT NULL THEN statement_timestamp() END,
          prompt_tokens = t.prompt_tokens, completion_tokens = t.completion_tokens
        FROM json_to_recordset($1) AS t(
          id text, fence bigint, text text, until_seq bigint, reason text, prompt_tokens integer,
          completion_tokens integer
        )
        WHERE turns.id = t.id AND turns.fence = t.fence AND turns.ended_at IS NULL AND (
          t.reason IS NOT NULL OR EXISTS (SELECT 1 FROM sessions s WHERE s.id = turns.session_id AND s.is_active)
        ) RETURNING turns.id
    """,
    "sqlite": """
        UPDATE turns SET
          text = t.value ->> 'text', until_seq = t.value ->> 'until_seq', reason = t.value ->> 'reason',
          ended_at = CASE WHEN t.value ->> 'reason' IS NOT NULL THEN strftime('%Y-%m-%d %H:%M:%f000', 'now') END,
          prompt_tokens = t.value ->> 'prompt_tokens', completion_tokens = t.value ->> 'completion_tokens'
        FROM json_each(?) AS t
        WHERE turns.id = t.value ->> 'id' AND turns.fence = t.value ->> 'fence' AND turns.ended_at IS NULL AND (
          t.value ->> 'reason' IS NOT NULL
          OR EXISTS (SELECT 1 FROM sessions s WHERE s.id = turns.session_id AND s.is_active)
        ) RETURNING id
    """,
}
_SUMMARY: Final[dict[Dialect, str]] = {
    "postgresql": "SELECT id, summary, summary_seq FROM sessions"
    " WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1)))",
    "sqlite": "SELECT id, summary, summary_seq FROM sessions WHERE id IN (SELECT value FROM json_each(?))",
}


@dataclass(frozen=True, slots=True)
class NewTurn:
    """A turn as it begins."""

    id: TurnId
    session_id: SessionId
    process_id: str
    until_seq: int
    woken_by: str
    is_summoned: bool


@dataclass(frozen=True, slots=True)
class SavedTurn:
    """How far a turn has come; with a reason it is over."""

    id: TurnId
    fence: int
    text: str
    until_seq: int
    reason: TurnReason | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


class TurnLines:
    """Begins, saves and ends the turns of one database; may be shared by any number of tasks."""

    def __init__(self, database: Database) -> None:
        """Work on an open database."""
        self._database = database
        self._dialect = database.dialect
        self._begun: Questions[NewTurn, bool] = Questions(self._begin_all, _MAX_BATCH)
        self._saved: Questions[SavedTurn, bool] = Questions(self._save_all, _MAX_BATCH)
        self._sought: Questions[SessionId, tuple[str, int]] = Questions(self._summaries, _MAX_BATCH)

    async def begin(self, turn: NewTurn) -> bool:
        """Tell whether the turn has begun."""
        return await self._begun.ask(turn)

    async def save(self, turn: SavedTurn) -> bool:
        """Tell whether the turn was still ours and open, and is saved."""
        return await self._saved.ask(turn)

    async def summary(self, session_id: SessionId) -> tuple[str, int]:
        """Return a session's summary and the `seq` it reaches to; empty and 0 while there is none."""
        return await self._sought.ask(session_id)

    async def _begin_all(self, begun: list[NewTurn]) -> list[bool]:
        ids = await self._write(_BEGIN, begun)
        return [turn.id in ids for turn in begun]

    async def _save_all(self, saved: list[SavedTurn]) -> list[bool]:
        newest = {turn.id: turn for turn in saved}  # a turn that is saved and ended at once is ended
        ids = await self._write(_SAVE, list(newest.values()))
        return [turn.id in ids for turn in saved]

    async def _write(self, statement: dict[Dialect, str], rows: list[NewTurn] | list[SavedTurn]) -> set[str]:
        """Return the ids of the turns that a statement has written."""
        with outages_named():
            async with self._database.write_turn():
                written = await self._database.turns.ask(statement[self._dialect], orjson.dumps(rows).decode())
        return {row[0] for row in written}

    async def _summaries(self, session_ids: list[SessionId]) -> list[tuple[str, int]]:
        wanted = orjson.dumps(list(set(session_ids))).decode()
        rows = await self._database.pages.ask(_SUMMARY[self._dialect], wanted)
        found = {row[0]: (row[1], row[2]) for row in rows}
        return [found.get(id_, ("", 0)) for id_ in session_ids]
