"""The backplane over Redis: one channel per session, heard while the session has members here."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.cluster.framing import packed, unpacked
from server.cluster.outbox import News, Outbox
from server.cluster.redis_urls import RedisUrl
from server.cluster.subscriptions import Subscriptions
from server.domain import SessionId
from server.logs import logger

log = logger()

LISTEN_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 0.5
BEAT_SECONDS: Final = 1.0
SILENCE_SECONDS: Final = 3.0
ORIGIN_BYTES: Final = 8
SUBSCRIBE_AT_ONCE: Final = 500
_AWAY: Final = (RedisError, OSError, TimeoutError)


class RedisBackplane:
    """Publishes ready bytes and hears those of others; when Redis is away it only says that there is doubt.

    Two connections: one that publishes in batches, one that listens. Each is made anew for as long as it
    takes; what was to be published meanwhile is dropped, for the database has it.
    """

    reaches_others = True

    def __init__(self, url: str, prefix: str) -> None:
        """Take where Redis is, and what the names of channels begin with."""
        self.on_news: Callable[[SessionId, bytes], None] = lambda _, __: None
        self._url = RedisUrl(url)
        self._prefix = f"{prefix}:session:"
        self._origin = os.urandom(ORIGIN_BYTES)
        self._self_channel = f"{prefix}:process:{self._origin.hex()}"
        self._outbox = Outbox(self._send)
        self._wanted = Subscriptions()
        self._publisher: Redis | None = None
        self._pongs: dict[bytes, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to publish and to listen; does not wait for Redis."""
        self._wanted.want(self._self_channel)
        self._tasks = [
            asyncio.create_task(self._forever("publisher", self._publish)),
            asyncio.create_task(self._forever("listener", self._listen)),
            asyncio.create_task(self._beat()),
        ]

    async def aclose(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- the interface of the core

    async def listen(self, session_id: SessionId) -> None:
        """Return once Redis confirmed the session's channel, or after a quarter of a second without."""
        confirmed = self._wanted.want(self._prefix + session_id)
        if not confirmed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_SECONDS):
                    await confirmed.wait()

    def ignore(self, session_id: SessionId) -> None:
        """Hear of the session no more."""
        self._wanted.drop(self._prefix + session_id)

    def publish(self, session_id: SessionId, news: Sequence[bytes]) -> None:
        """Put news into the outbox, as one message."""
        self._outbox.put(self._prefix + session_id, self._origin + packed(news))

    async def ping(self, timeout_seconds: float) -> bool:
        """Tell whether what is published here is heard here."""
        nonce, pong = os.urandom(8), asyncio.Event()
        self._pongs[nonce] = pong
        self._outbox.put(self._self_channel, bytes(ORIGIN_BYTES) + nonce)
        try:
            async with asyncio.timeout(timeout_seconds):
                await pong.wait()
        except TimeoutError:
            return False
        finally:
            del self._pongs[nonce]
        return True

    # -- the two connections

    async def _forever(self, name: str, work: Callable[[Redis], Any]) -> None:
        for client in self._url.clients():
            try:
                await work(client)
            except _AWAY as error:
                log.warning("redis.away", connection=name, cause=type(error).__name__)
            except Exception:  # this process must not stay deaf or mute for a fault that nobody foresaw
                log.exception("redis.failed", connection=name)
            finally:
                with suppress(*_AWAY):
                    await client.aclose()
            self._outbox.clear()
            await asyncio.sleep(RETRY_SECONDS)

    async def _publish(self, client: Redis) -> None:
        await client.ping()
        self._publisher = client
        await self._outbox.run()

    async def _send(self, batch: list[News]) -> None:
        assert self._publisher is not None  # noqa: S101 - the outbox runs only while there is one
        pipeline = self._publisher.pipeline(transaction=False)
        for channel, payload in batch:
            pipeline.publish(channel, payload)
        await pipeline.execute()

    async def _listen(self, client: Redis) -> None:
        pubsub = client.pubsub()
        await pubsub.subscribe(self._self_channel)
        self._wanted.lose_all()
        changing = asyncio.create_task(self._change(pubsub))
        try:
            while (message := await pubsub.get_message(timeout=SILENCE_SECONDS)) is not None:
                self._heard(message["type"], message["channel"].decode(), message["data"])
            raise TimeoutError  # not even our own beat was heard
        finally:
            changing.cancel()
            self._wanted.lose_all()
            with suppress(*_AWAY):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _change(self, pubsub: Any) -> None:
        """Subscribe and unsubscribe as wanted; that the connection broke shows where it is read."""
        while True:
            await self._wanted.has_changed.wait()
            wanted, unwanted = self._wanted.take_changes()
            with suppress(*_AWAY):
                for some in _chunks(wanted):
                    await pubsub.subscribe(*some)
                for some in _chunks(unwanted):
                    await pubsub.unsubscribe(*some)

    async def _beat(self) -> None:
        """Give the listener something to hear: silence then means that the connection is dead."""
        while True:
            self._outbox.put(self._self_channel, bytes(ORIGIN_BYTES))
            await asyncio.sleep(BEAT_SECONDS)

    def _heard(self, kind: str, channel: str, payload: bytes) -> None:
        if kind == "subscribe":
            self._wanted.confirm(channel)
        elif kind == "message" and channel == self._self_channel:
            if (pong := self._pongs.get(payload[ORIGIN_BYTES:])) is not None:
                pong.set()
        elif kind == "message" and payload[:ORIGIN_BYTES] != self._origin:
            session_id = SessionId(channel.removeprefix(self._prefix))
            for news in unpacked(payload[ORIGIN_BYTES:]):
                self.on_news(session_id, news)


def _chunks(channels: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(channels), SUBSCRIBE_AT_ONCE):
        yield channels[start : start + SUBSCRIBE_AT_ONCE]
