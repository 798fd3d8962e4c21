"""Sessions made and found, many by one statement: what most calls begin with, and so without SQLAlchemy."""

from typing import Final

import orjson

from server.domain import Session, SessionId
from server.store.columns import moment_text
from server.store.database import Database
from server.store.outages import outages_named
from server.store.questions import Questions
from server.store.rows import SESSION_COLUMNS, session_of_driver
from server.store.urls import Dialect

_MAX_BATCH: Final = 200

_INSERT: Final[dict[Dialect, str]] = {
    "postgresql": """
        INSERT INTO sessions (id, name, max_users, created_at, is_active, spirit, last_active_at)
        SELECT id, name, max_users, created_at, is_active, spirit, statement_timestamp()
        FROM json_to_recordset($1) AS made(
          id text, name text, max_users integer, created_at timestamptz, is_active boolean, spirit jsonb
        )
    """,
    "sqlite": """
        INSERT INTO sessions (id, name, max_users, created_at, is_active, spirit, last_active_at)
        SELECT json_extract(value, '$.id'), json_extract(value, '$.name'), json_extract(value, '$.max_users'),
               json_extract(value, '$.created_at'), json_extract(value, '$.is_active'), json_extract(value, '$.spirit'),
               strftime('%Y-%m-%d %H:%M:%f000', 'now')
        FROM json_each(?)
    """,
}
_COLUMNS: Final = ", ".join(column.name for column in SESSION_COLUMNS)
_FIND: Final[dict[Dialect, str]] = {
    "postgresql": f"SELECT {_COLUMNS} FROM sessions WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1)))",  # noqa: S608
    "sqlite": f"SELECT {_COLUMNS} FROM sessions WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
}


class SessionLines:
    """Makes and finds the sessions of one database; may be shared by any number of tasks."""

    def __init__(self, database: Database) -> None:
        """Work on an open database."""
        self._database = database
        self._dialect = database.dialect
        self._made: Questions[Session, None] = Questions(self._make_all, _MAX_BATCH)
        self._sought: Questions[SessionId, Session | None] = Questions(self._find_all, _MAX_BATCH)

    async def make(self, session: Session) -> None:
        """Store a new session; committed when this returns."""
        await self._made.ask(session)

    async def find(self, session_id: SessionId) -> Session | None:
        """Return a session, ended or not, or None; as it is no earlier than at the call."""
        return await self._sought.ask(session_id)

    async def _make_all(self, made: list[Session]) -> list[None]:
        with outages_named():
            async with self._database.write_turn():
                await self._database.writes.ask(_INSERT[self._dialect], self._rows(made))
        return [None] * len(made)

    async def _find_all(self, session_ids: list[SessionId]) -> list[Session | None]:
        wanted = orjson.dumps(list(set(session_ids))).decode()
        rows = await self._database.reads.ask(_FIND[self._dialect], wanted)
        found = {row[0]: session_of_driver(row) for row in rows}
        return [found.get(id_) for id_ in session_ids]

    def _rows(self, made: list[Session]) -> str:
        """Return sessions as the JSON that the statement reads."""
        if self._dialect == "postgresql":
            return orjson.dumps(made).decode()
        return orjson.dumps(made, default=moment_text, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
