"""A connection of its own for what is asked all the time: without a pool, a compiler, or a reset on return."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Protocol

from server.errors import DatabaseUnavailable
from server.store.drivers import (
    PLANNED_ONCE,
    STATEMENT_SECONDS,
    Connection,
    connect_postgresql,
    connect_sqlite,
)
from server.store.outages import outages_named
from server.store.urls import DatabaseUrl

if TYPE_CHECKING:
    import sqlite3

TURN_SECONDS: Final = 1.5


class Driver(Protocol):
    """One connection to one kind of database, used by one caller at a time."""

    async def run(self, statement: str, parameter: str) -> Sequence[Sequence[Any]]:
        """Return the rows of a statement that is a transaction of its own, connecting first if need be."""

    def cut(self) -> None:
        """End the statement under way: its caller gets an error."""

    async def aclose(self) -> None:
        """Disconnect."""


class Line:
    """Runs one statement after another, each with one text parameter: ids or rows as JSON.

    A trip through SQLAlchemy's pool, compiler and greenlets costs 400 µs of CPU, one through here 90.
    """

    def __init__(self, url: DatabaseUrl) -> None:
        """Speak to the database of a URL; the first statement connects."""
        self._driver: Driver = _Postgres(url.target) if url.dialect == "postgresql" else _Sqlite(url.target)
        self._turn = asyncio.Lock()
        self._is_closed = False

    async def ask(self, statement: str, parameter: str) -> Sequence[Sequence[Any]]:
        """Return a statement's rows; what it writes is committed then. Raises `DatabaseUnavailable` within bounds."""
        with outages_named():
            async with asyncio.timeout(TURN_SECONDS if self._turn.locked() else None):
                await self._turn.acquire()
            # Ending the statement ends the wait for it; cancelling would first wait for a server that is silent.
            timer = asyncio.get_running_loop().call_later(STATEMENT_SECONDS, self._driver.cut)
            try:
                if self._is_closed:
                    raise DatabaseUnavailable
                return await self._driver.run(statement, parameter)
            finally:
                timer.cancel()
                self._turn.release()

    async def aclose(self) -> None:
        """Disconnect for good."""
        self._is_closed = True
        await self._driver.aclose()


class _Postgres:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Connection | None = None

    async def run(self, statement: str, parameter: str) -> Sequence[Sequence[Any]]:
        connection = self._connection
        if connection is None or connection.is_closed():
            self._connection = connection = await connect_postgresql(self._dsn, settings=PLANNED_ONCE)
        rows: Sequence[Sequence[Any]] = await connection.fetch(statement, parameter)
        return rows

    def cut(self) -> None:
        if self._connection is not None:
            self._connection.terminate()

    async def aclose(self) -> None:
        self.cut()


class _Sqlite:
    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seance-line")
        self._connection: sqlite3.Connection | None = None

    async def run(self, statement: str, parameter: str) -> Sequence[Sequence[Any]]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._rows, statement, parameter)

    def cut(self) -> None:
        if self._connection is not None:
            self._connection.interrupt()

    async def aclose(self) -> None:
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._connection = None
        self._thread.shutdown(wait=False)

    def _rows(self, statement: str, parameter: str) -> Sequence[Sequence[Any]]:
        """In the line's own thread."""
        if self._connection is None:
            self._connection = connect_sqlite(self._path)
        return self._connection.execute(statement, (parameter,)).fetchall()
