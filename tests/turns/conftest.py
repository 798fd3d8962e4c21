"""Servers whose spirit is the fake endpoint, in this process and in processes of their own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.cluster.guests import Guest, guest
from tests.rest.api import Api
from tests.rest.serving import http, logged
from tests.spirit.fake_openai import serving
from tests.turns.checking import faults_of
from tests.turns.endpoint import HeldOpenAI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession
    from blockbuster import BlockBuster

    from tests.conftest import Serve

__all__ = ["http", "logged"]

END_SECONDS = 10.0
SPEAKING = {"SPIRIT_PROVIDER": "openai", "SPIRIT_API_KEY": "none", "RATE_LIMITS": "off"}


@dataclass(frozen=True)
class House:
    """One or more servers on one database."""

    http: ClientSession
    urls: tuple[str, ...]
    fake: HeldOpenAI

    @property
    def api(self) -> Api:
        return self.at(0)

    def at(self, server: int) -> Api:
        """The REST calls of one server."""
        return Api(self.http, self.urls[server])

    async def session(self, **spirit: Any) -> str:
        """The id of a new session whose spirit behaves so."""
        return await self.api.session(spirit=spirit)

    @asynccontextmanager
    async def guest(self, session_id: str, name: str = "Ada", *, at: int = 0, **more: Any) -> AsyncIterator[Guest]:
        """A person whose events are held to the rules when they leave."""
        about = {"user_name": name} | more
        async with guest(self.http, self.urls[at], session_id, name.lower(), **about) as one:
            yield one
            assert faults_of(one.told, one.joined.get("turn")) == []


class OpenHouse(Protocol):
    """Starts servers, as many as asked for, on one fresh database; settings go over the usual ones."""

    async def __call__(self, servers: int = 1, /, **settings: str) -> House: ...


@pytest.fixture
async def fake() -> HeldOpenAI:
    """The endpoint behind the servers of a test."""
    return HeldOpenAI(says=("The ", "candle ", "leans."))


@pytest.fixture
async def endpoint_url(fake: HeldOpenAI) -> AsyncIterator[str]:
    async with serving(fake) as url:
        yield url


@pytest.fixture
def shared_by(postgres_url: str, redis_url: str, blocking_calls: BlockBuster) -> dict[str, str]:
    """What the servers of one test have in common."""
    for function in blocking_calls.functions.values():
        # asyncpg looks for files of passwords and certificates with each new connection.
        function.can_block_in("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args")
    return {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url, "REDIS_PREFIX": postgres_url.rpartition("/")[2]}


@pytest.fixture
def open_house(
    serve: Serve, http: ClientSession, fake: HeldOpenAI, endpoint_url: str, shared_by: dict[str, str]
) -> OpenHouse:
    """Servers in this process, on PostgreSQL, and on Redis when there are several."""

    async def start(servers: int = 1, /, **settings: str) -> House:
        alone = {} if servers > 1 else {"REDIS_URL": ""}
        common = SPEAKING | shared_by | alone | {"SPIRIT_BASE_URL": endpoint_url}
        urls = [await serve(**common | settings) for _ in range(servers)]
        return House(http, tuple(urls), fake)

    return start


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    """One server."""
    return await open_house()


@pytest.fixture
async def two(open_house: OpenHouse) -> House:
    """Two servers that share everything."""
    return await open_house(2)


async def finished(one: Guest, times: int = 1) -> dict[str, Any]:
    """The end of that many turns; the last of them."""
    await one.wait("spirit_finished", lambda _: len(one.named("spirit_finished")) >= times, seconds=END_SECONDS)
    return one.named("spirit_finished")[times - 1].said
