"""The backplane over Redis: one channel per session, heard while the session has members here."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.cluster.framing import packed, unpacked
from server.cluster.link import Link, command
from server.cluster.outbox import Outbox
from server.cluster.redis_urls import RedisUrl
from server.cluster.subscriptions import Subscriptions
from server.domain import SessionId
from server.logs import logger

log = logger()

LISTEN_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 0.5
BEAT_SECONDS: Final = 1.0
SILENT_BEATS: Final = 3
ORIGIN_BYTES: Final = 8
SUBSCRIBE_AT_ONCE: Final = 500
_AWAY: Final = (RedisError, OSError, TimeoutError)
_BEAT: Final = packed(b"")


class RedisBackplane:
    """Publishes ready bytes and hears those of others; when Redis is away it only says that there is doubt.

    Two connections, made anew together for as long as it takes: one publishes and is told no replies, which
    would cost as much as publishing; one listens. Whether they work is seen from what comes round: a beat that
    this process publishes to itself every second. What is to be published meanwhile is dropped, for the
    database has it.
    """

    reaches_others = True

    def __init__(self, url: str, prefix: str) -> None:
        """Take where Redis is, and what the names of channels begin with."""
        self.on_news: Callable[[SessionId, Sequence[bytes]], None] = lambda _, __: None
        self._url = RedisUrl(url)
        self._prefix = f"{prefix}:session:".encode()
        self._origin = os.urandom(ORIGIN_BYTES)
        self._self_channel = f"{prefix}:process:{self._origin.hex()}".encode()
        self._outbox = Outbox(self._origin)
        self._wanted = Subscriptions(self._plan_change)
        self._listener: Link | None = None
        self._publisher: Link | None = None
        self._has_come_round = False
        self._is_away = False
        self._pongs: dict[bytes, asyncio.Event] = {}
        self._connecting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to publish and to listen; does not wait for Redis."""
        self._wanted.want(self._self_channel)
        self._connecting = asyncio.create_task(self._stay_connected())

    async def aclose(self) -> None:
        """Hang up; what was published so far is sent, if that is possible at once."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])

    # -- the interface of the core

    async def listen(self, session_id: SessionId) -> None:
        """Return once Redis confirmed the session's channel, or after a quarter of a second without."""
        confirmed = self._wanted.want(self._channel(session_id))
        if not confirmed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_SECONDS):
                    await confirmed.wait()

    def ignore(self, session_id: SessionId) -> None:
        """Hear of the session no more."""
        self._wanted.drop(self._channel(session_id))

    def publish(self, session_id: SessionId, news: bytes) -> None:
        """Put news into the outbox."""
        self._outbox.put(self._channel(session_id), packed(news))

    async def ping(self, timeout_seconds: float) -> bool:
        """Tell whether what is published here is heard here."""
        nonce, pong = os.urandom(8), asyncio.Event()
        self._pongs[nonce] = pong
        self._outbox.put(self._self_channel, packed(nonce))
        try:
            async with asyncio.timeout(timeout_seconds):
                await pong.wait()
        except TimeoutError:
            return False
        finally:
            del self._pongs[nonce]
        return True

    def _channel(self, session_id: SessionId) -> bytes:
        return self._prefix + session_id.encode()

    # -- the two connections

    async def _stay_connected(self) -> None:
        for client in self._url.clients():
            try:
                await self._carry(client)
            except _AWAY as error:
                if not self._is_away:
                    log.warning("redis.away", cause=type(error).__name__)
                self._is_away = True
            except Exception:  # this process must not stay deaf and mute for a fault that nobody foresaw
                log.exception("redis.failed")
            finally:
                await self._part(client)
            await asyncio.sleep(RETRY_SECONDS)

    async def _carry(self, client: Redis) -> None:
        """Publish and listen until a connection ends, or nothing comes round any more; raises why."""
        self._listener = listener = await Link.open(client, self._hear)
        self._publisher = publisher = await Link.open(client)
        publisher.write(command(b"CLIENT", b"REPLY", b"OFF"))
        self._wanted.lose_all()
        silent = 0
        while silent < SILENT_BEATS:
            self._has_come_round = False
            self._outbox.put(self._self_channel, _BEAT)
            ended, _ = await asyncio.wait(
                [listener.ended, publisher.ended], timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if ended:
                raise ended.pop().result()
            silent = 0 if self._has_come_round else silent + 1
        raise TimeoutError

    async def _part(self, client: Redis) -> None:
        self._outbox.close()
        for link in (self._listener, self._publisher):
            if link is not None:
                link.abort()
        self._listener = self._publisher = None
        self._wanted.lose_all()
        with suppress(*_AWAY):
            await client.aclose()

    def _plan_change(self) -> None:
        asyncio.get_running_loop().call_soon(self._change)

    def _change(self) -> None:
        """Subscribe and unsubscribe as wanted; without a connection all that is wanted is asked for later."""
        if self._listener is None:
            return
        wanted, unwanted = self._wanted.take_changes()
        commands = [command(b"SUBSCRIBE", *some) for some in _chunks(wanted)]
        commands += [command(b"UNSUBSCRIBE", *some) for some in _chunks(unwanted)]
        self._listener.write(b"".join(commands))

    # -- what is heard

    def _hear(self, reply: list[Any]) -> None:
        kind, channel, payload = reply
        if kind == b"message":
            if not payload.startswith(self._origin):
                self._tell(channel, payload)
            elif channel == self._self_channel:
                self._come_round(payload)
        elif kind == b"subscribe":
            self._wanted.confirm(channel)
            if channel == self._self_channel and self._publisher is not None:
                self._outbox.open(self._publisher)
                if self._is_away:
                    log.info("redis.back")
                self._is_away = False

    def _tell(self, channel: bytes, payload: bytes) -> None:
        session_id = SessionId(channel[len(self._prefix) :].decode())
        try:
            self.on_news(session_id, unpacked(payload, ORIGIN_BYTES))
        except Exception:  # whatever somebody published, what others say must still be heard
            log.exception("redis.not_understood", session_id=session_id)

    def _come_round(self, payload: bytes) -> None:
        self._has_come_round = True
        for nonce in unpacked(payload, ORIGIN_BYTES):
            if (pong := self._pongs.get(nonce)) is not None:
                pong.set()


def _chunks(channels: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(channels), SUBSCRIBE_AT_ONCE):
        yield channels[start : start + SUBSCRIBE_AT_ONCE]
