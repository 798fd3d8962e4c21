"""Who comes to a process that is about to end is not let in, or is sent away before the seat is given up."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.cluster.conftest import Cluster, client
from tests.cluster.guests import RefusedError, connect
from tests.faults.world import World
from tests.realtime.joining import QUICK, WEBSOCKET
from tests.services.processes import ServerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.services.js_client import JsClient

DRAIN_SECONDS = 1.5
HANDSHAKE = {"Connection": "Upgrade", "Upgrade": "websocket"}
LAST_SECONDS = 10.0


@pytest.fixture(scope="module")
async def slow_to_end() -> AsyncIterator[Cluster]:
    """Two processes that take their time to send people away."""
    async with World(processes=2, settings={"DRAIN_SECONDS": str(DRAIN_SECONDS)}) as world, client() as http:
        yield Cluster(world, http)


@asynccontextmanager
async def ending(cluster: Cluster) -> AsyncIterator[None]:
    """The first process ends, and has told so; it is started again afterwards."""
    first = cluster.world.servers[0]
    async with cluster.guest(0, await cluster.session(), "eve") as eve:
        stopping = asyncio.create_task(first.terminate())
        await eve.wait("server_draining")
        yield
    assert await stopping == 0
    await first.start()


async def test_a_draining_process_lets_nobody_new_in_and_says_when_to_come_back(slow_to_end: Cluster) -> None:
    http, url, session_id = slow_to_end.http, slow_to_end.urls[0], await slow_to_end.session()
    async with ending(slow_to_end):
        async with http.get(f"{url}/socket.io/?EIO=4&transport=polling") as poll:
            assert poll.status == 503
            assert int(poll.headers["Retry-After"]) > 0
        async with http.get(f"{url}/ws/{session_id}", headers=HANDSHAKE) as knock:
            assert knock.status == 503
            assert int(knock.headers["Retry-After"]) > 0
            error = (await knock.json())["error"]
        assert (error["code"], error["retryable"]) == ("BUSY", True)
        assert error["details"]["retry_after"] > 0
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await slow_to_end.guest(0, session_id, "late").__aenter__()


async def test_who_joins_a_draining_process_is_closed_before_another_gets_the_seat(slow_to_end: Cluster) -> None:
    session_id = await slow_to_end.session(max_users=1)
    url = f"{slow_to_end.urls[0]}/socket.io/?EIO=4&transport=websocket"
    async with slow_to_end.http.ws_connect(url) as late, ending(slow_to_end):
        await late.send_str(f'40{{"session_id": "{session_id}", "user_name": "Late", "user_id": "late"}}')
        while "session_joined" not in await late.receive_str():
            pass
        closed = asyncio.create_task(closing(late))
        got_seat = await first_seat(slow_to_end, session_id)
        assert await closed < got_seat


async def test_a_stock_client_that_was_sent_away_at_the_door_comes_back_by_itself(js: JsClient) -> None:
    async with ServerProcess(SPIRIT_PROVIDER="none", DRAIN_SECONDS=str(DRAIN_SECONDS)) as server, client() as http:
        async with http.ws_connect(f"{server.url}/ws/none") as last:
            stopping = asyncio.create_task(server.terminate())
            await asyncio.wait_for(not_ready(http, server.url), LAST_SECONDS)
            ada = await js.connect(server.url, wait=False, transports=WEBSOCKET, **QUICK)
            await ada.wait("connect_error")
            await closing(last)
        assert await stopping == 0
        assert not ada.named("connect")
        await server.start()
        await ada.wait("connect", seconds=LAST_SECONDS)


async def not_ready(http: aiohttp.ClientSession, url: str) -> None:
    while True:
        async with http.get(f"{url}/health/ready") as answer:
            if answer.status == 503:
                return


async def closing(socket: aiohttp.ClientWebSocketResponse) -> float:
    """When a WebSocket was closed."""
    async for _ in socket:
        pass
    return time.monotonic()


async def first_seat(cluster: Cluster, session_id: str) -> float:
    """When the only seat of a session was given to somebody on the other process."""
    async with asyncio.timeout(LAST_SECONDS):
        while True:
            try:
                guest = await connect(cluster.http, cluster.urls[1], session_id=session_id, user_id="next")
            except RefusedError:
                await asyncio.sleep(0.01)
                continue
            await guest.disconnect()
            return time.monotonic()
