"""The backplane's two connections end, or die without a word, one alone or both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis as Client

from server.cluster import redis_backplane
from server.cluster.link import Link, command
from server.cluster.redis_urls import RedisUrl
from tests.cluster.test_redis_kinds import SESSION, carries, connected, two
from tests.faults.proxy import Proxy
from tests.services.redis import Redis

if TYPE_CHECKING:
    from tests.cluster.test_redis_kinds import Ear

CHATTER_SECONDS = 0.1
RETURN_SECONDS = 15.0


async def come_back(one: Ear, other: Ear) -> None:
    for ear in (one, other):
        assert await connected(ear, seconds=RETURN_SECONDS)
        await ear.listen(SESSION)
    await carries(one, other)


@pytest.mark.parametrize("kind", ["normal", "pubsub"])
async def test_who_lost_one_connection_makes_both_anew_at_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_backplane, "BEAT_SECONDS", 2 * RETURN_SECONDS)
    with Redis() as server:
        async with two(server.url) as (one, other):
            async with Client.from_url(server.url) as operator:
                assert await operator.client_kill_filter(skipme=True, _type=kind) == 2
            await come_back(one, other)


@pytest.mark.parametrize("kind", ["normal", "pubsub"])
async def test_a_connection_that_died_without_a_word_is_missed_even_while_others_are_heard(kind: str) -> None:
    with Redis() as server:
        async with Proxy(server.port) as way, two(f"redis://127.0.0.1:{way.port}/0", server.url) as (one, other):
            chatter = asyncio.create_task(chat(other))
            await forget(way, server, kind)
            assert await connected(one, seconds=RETURN_SECONDS)
            chatter.cancel()
            while not one.heard.empty():
                await one.hears()
            await come_back(one, other)


async def chat(ear: Ear) -> None:
    while True:
        ear.publish(SESSION, b"chatter")
        await asyncio.sleep(CHATTER_SECONDS)


async def forget(way: Proxy, server: Redis, kind: str) -> None:
    """One of the two connections that go this way goes on nowhere."""
    async with Client.from_url(server.url) as operator:
        ports = {client["addr"].rpartition(":")[2] for client in await operator.client_list(_type=kind)}
    for half in way.halves:
        name = half.transport and half.transport.get_extra_info("sockname")
        if name and str(name[1]) in ports:
            half.forget()


async def test_closing_a_client_does_not_wait_for_what_its_link_took_over(redis_url: str) -> None:
    client = next(RedisUrl(redis_url).clients())
    link = await Link.open(client)
    link.write(command(b"PING"))
    link.abort()
    await client.aclose()  # else it raises after a second
    assert link.ended.done()
