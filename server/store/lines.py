"""A connection of its own for what is asked all the time: without a pool, a compiler, or a reset on return."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import asyncpg

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


Rows = Sequence[Sequence[Any]]
Ask = Callable[[str, str], Awaitable[Rows]]


class Driver(Protocol):
    """One connection to one kind of database, used by one caller at a time."""

    async def open(self) -> None:
        """Connect if there is no connection, or none any more."""

    async def run(self, statement: str, parameter: str) -> Rows:
        """Return the rows of a statement; raises if the connection ended meanwhile."""

    async def do(self, command: str) -> None:
        """Begin or end a transaction; raises if the connection ended meanwhile."""

    async def undo(self) -> None:
        """End a transaction that failed; never raises."""

    def cut(self) -> None:
        """End the statement under way: its caller gets an error."""

    async def aclose(self) -> None:
        """Disconnect."""


class Line:
    """Runs one statement after another, each with one text parameter: ids or rows as JSON.

    A trip through SQLAlchemy's pool, compiler and greenlets costs 400 µs of CPU, one through here 90.
    """

    def __init__(
        self, url: DatabaseUrl, settings: Mapping[str, str] = PLANNED_ONCE, *, is_durable: bool = True
    ) -> None:
        """Speak to the database of a URL; the first statement connects. `settings` are PostgreSQL's.

        What is not durable is committed without waiting for the disk: a crash of the database's machine may undo it.
        """
        is_postgres = url.dialect == "postgresql"
        self._begin = "BEGIN" if is_postgres else "BEGIN IMMEDIATE"
        settings = settings if is_durable else {**settings, "synchronous_commit": "off"}
        self._driver: Driver = _Postgres(url.target, settings) if is_postgres else _Sqlite(url.target, is_durable)
        self._turn = asyncio.Lock()
        self._is_closed = False

    async def ask(self, statement: str, parameter: str) -> Rows:
        """Return a statement's rows; what it writes is committed then. Raises `DatabaseUnavailable` within bounds."""
        async with self._bounded():
            return await self._driver.run(statement, parameter)

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Ask]:
        """Give what asks within one transaction, which commits at the end or leaves nothing behind.

        All of it has the time of one statement. Raises `DatabaseUnavailable`.
        """
        async with self._bounded():
            await self._driver.do(self._begin)
            try:
                yield self._driver.run
                await self._driver.do("COMMIT")
            except BaseException:
                await self._driver.undo()
                raise

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        """Have the connection for oneself, for as long as a statement may take."""
        with outages_named():
            async with asyncio.timeout(TURN_SECONDS if self._turn.locked() else None):
                await self._turn.acquire()
            # Ending the statement ends the wait for it; cancelling would first wait for a server that is silent.
            loop = asyncio.get_running_loop()
            ends_at = loop.time() + STATEMENT_SECONDS
            timer = loop.call_at(ends_at, self._driver.cut)
            try:
                if not self._is_closed:
                    await self._driver.open()
                if self._is_closed or ends_at <= loop.time():  # while connecting there was nothing to cut
                    raise DatabaseUnavailable
                yield
            finally:
                timer.cancel()
                self._turn.release()

    async def aclose(self) -> None:
        """Disconnect for good."""
        self._is_closed = True
        await self._driver.aclose()


class _Postgres:
    def __init__(self, dsn: str, settings: Mapping[str, str]) -> None:
        self._dsn = dsn
        self._settings = dict(settings)
        self._connection: Connection | None = None

    async def open(self) -> None:
        # Never later: the rest of a transaction on another connection would be no transaction.
        if self._connection is None or self._connection.is_closed():
            self._connection = None
            self._connection = await connect_postgresql(self._dsn, settings=self._settings)

    async def run(self, statement: str, parameter: str) -> Rows:
        rows: Rows = await self._opened.fetch(statement, parameter)
        return rows

    async def do(self, command: str) -> None:
        await self._opened.execute(command)

    async def undo(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            try:
                await self._connection.execute("ROLLBACK")
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self.cut()

    def cut(self) -> None:
        if self._connection is not None:
            self._connection.terminate()

    async def aclose(self) -> None:
        self.cut()

    @property
    def _opened(self) -> Connection:
        if self._connection is None:
            raise DatabaseUnavailable
        return self._connection


class _Sqlite:
    def __init__(self, path: str, is_durable: bool) -> None:
        self._path = path
        self._is_durable = is_durable
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seance-line")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        pass  # its thread does, with the first statement

    async def run(self, statement: str, parameter: str) -> Rows:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._rows, statement, (parameter,))

    async def do(self, command: str) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._rows, command, ())

    async def undo(self) -> None:
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.rollback)

    def cut(self) -> None:
        if self._connection is not None:
            self._connection.interrupt()

    async def aclose(self) -> None:
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._connection = None
        self._thread.shutdown(wait=False)

    def _rows(self, statement: str, parameters: tuple[str, ...]) -> Rows:
        """In the line's own thread."""
        if self._connection is None:
            self._connection = connect_sqlite(self._path, is_durable=self._is_durable)
        return self._connection.execute(statement, parameters).fetchall()
