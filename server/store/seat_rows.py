"""The seats' statements: everything about some sessions read at once, all changes written at once.

Each takes one parameter, ids or rows as JSON, and is written out for both databases where SQL differs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any, Final

import orjson

from server.domain import Participant, ProcessId, SessionId, UserId
from server.store.database import Database
from server.store.lines import Ask
from server.store.rows import SESSION_COLUMNS, participant_of, session_of_driver
from server.store.seating import Seat, Seating
from server.store.urls import Dialect

_WORDS: Final[dict[Dialect, dict[str, str]]] = {
    "postgresql": {
        "now": "statement_timestamp()",
        "after": "statement_timestamp() + make_interval(secs => CAST(row ->> 3 AS float8))",
        "among_ids": "= ANY (ARRAY(SELECT json_array_elements_text($1)))",
        "rows": "json_array_elements($1) AS given(row)",
        "field": "row ->> ",
        "given": "$1",
        # Keeps out who ends or changes the sessions, not who appends messages.
        "held": "FOR KEY SHARE",
    },
    "sqlite": {
        "now": "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
        "after": "strftime('%Y-%m-%d %H:%M:%f000', 'now', printf('%.3f seconds', value ->> 3))",
        "among_ids": "IN (SELECT value FROM json_each(?1))",
        "rows": "json_each(?1)",
        "field": "value ->> ",
        "given": "?1",
        "held": "",
    },
}


def _on_both(statement: str) -> dict[Dialect, str]:
    return {dialect: Template(statement).substitute(words) for dialect, words in _WORDS.items()}


# A lock of its own, and not the session's row: joins must not hold up the message log. Always in the order of ids.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(id, 0)) FROM json_array_elements_text($1) AS id"
_SESSIONS: Final = _on_both(f"""
    SELECT {", ".join(column.name for column in SESSION_COLUMNS)} FROM sessions WHERE id $among_ids ORDER BY id $held
""")  # noqa: S608 - our own columns
_LIVE: Final = "coalesce(p.expires_at > $now AND (s.expires_at IS NULL OR s.expires_at > $now), false)"
_SEATS: Final = _on_both(f"""
    SELECT s.session_id, u.id, u.name, u.role, s.process_id, {_LIVE}
    FROM seats s JOIN users u ON u.session_id = s.session_id AND u.id = s.user_id
    LEFT JOIN processes p ON p.id = s.process_id
    WHERE s.session_id $among_ids
    ORDER BY u.joined_at, u.id
""")  # noqa: S608 - no more than the words above
_PRESENT: Final = _on_both(f"""
    SELECT DISTINCT u.joined_at, u.id, u.name, u.role
    FROM seats s JOIN users u ON u.session_id = s.session_id AND u.id = s.user_id
    JOIN processes p ON p.id = s.process_id
    WHERE s.session_id = $given AND {_LIVE}
    ORDER BY u.joined_at, u.id
""")  # noqa: S608 - no more than the words above
_SWEPT_NEXT: Final = _on_both("""
    SELECT DISTINCT session_id FROM seats
    WHERE process_id IN (SELECT id FROM processes WHERE expires_at <= $now) OR expires_at <= $now
    LIMIT $given
""")
# Rows: session, person, name, role.
_PEOPLE: Final = _on_both("""
    INSERT INTO users (session_id, id, name, role, joined_at)
    SELECT ${field}0, ${field}1, ${field}2, ${field}3, $now FROM $rows WHERE true
    ON CONFLICT (session_id, id) DO UPDATE SET name = excluded.name, role = excluded.role
""")
# Rows: session, person, process, seconds until it ends or null.
_KEPT: Final = _on_both("""
    INSERT INTO seats (session_id, user_id, process_id, expires_at)
    SELECT ${field}0, ${field}1, ${field}2, CASE WHEN ${field}3 IS NOT NULL THEN $after END FROM $rows WHERE true
    ON CONFLICT (session_id, user_id, process_id) DO UPDATE SET expires_at = excluded.expires_at
""")
_DROPPED: Final = _on_both("""
    UPDATE seats SET expires_at = $after FROM $rows
    WHERE session_id = ${field}0 AND user_id = ${field}1 AND process_id = ${field}2
""")
_REMOVED: Final = _on_both("""
    DELETE FROM seats WHERE (session_id, user_id, process_id) IN (SELECT ${field}0, ${field}1, ${field}2 FROM $rows)
""")

Dropped = tuple[SessionId, UserId, ProcessId, float]


async def load(ask: Ask, dialect: Dialect, session_ids: list[SessionId]) -> dict[SessionId, Seating]:
    """Return the seating of each session that exists, which no other process changes before the transaction ends."""
    ids = _json(session_ids)
    if dialect == "postgresql":
        await ask(_LOCK, ids)
    known = [session_of_driver(row) for row in await ask(_SESSIONS[dialect], ids)]
    seated: defaultdict[str, list[Seat]] = defaultdict(list)
    for session_id, user_id, name, role, process_id, live in await ask(_SEATS[dialect], ids):
        seated[session_id].append(Seat(participant_of(user_id, name, role), ProcessId(process_id), bool(live)))
    return {session.id: Seating(session, seated[session.id]) for session in known}


async def store(ask: Ask, dialect: Dialect, seatings: Mapping[SessionId, Seating]) -> None:
    """Write what the seatings changed."""
    people: list[Sequence[Any]] = []
    kept: list[Sequence[Any]] = []
    removed: list[Sequence[Any]] = []
    for session_id, seating in seatings.items():
        changes = seating.changes
        people += [(session_id, one.user_id, one.user_name, one.role) for one in changes.people.values()]
        kept += [(session_id, *seat, grace_seconds) for seat, grace_seconds in changes.kept.items()]
        removed += [(session_id, *seat) for seat in changes.removed]
    for statement, rows in ((_PEOPLE, people), (_KEPT, kept), (_REMOVED, removed)):
        if rows:
            await ask(statement[dialect], _json(rows))


async def drop_all(ask: Ask, dialect: Dialect, dropped: Sequence[Dropped]) -> None:
    """Let seats of this process end by themselves, each some seconds from now.

    No lock is needed: nobody else changes a live seat of ours.
    """
    await ask(_DROPPED[dialect], _json(dropped))


async def present(database: Database, session_id: SessionId) -> list[Participant]:
    """Return who has a live seat in a session, in the order they came."""
    rows = await database.seats.ask(_PRESENT[database.dialect], session_id)
    return [participant_of(user_id, name, role) for _, user_id, name, role in rows]


async def swept_next(database: Database, limit: int) -> list[SessionId]:
    """Return some sessions that have dead seats."""
    async with database.reading() as db:
        return [SessionId(row[0]) for row in await db.exec_driver_sql(_SWEPT_NEXT[database.dialect], (limit,))]


def _json(rows: Sequence[Any]) -> str:
    return orjson.dumps(rows).decode()
