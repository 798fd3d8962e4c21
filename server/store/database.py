"""One database for the process: its pool, its bounds, and the one place where its absence gets a name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.store.drivers import (
    CONNECT_SECONDS,
    LOCK_WAIT_SECONDS,
    SQLITE_PRAGMAS,
    STATEMENT_SECONDS,
    connect_postgresql,
)
from server.store.lines import Line
from server.store.outages import outages_named
from server.store.urls import DatabaseUrl, Dialect, parse

POOL_CONNECTIONS: Final = 8
# What a caller waits at most: for a connection, then for its statements.
POOL_WAIT_SECONDS: Final = 1.5
UNIT_SECONDS: Final = STATEMENT_SECONDS


class Database:
    """Connections to the one database; everything that goes wrong with reaching it is `DatabaseUnavailable`."""

    def __init__(self, url: DatabaseUrl, engine: AsyncEngine) -> None:
        """Keep an engine; `open` is the way to make one."""
        self.url = url
        self.engine = engine
        self.dialect: Dialect = url.dialect
        # One for what only reads: it never waits for the disk.
        self.reads = Line(url)
        self.writes = Line(url)
        # Each statement planned anew: a plan from when there were few seats takes seconds for a thousand.
        self.seats = Line(url, settings={})
        # Long answers, for which no short one should wait.
        self.pages = Line(url)
        # What a crash of the server may take back: then a turn counts as interrupted. So people's messages do not
        # wait behind the disk for the spirit's rows.
        self.turns = Line(url, is_durable=False)
        self._writers = asyncio.Lock()
        self._autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")

    @classmethod
    def at(cls, url: str, *, pool_connections: int = POOL_CONNECTIONS) -> Self:
        """Return the database at a URL; nothing is connected yet.

        Raises `ValueError` for a URL of another kind, or of an SQLite database in memory.
        """
        parsed = parse(url)
        return cls(parsed, _engine(parsed, pool_connections))

    @classmethod
    async def open(cls, url: str, *, pool_connections: int = POOL_CONNECTIONS) -> Self:
        """Return the database at a URL, as `at` does, without its looks at the file system inside the loop."""
        return await asyncio.to_thread(cls.at, url, pool_connections=pool_connections)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection on which every statement stands alone, without a transaction's round trips."""
        with outages_named():
            async with self._autocommit.connect() as db, _cut_after(db, UNIT_SECONDS):
                yield db

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that commits at the end, or leaves nothing behind."""
        with outages_named():
            async with self.write_turn(), self.engine.connect() as db, _cut_after(db, UNIT_SECONDS):
                if self.dialect == "sqlite":
                    await db.exec_driver_sql("BEGIN IMMEDIATE")
                yield db
                await db.commit()

    @asynccontextmanager
    async def write_turn(self) -> AsyncIterator[None]:
        """Wait until no other writer of this process is at work, on SQLite; raises `DatabaseUnavailable`.

        SQLite has one writer and lets the others poll, some of them for ever: in here they queue instead.
        """
        if self.dialect == "postgresql":
            yield
            return
        with outages_named():
            async with asyncio.timeout(LOCK_WAIT_SECONDS):
                await self._writers.acquire()
        try:
            yield
        finally:
            self._writers.release()

    async def ping(self, timeout_seconds: float) -> bool:
        """Tell whether the database answers within the time."""
        try:
            async with asyncio.timeout(timeout_seconds), self.reading() as db:
                await db.execute(text("SELECT 1"))
        except Exception:  # noqa: BLE001 - whatever it says instead, it does not answer
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self.reads.aclose()
        await self.writes.aclose()
        await self.seats.aclose()
        await self.pages.aclose()
        await self.turns.aclose()
        await self.engine.dispose()


@asynccontextmanager
async def _cut_after(db: AsyncConnection, seconds: float) -> AsyncIterator[None]:
    """Break the connection when the body takes longer: whoever awaits an answer then gets an error.

    Cancelling instead would wait for the very server that does not answer.
    """
    driver = (await db.get_raw_connection()).driver_connection
    timer = asyncio.get_running_loop().call_later(seconds, _cut, driver)
    try:
        yield
    finally:
        timer.cancel()


def _cut(driver: Any) -> None:
    if hasattr(driver, "terminate"):
        driver.terminate()
    else:
        driver._conn.interrupt()  # noqa: SLF001 — aiosqlite's own interrupt() is a coroutine, and a timer runs none


def _engine(url: DatabaseUrl, pool_connections: int) -> AsyncEngine:
    options: dict[str, Any] = {
        "hide_parameters": True,  # an error's text reaches the log, and people's words must not
        "pool_size": pool_connections,
        "max_overflow": 0,
        "pool_timeout": POOL_WAIT_SECONDS,
        # Reads need no ROLLBACK. On SQLite every connection looks as if it were in autocommit mode, so there it stays.
        "skip_autocommit_rollback": url.dialect == "postgresql",
    }
    if url.dialect == "postgresql":
        engine = create_async_engine(
            url.for_sqlalchemy, async_creator=lambda: connect_postgresql(url.target), **options
        )
        event.listen(engine.sync_engine, "checkout", _refuse_closed)
        return engine
    engine = create_async_engine(
        url.for_sqlalchemy, connect_args={"timeout": CONNECT_SECONDS, "isolation_level": None}, **options
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Replace the whole pool once this end knows that a server went away; asking costs no round trip."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
