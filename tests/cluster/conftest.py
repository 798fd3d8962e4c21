"""Four servers on one PostgreSQL and one Redis, shared by the tests of this folder: each puts right what it broke."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.cluster.guests import Guest, guest
from tests.faults.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

PROCESSES = 4
SILENT = {"answers": "never"}


@dataclass(frozen=True)
class Cluster:
    """The servers, and an HTTP client for all of them."""

    world: World
    http: aiohttp.ClientSession

    @property
    def urls(self) -> list[str]:
        """One base URL for each process, past the proxies."""
        return [server.url for server in self.world.servers]

    async def call(self, method: str, path: str, *, at: int = 0, **options: Any) -> tuple[int, Any]:
        """The status, and the data or the error of the answer."""
        async with self.http.request(method, self.urls[at] + path, **options) as answer:
            envelope = await answer.json()
            return answer.status, envelope["data"] if envelope["success"] else envelope["error"]

    async def session(self, *, max_users: int = 6, spirit: Any = None) -> str:
        """The id of a new session, whose spirit is silent unless told otherwise."""
        said = {"name": "cluster", "max_users": max_users, "spirit": spirit or SILENT}
        status, session = await self.call("POST", "/api/sessions", json=said)
        assert status == 201, session
        return str(session["id"])

    async def users(self, session_id: str, *, at: int) -> list[str]:
        """The ids of who is there, as one process tells it."""
        _, users = await self.call("GET", f"/api/sessions/{session_id}/users", at=at)
        return sorted(user["user_id"] for user in users)

    async def is_ready(self, *, at: int) -> bool:
        async with self.http.get(self.urls[at] + "/health/ready") as answer:
            return answer.status == 200

    def guest(self, at: int, session_id: str, user_id: str, **more: Any) -> AbstractAsyncContextManager[Guest]:
        """A connection to one of the processes."""
        return guest(self.http, self.urls[at], session_id, user_id, **more)


@pytest.fixture(scope="session")
async def shared_cluster() -> AsyncIterator[Cluster]:
    settings = {"SPIRIT_PROVIDER": "ouija", "LOG_LEVEL": "info"}
    async with World(processes=PROCESSES, settings=settings) as world, client() as http:
        yield Cluster(world, http)


@pytest.fixture
async def cluster(shared_cluster: Cluster) -> Cluster:
    """Four processes that are ready."""
    for server in shared_cluster.world.servers:
        await server.wait_ready()
    return shared_cluster


@asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        yield http
