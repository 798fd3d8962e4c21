"""Connections as every part of the store wants them: bounded in time, durable, strict."""

import asyncio
import sqlite3
from typing import Any, Final, TypeAlias

import asyncpg

from server.errors import DatabaseUnavailable

# asyncpg's class is generic for type checkers only.
Connection: TypeAlias = "asyncpg.Connection[Any]"

CONNECT_SECONDS: Final = 1.5
STATEMENT_SECONDS: Final = 3.0
# How long an SQLite writer waits for the others of its process, and then again for those of other processes.
LOCK_WAIT_SECONDS: Final = 1.2

# A process that is frozen inside a transaction must not keep its row locks.
_IDLE_IN_TRANSACTION_SECONDS: Final = 3.0

_POSTGRESQL_SETTINGS: Final = {
    "application_name": "seance",
    "statement_timeout": str(int(STATEMENT_SECONDS * 1000)),
    "idle_in_transaction_session_timeout": str(int(_IDLE_IN_TRANSACTION_SECONDS * 1000)),
    "synchronous_commit": "on",
    "timezone": "UTC",
    "jit": "off",
    # Planned anew each time: a plan kept from when a room was empty joins 5,000 people to their seats in seconds.
    "plan_cache_mode": "force_custom_plan",
}

# For a connection that runs the same few statements all its life: each is planned once, for planning costs more than
# running it. That is done while tables may still be empty, so the plan must not come to depend on that.
PLANNED_ONCE: Final = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}

SQLITE_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {int(LOCK_WAIT_SECONDS * 1000)}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # In KiB when negative, and in pages of 4 KiB: with the defaults (2 MB and 1,000 pages) storing a message
    # costs a third more, for pages written and read again and again.
    "PRAGMA cache_size = -32000",
    "PRAGMA wal_autocheckpoint = 4000",
)


async def connect_postgresql(dsn: str, *, settings: dict[str, str] | None = None) -> Connection:
    """Return a connection whose statements the server ends after `STATEMENT_SECONDS`.

    `synchronous_commit` is set here, so that neither a role nor the server's configuration can weaken it. Raises
    `DatabaseUnavailable` when the server refuses the connection, whatever its reason.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncpg.connect(dsn, server_settings=_POSTGRESQL_SETTINGS | (settings or {}))
    except asyncpg.PostgresError as error:
        raise DatabaseUnavailable from error


def connect_sqlite(path: str, *, is_durable: bool = True) -> sqlite3.Connection:
    """Return a connection that begins no transaction by itself and may be used from another thread.

    What is not durable reaches the disk with the next commit that is.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)
    if not is_durable:
        connection.execute("PRAGMA synchronous = NORMAL")
    return connection
