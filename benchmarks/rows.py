"""Rows put straight into PostgreSQL, by the hundred thousand, and what it costs there."""

from __future__ import annotations

import contextlib

import asyncpg
import orjson
import psutil

from server.domain import Answers, SpiritSettings

SILENT = orjson.dumps(SpiritSettings(answers=Answers.NEVER)).decode()
SESSIONS = """
INSERT INTO sessions (id, name, created_at, max_users, last_active_at, spirit, last_seq)
SELECT gen_random_uuid()::text, 'Growth', now(), 10000, now(), $2, 0 FROM generate_series(1, $1)
RETURNING id
"""
MESSAGES = """
INSERT INTO messages (id, session_id, seq, user_id, user_name, text, timestamp, is_spirit, client_message_id)
SELECT gen_random_uuid()::text, $1, seq, 'guest-' || seq % 6, 'Guest', repeat('Is anybody there? ', 3), now(), false,
       'old-' || seq
FROM generate_series($2::bigint, $3::bigint) AS seq
"""


async def new_sessions(url: str, count: int) -> list[str]:
    """The ids of new sessions in which the spirit keeps silent."""
    db = await asyncpg.connect(url)
    try:
        return [row["id"] for row in await db.fetch(SESSIONS, count, SILENT)]
    finally:
        await db.close()


async def filled(url: str, session: str, count: int) -> int:
    """The session's head once it has at least so many messages, all of them on disk."""
    db = await asyncpg.connect(url)
    try:
        head: int = await db.fetchval("SELECT last_seq FROM sessions WHERE id = $1", session)
        if head < count:
            await db.execute(MESSAGES, session, head + 1, count)
            await db.execute("UPDATE sessions SET last_seq = $2 WHERE id = $1", session, count)
            await db.execute("VACUUM (ANALYZE) messages")
            await db.execute("CHECKPOINT")
        return max(head, count)
    finally:
        await db.close()


def backend_seconds(postgres: int | None) -> float:
    """CPU seconds of the PostgreSQL processes that serve a connection."""
    seconds = 0.0
    for child in psutil.Process(postgres).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "127.0.0.1(" in " ".join(child.cmdline()):
                seconds += sum(child.cpu_times()[:2])
    return seconds
