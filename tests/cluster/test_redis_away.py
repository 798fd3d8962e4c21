"""Redis only carries news: without it nothing is late for its sender, and little for the others."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from tests.cluster.conftest import Cluster
    from tests.cluster.guests import Guest
    from tests.services.redis import Redis

ARRIVAL_SECONDS = 2.0
# What the checks themselves may cost on a machine that does other things too.
MARGIN_SECONDS = 0.5
FAST_SECONDS = 0.3
RETURN_SECONDS = 10.0
SENDS = 60


Away = Callable[["Cluster"], "AbstractAsyncContextManager[None]"]


def redis_of(cluster: Cluster) -> Redis:
    assert cluster.world.redis is not None
    return cluster.world.redis


@asynccontextmanager
async def frozen(cluster: Cluster) -> AsyncIterator[None]:
    redis_of(cluster).freeze()
    try:
        yield
    finally:
        redis_of(cluster).thaw()


@asynccontextmanager
async def dead(cluster: Cluster) -> AsyncIterator[None]:
    await asyncio.to_thread(redis_of(cluster).kill)
    try:
        yield
    finally:
        await asyncio.to_thread(redis_of(cluster).start)


@asynccontextmanager
async def parted(cluster: Cluster) -> AsyncIterator[None]:
    """The process that sends cannot reach Redis, and is not told."""
    cluster.world.redis_ways[0].mute()
    try:
        yield
    finally:
        cluster.world.redis_ways[0].clear()


@pytest.fixture(params=[frozen, dead, parted], ids=lambda away: away.__name__)
async def redis_away(request: pytest.FixtureRequest, cluster: Cluster) -> AsyncIterator[None]:
    async with request.param(cluster):
        yield


async def ack_seconds(guest: Guest) -> float:
    """The median time from a send to its ack."""
    taken = []
    for number in range(SENDS):
        began = time.monotonic()
        await guest.say(f"timed {number}")
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


@pytest.mark.parametrize("away", [frozen, dead, parted])
async def test_acks_come_as_fast_without_redis(cluster: Cluster, away: Away) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(1, session_id, "bo"):
        ratios = []
        for _ in range(3):
            alive = await ack_seconds(ada)
            async with away(cluster):
                ratios.append(await ack_seconds(ada) / alive)
    assert min(ratios) < 1.5, ratios


@pytest.mark.usefixtures("redis_away")
async def test_messages_reach_the_other_process_without_redis_the_last_one_too(cluster: Cluster) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(1, session_id, "bo") as bo:
        for text in ("first", "second", "the last"):
            await ada.say(text)
            acked = time.monotonic()
            told = await bo.heard(text)
            assert told.at - acked < ARRIVAL_SECONDS + MARGIN_SECONDS
        assert bo.texts() == ["first", "second", "the last"]


@pytest.mark.parametrize("away", [frozen, dead, parted])
async def test_messages_are_fast_again_soon_after_redis_is_back(cluster: Cluster, away: Away) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(1, session_id, "bo") as bo:
        async with away(cluster):
            await ada.say("while away")
            await bo.heard("while away")
        async with asyncio.timeout(RETURN_SECONDS):
            fast = 0
            while fast < 5:
                said = f"back {len(ada.told)}"
                await ada.say(said)
                acked = time.monotonic()
                fast = fast + 1 if (await bo.heard(said)).at - acked < FAST_SECONDS else 0


async def test_a_process_is_not_ready_without_redis_and_ready_again_with_it(cluster: Cluster) -> None:
    async with dead(cluster):
        assert not await cluster.is_ready(at=0)
    async with asyncio.timeout(RETURN_SECONDS):
        while not await cluster.is_ready(at=0):
            await asyncio.sleep(0.1)


async def test_people_come_and_go_without_redis(cluster: Cluster) -> None:
    session_id = await cluster.session()
    async with dead(cluster), cluster.guest(0, session_id, "ada"), cluster.guest(1, session_id, "bo"):
        assert await cluster.users(session_id, at=2) == ["ada", "bo"]
