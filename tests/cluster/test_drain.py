"""Who comes to a process that is about to end is sent away before its seat is given up."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.conftest import Cluster, client
from tests.cluster.guests import RefusedError, connect
from tests.faults.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

DRAIN_SECONDS = 1.5
LAST_SECONDS = 10.0


@pytest.fixture(scope="module")
async def slow_to_end() -> AsyncIterator[Cluster]:
    """Two processes that take their time to send people away."""
    async with World(processes=2, settings={"DRAIN_SECONDS": str(DRAIN_SECONDS)}) as world, client() as http:
        yield Cluster(world, http)


async def test_a_raw_guest_of_a_draining_process_is_closed_before_another_gets_the_seat(slow_to_end: Cluster) -> None:
    session_id = await slow_to_end.session(max_users=1)
    ending = slow_to_end.world.servers[0]
    async with slow_to_end.guest(0, await slow_to_end.session(), "eve") as eve:
        stopping = asyncio.create_task(ending.terminate())
        await eve.wait("server_draining")
        async with slow_to_end.http.ws_connect(
            f"{slow_to_end.urls[0]}/ws/{session_id}", protocols=["seance.v1"]
        ) as late:
            await late.send_str('{"user_id": "late", "name": "Late"}')
            assert "session_joined" in await late.receive_str()
            closed = asyncio.create_task(closing(late))
            got_seat = await first_seat(slow_to_end, session_id)
            code, closed_at = await closed
        assert closed_at < got_seat
        assert code == 1012
    assert await stopping == 0
    await ending.start()


async def closing(socket: aiohttp.ClientWebSocketResponse) -> tuple[int | None, float]:
    """The close code of a WebSocket, and when it came."""
    async for _ in socket:
        pass
    return socket.close_code, time.monotonic()


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
