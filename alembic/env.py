"""Runs migrations in one transaction, under a lock that all processes share.

On the database of `config.attributes["url"]`, or of `-x url=…` on alembic's command line.
"""

import asyncio
from typing import Any, Final

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from alembic import context
from server.store.columns import Moment
from server.store.tables import metadata
from server.store.urls import parse

# Any number will do as long as it stays: it is the name of the advisory lock.
LOCK: Final = 7_326_232_018
LOCK_WAIT_SECONDS: Final = 60


async def run(url: str) -> None:
    """Run what alembic asks for."""
    engine = engine_for(url)
    try:
        async with engine.connect() as db:
            await db.run_sync(run_locked)
            await db.commit()
    finally:
        await engine.dispose()


def run_locked(db: Connection) -> None:
    """Run it while no other process does; whoever waited finds it done."""
    if db.dialect.name == "postgresql":
        db.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT_SECONDS}s'")
        db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    else:
        db.exec_driver_sql("BEGIN IMMEDIATE")
    context.configure(connection=db, target_metadata=metadata, compare_type=True, render_item=rendered)
    with context.begin_transaction():
        context.run_migrations()


def rendered(kind: str, item: object, _context: object) -> str | bool:
    """Return how a new migration writes our own column type."""
    return "Moment()" if kind == "type" and isinstance(item, Moment) else False


def engine_for(url: str) -> AsyncEngine:
    """Return an engine without the bounds of serving: a migration may take its time."""
    parsed = parse(url)
    if parsed.dialect == "postgresql":
        return create_async_engine(
            parsed.for_sqlalchemy, poolclass=NullPool, async_creator=lambda: asyncpg.connect(parsed.target)
        )
    options = {"timeout": LOCK_WAIT_SECONDS, "isolation_level": None}
    engine = create_async_engine(parsed.for_sqlalchemy, poolclass=NullPool, connect_args=options)
    event.listen(engine.sync_engine, "connect", use_wal)
    return engine


def use_wal(connection: Any, _record: object) -> None:
    """Set what an SQLite file remembers."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


asyncio.run(run(context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True)["url"]))
