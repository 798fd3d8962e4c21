"""The backplane over every kind of Redis that `REDIS_URL` can name."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from redis.asyncio import Redis as Client

from server.cluster.framing import packed
from server.cluster.redis_backplane import RedisBackplane
from server.domain import SessionId
from tests.cluster.redis_kinds import SERVICE, cluster_of, watched, with_tls, with_user
from tests.services.redis import Redis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

SESSION = SessionId("a session")
UNBEARABLE = b"what nobody can read"
ARRIVAL_SECONDS = 5.0
SILENCE_SECONDS = 0.5
FAILOVER_SECONDS = 40.0


class Ear(RedisBackplane):
    """A backplane that remembers what it hears."""

    def __init__(self, url: str, prefix: str = "seance") -> None:
        super().__init__(url, prefix)
        self.heard: asyncio.Queue[tuple[SessionId, bytes]] = asyncio.Queue()
        self.on_news = self.remember

    def remember(self, session_id: SessionId, news: Sequence[bytes]) -> None:
        if UNBEARABLE in news:
            raise ValueError
        for piece in news:
            self.heard.put_nowait((session_id, piece))

    async def hears(self, *, seconds: float = ARRIVAL_SECONDS) -> bytes | None:
        """The next news of the session, None after a silence."""
        try:
            async with asyncio.timeout(seconds):
                session_id, news = await self.heard.get()
        except TimeoutError:
            return None
        assert session_id == SESSION
        return news


@asynccontextmanager
async def two(url: str, other_url: str | None = None, **options: str) -> AsyncIterator[tuple[Ear, Ear]]:
    """Two processes' backplanes that listen to one session."""
    one, other = Ear(url, **options), Ear(other_url or url, **options)
    async with AsyncExitStack() as stack:
        for ear in (one, other):
            await ear.start()
            stack.push_async_callback(ear.aclose)
            assert await connected(ear)
            await ear.listen(SESSION)
        yield one, other


async def connected(ear: Ear, *, seconds: float = ARRIVAL_SECONDS) -> bool:
    """Whether what it publishes comes back to it within the time."""
    try:
        async with asyncio.timeout(seconds):
            while not await ear.ping(0.5):
                pass
    except TimeoutError:
        return False
    return True


async def carries(one: Ear, other: Ear) -> None:
    """News goes both ways, in order, whole, and not to who sent it."""
    news = [b"first", b"", "séance\x00".encode()]
    for piece in news:
        one.publish(SESSION, piece)
    assert [await other.hears() for _ in news] == news
    other.publish(SESSION, b"back")
    assert await one.hears() == b"back"
    assert other.heard.empty()


async def test_one_server(redis_url: str) -> None:
    async with two(redis_url) as (one, other):
        await carries(one, other)


async def test_news_that_nobody_here_listens_to_does_not_arrive(redis_url: str) -> None:
    async with two(redis_url) as (one, other):
        other.ignore(SESSION)
        await connected(other)
        one.publish(SESSION, b"unheard")
        assert await other.hears(seconds=SILENCE_SECONDS) is None


async def test_what_one_turn_of_the_loop_tells_a_session_is_heard_together(redis_url: str) -> None:
    together: list[Sequence[bytes]] = []
    async with two(redis_url) as (one, other):
        other.on_news = lambda _, news: together.append(news)
        for piece in (b"1", b"2", b"3"):
            one.publish(SESSION, piece)
        await connected(one)  # its own ping came round behind them
        async with asyncio.timeout(ARRIVAL_SECONDS):
            while not together:
                await asyncio.sleep(0)
        assert together == [[b"1", b"2", b"3"]]


async def test_what_was_published_last_is_heard_although_the_process_ends(redis_url: str) -> None:
    async with two(redis_url) as (one, other):
        one.publish(SESSION, b"the last")
        await one.aclose()
        assert await other.hears() == b"the last"


async def test_who_publishes_nonsense_makes_nobody_deaf(redis_url: str) -> None:
    async with two(redis_url) as (one, other), Client.from_url(redis_url) as stranger:
        for payload in (b"", b"x", bytes(8), bytes(8) + b"cut", bytes(8) + packed(UNBEARABLE)):
            await stranger.publish(f"seance:session:{SESSION}", payload)
        await carries(one, other)


async def test_prefixes_keep_two_installations_apart(redis_url: str) -> None:
    async with two(redis_url, prefix="blue") as (one, other), two(redis_url, prefix="green") as (stranger, _):
        await carries(one, other)
        assert stranger.heard.empty()


async def test_tls(tmp_path: Path) -> None:
    with with_tls(tmp_path) as url:
        async with two(url) as (one, other):
            await carries(one, other)


async def test_tls_with_a_certificate_that_is_not_trusted_carries_nothing(tmp_path: Path) -> None:
    with with_tls(tmp_path) as url:
        ear = Ear(url.partition("?")[0])
        await ear.start()
        assert not await connected(ear, seconds=1.5)
        await ear.aclose()


async def test_an_acl_user_who_may_only_use_our_channels() -> None:
    async with with_user("seance", "s3cret", "circle:*") as url:
        async with two(url, prefix="circle") as (one, other):
            await carries(one, other)
        ear = Ear(url.replace("s3cret", "wrong"), prefix="circle")
        await ear.start()
        assert not await connected(ear, seconds=1.5)
        await ear.aclose()


async def test_a_user_who_may_not_have_replies_switched_off() -> None:
    rules = ["+publish", "+subscribe", "+unsubscribe"]
    async with with_user("seance", "s3cret", "circle:*", rules) as url, two(url, prefix="circle") as (one, other):
        await carries(one, other)


async def test_health_sees_that_publishing_is_refused_although_redis_does_not_say_so() -> None:
    async with with_user("seance", "s3cret", "circle:*") as url, two(url, prefix="circle") as (one, _):
        assert await one.ping(ARRIVAL_SECONDS)
        async with Client.from_url(url.replace("seance:s3cret", ":admin's own")) as admin:
            await admin.acl_setuser("seance", enabled=True, commands=["-publish"], keys=["*"])
        assert not await one.ping(SILENCE_SECONDS)


async def test_a_cluster_carries_news_between_processes_on_different_nodes() -> None:
    async with cluster_of(3) as ports:
        places = [f"127.0.0.1:{port}" for port in ports]
        there, back = ",".join(places), ",".join(reversed(places))
        async with two(f"redis+cluster://{there}", f"redis+cluster://{back}") as (one, other):
            await carries(one, other)


async def test_sentinel_leads_to_the_new_master_after_the_old_one_died() -> None:
    async with watched() as (port, master), two(f"redis+sentinel://127.0.0.1:{port}/{SERVICE}/0") as (one, other):
        await carries(one, other)
        await asyncio.to_thread(master.kill)
        for ear in (one, other):
            assert await connected(ear, seconds=FAILOVER_SECONDS)
            await ear.listen(SESSION)
        await carries(one, other)


async def test_a_killed_redis_that_comes_back_is_used_again() -> None:
    with Redis() as server:
        async with two(server.url) as (one, other):
            await carries(one, other)
            await asyncio.to_thread(server.kill)
            one.publish(SESSION, b"old news by the time it could be sent")
            await asyncio.to_thread(server.start)
            for ear in (one, other):
                assert await connected(ear, seconds=FAILOVER_SECONDS)
                await ear.listen(SESSION)
            while not one.heard.empty() or not other.heard.empty():
                await asyncio.wait_for((one if other.heard.empty() else other).heard.get(), 1)
            await carries(one, other)
