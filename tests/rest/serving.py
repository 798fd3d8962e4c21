"""The servers that tests of the wire talk to: without a spirit and without limits unless a test wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
import structlog
from aiohttp import ClientSession, DummyCookieJar
from structlog.testing import LogCapture

from server.auth import Tokens
from tests.rest.api import Api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, MutableMapping

    from blockbuster import BlockBuster

    from tests.conftest import Serve

SECRET = "a-secret-of-the-tests-with-enough-bytes"
QUIET = {"SPIRIT_PROVIDER": "none", "RATE_LIMITS": "off"}
CLOSED = {"AUTH_REQUIRED": "on", "JWT_SECRET": SECRET}


class Open(Protocol):
    """Starts a quiet server, `settings` over the quiet ones, and returns its calls."""

    async def __call__(self, **settings: str) -> Api: ...


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What the servers of this process log, and nothing on the screen."""
    capture = LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture], cache_logger_on_first_use=False)
    yield capture.entries
    structlog.reset_defaults()


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """An HTTP client without cookies and without a bound on what it reads."""
    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=True) as client:
        yield client


@pytest.fixture
def open_api(serve: Serve, http: ClientSession, sqlite_url: str, blocking_calls: BlockBuster) -> Open:
    """Quiet servers on an SQLite file that is migrated already."""
    for function in blocking_calls.functions.values():
        # asyncpg looks for files of passwords and certificates with each new connection.
        function.can_block_in("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args")

    async def start(**settings: str) -> Api:
        return Api(http, await serve(**QUIET | {"DATABASE_URL": sqlite_url} | settings))

    return start


@pytest.fixture
async def api(open_api: Open) -> Api:
    """The calls of a quiet server that asks for no tokens."""
    return await open_api()


@pytest.fixture
async def api_on_both(database_url: str, open_api: Open) -> Api:
    """The same, once on SQLite and once on PostgreSQL, which outlives the server."""
    return await open_api(DATABASE_URL=database_url)


@pytest.fixture
async def closed_api(open_api: Open) -> Api:
    """The calls of a server that asks for tokens, made without one."""
    return await open_api(**CLOSED)


@pytest.fixture
def tokens() -> Tokens:
    """The tokens of `closed_api`."""
    return Tokens(SECRET)
