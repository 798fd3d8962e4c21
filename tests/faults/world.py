"""The processes of a run: servers, PostgreSQL and Redis, with a proxy on every way between them and to them."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

import asyncpg

from tests.faults.proxy import Proxy
from tests.services import spawn
from tests.services.postgres import Postgres
from tests.services.processes import DRAIN_SECONDS, START_SECONDS, ServerProcess, environment
from tests.services.redis import Redis

if TYPE_CHECKING:
    from pathlib import Path

MUTATION: Final = "SEANCE_MUTATION"
QUIET: Final = {
    "RATE_LIMITS": "off",
    "SPIRIT_PROVIDER": "none",
    "LOG_LEVEL": "warning",
    "PING_INTERVAL_SECONDS": "2",
    "PING_TIMEOUT_SECONDS": "2",
    "MIGRATE_AT_START": "off",
}
# What a server says of itself when something happens that it does not expect.
COMPLAINTS: Final = ("error", "critical")
NOT_STARTED: Final = "application.not_started"
SUPERVISE_SECONDS: Final = 0.3


class DiedError(Exception):
    """A server ended although nobody asked it to."""


class FaultyServer(ServerProcess):
    """A server that is started again when it found no database, perhaps with one of its guards taken out."""

    def __init__(self, **settings: str) -> None:
        super().__init__(**settings)
        self.is_wanted = False

    async def wait_ready(self, *, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                await super().wait_ready(seconds=deadline - time.monotonic())
            except RuntimeError:
                if time.monotonic() > deadline or not self.found_no_database:
                    raise
                await asyncio.sleep(SUPERVISE_SECONDS)
            else:
                return

    async def kill(self) -> None:
        self.is_wanted = False
        await super().kill()

    async def terminate(self, *, seconds: float = DRAIN_SECONDS) -> int:
        self.is_wanted = False
        return await super().terminate(seconds=seconds)

    @property
    def found_no_database(self) -> bool:
        """Whether it ended because it could not start."""
        return self.returncode is not None and NOT_STARTED in spawn.tail(self._log, lines=1)

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return spawn.tail(self._log)

    async def supervise(self) -> None:
        """Starts it again when it could not start. Raises DiedError when it ended by itself."""
        while True:
            await asyncio.sleep(SUPERVISE_SECONDS)
            if self.is_wanted and self.returncode is not None:
                if not self.found_no_database:
                    raise DiedError(f"a server ended by itself with {self.returncode}:\n{spawn.tail(self._log)}")
                await self.start(ready=False)

    async def start(self, *, ready: bool = True) -> None:
        self.is_wanted = True
        if MUTATION not in self._settings:
            await super().start(ready=ready)
            return
        command = [sys.executable, "-m", "tests.faults.mutated", "serve"]
        self._process = spawn.spawn(command, log=self._log, folder=self._home, env=environment(**self._settings))
        if ready:
            await self.wait_ready()

    def complaints(self) -> list[dict[str, Any]]:
        """What it logged as an error, from all its lives."""
        return [line for line in self.logs if line.get("level") in COMPLAINTS and line.get("event") != NOT_STARTED]


@dataclass
class World:
    """`async with World(processes=3) as world:` serves on `world.urls`; SQLite and one process without PostgreSQL.

    Without proxies, which cost this process time, only `servers` can be reached, and only they can fail.
    """

    processes: int = 3
    sqlite: Path | None = None
    mutation: str = ""
    has_proxies: bool = True
    settings: dict[str, str] = field(default_factory=dict)
    postgres: Postgres | None = None
    redis: Redis | None = None
    servers: list[FaultyServer] = field(default_factory=list)
    entrances: list[Proxy] = field(default_factory=list)
    database_ways: list[Proxy] = field(default_factory=list)
    redis_ways: list[Proxy] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def urls(self) -> list[str]:
        """Where clients connect, one for each process."""
        return [f"http://127.0.0.1:{entrance.port}" for entrance in self.entrances]

    @property
    def database_url(self) -> str:
        """The database itself, past all proxies."""
        return self.postgres.url if self.postgres else f"sqlite:///{self.sqlite}"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            if self.sqlite is None:
                self.postgres = await asyncio.to_thread(stack.enter_context, Postgres(durable=True))
                self.redis = await asyncio.to_thread(stack.enter_context, Redis())
            await asyncio.to_thread(_migrate, self.database_url)
            for _ in range(self.processes):
                await self._add(stack)
            await asyncio.gather(*(server.start() for server in self.servers))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def _add(self, stack: AsyncExitStack) -> None:
        ways = {"DATABASE_URL": self.database_url}
        if not self.has_proxies and self.redis is not None:
            ways["REDIS_URL"] = self.redis.url
        elif self.postgres is not None and self.redis is not None:
            self.database_ways.append(await stack.enter_async_context(Proxy(self.postgres.port)))
            self.redis_ways.append(await stack.enter_async_context(Proxy(self.redis.port)))
            ways["DATABASE_URL"] = _through(self.postgres.url, self.database_ways[-1])
            ways["REDIS_URL"] = _through(self.redis.url, self.redis_ways[-1])
        mutation = {MUTATION: self.mutation} if self.mutation else {}
        server = FaultyServer(**QUIET | ways | mutation | self.settings)
        self.servers.append(server)
        stack.push_async_callback(server.close)
        if self.has_proxies:
            self.entrances.append(await stack.enter_async_context(Proxy(server.port)))

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database holds, asked past all proxies."""
        if self.postgres is None:
            return await asyncio.to_thread(_sqlite_rows, self.sqlite, query)
        connection = await asyncpg.connect(self.postgres.url)
        try:
            return [tuple(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    def complaints(self) -> list[dict[str, Any]]:
        """What all servers logged as errors."""
        return [line for server in self.servers for line in server.complaints()]


def _through(url: str, way: Proxy) -> str:
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}{at}127.0.0.1:{way.port}").geturl()


def _migrate(url: str) -> None:
    from tests.conftest import migrate  # noqa: PLC0415 - pytest's own file, which imports much

    migrate(url)


def _sqlite_rows(path: Path | None, query: str) -> list[tuple[Any, ...]]:
    assert path is not None
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
