"""Everyone comes back at once."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from server.store.database import POOL_CONNECTIONS
from tests.cluster.guests import connect

if TYPE_CHECKING:
    import aiohttp

    from tests.cluster.conftest import Cluster
    from tests.cluster.guests import Guest

CROWD = 1_000
SESSIONS = 10
MISSED = 20
CATCH_UP_SECONDS = 15.0
# The pool, the message log's own connection, and one more that a process may open for a start.
CONNECTIONS_A_PROCESS = POOL_CONNECTIONS + 2
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'seance'"


@pytest.mark.timeout(180)
async def test_a_thousand_who_come_back_at_once_catch_up(cluster: Cluster) -> None:
    session_ids = [await cluster.session(max_users=CROWD) for _ in range(SESSIONS)]
    for session_id in session_ids:
        path = f"/api/sessions/{session_id}/messages"
        for number in range(MISSED):
            status, _ = await cluster.call("POST", path, json={"message": f"m{number}", "user_name": "Ada"})
            assert status == 201
    began = time.monotonic()
    most = asyncio.create_task(most_connections(cluster))
    crowd = await asyncio.gather(*(come_back(cluster, session_ids, number) for number in range(CROWD)))
    taken = time.monotonic() - began
    most.cancel()
    seconds = sorted(seconds for seconds, _ in crowd)
    for _, guest in crowd:
        await guest.socket.close()
    assert taken < CATCH_UP_SECONDS, (taken, seconds[CROWD // 2])
    assert await finished(most) <= len(cluster.urls) * CONNECTIONS_A_PROCESS


async def come_back(cluster: Cluster, session_ids: list[str], number: int) -> tuple[float, Guest]:
    """How long it took until everything missed was there, in order."""
    began = time.monotonic()
    url, session_id = cluster.urls[number % len(cluster.urls)], session_ids[number % SESSIONS]
    guest = await connect(cluster.http, url, session_id=session_id, user_id=f"user {number}", last_seq=0)
    reading = asyncio.create_task(guest.read())
    await guest.wait("message_received", lambda said: said["seq"] == MISSED, seconds=CATCH_UP_SECONDS * 2)
    assert guest.texts() == [f"m{place}" for place in range(MISSED)]
    taken = time.monotonic() - began
    reading.add_done_callback(lambda _: None)
    return taken, guest


async def most_connections(cluster: Cluster) -> int:
    """How many connections to the database there were at most, until cancelled."""
    most = 0
    try:
        while True:
            most = max(most, (await cluster.world.rows(CONNECTIONS))[0][0])
            await asyncio.sleep(0.2)
    except asyncio.CancelledError:
        return most


async def finished(task: asyncio.Task[int]) -> int:
    return await task


async def test_thousands_of_calls_at_once_get_no_server_error(cluster: Cluster) -> None:
    session_id = await cluster.session()

    async def status(number: int) -> int:
        url = f"{cluster.urls[number % len(cluster.urls)]}/api/sessions/{session_id}/messages"
        async with get(cluster.http, url) as answer:
            return answer.status

    statuses = await asyncio.gather(*(status(number) for number in range(CROWD)))
    assert set(statuses) == {200}


def get(http: aiohttp.ClientSession, url: str) -> aiohttp.client._RequestContextManager:
    return http.get(url)
