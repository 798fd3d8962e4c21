"""Lets a program that serves nobody tell a session's members something: a job, a script, another service."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from server.cluster.framing import packed
from server.cluster.redis_urls import RedisUrl
from server.domain import SessionId
from server.protocol.codec import dumps
from server.protocol.events import check_event
from server.protocol.wire import WireEvent

if TYPE_CHECKING:
    from redis.asyncio import Redis

NO_ORIGIN: Final = bytes(8)
LOGGED: Final = frozenset({"message_received", "session_closed"})


class Emitter:
    """Publishes events to the rooms of all processes; hears nothing, needs no database.

    Delivery is at most once. A message is no mere event: post it by REST, so that it gets its `seq`.
    """

    def __init__(self, redis_url: str, prefix: str = "seance") -> None:
        """Take what the servers have in `REDIS_URL` and `REDIS_PREFIX`."""
        self._redis: Redis = next(RedisUrl(redis_url).clients())
        self._prefix = prefix

    async def emit(self, session_id: str, event: str, said: Mapping[str, Any]) -> int:
        """Tell everyone in a session; returns how many processes heard it.

        Raises `ValueError` for an event that is none of ours, does not fit its shape, or belongs to the log,
        and redis-py's errors when Redis is away.
        """
        if event in LOGGED:
            raise ValueError(f"{event} comes from the database only")
        check_event(event, said)
        told = WireEvent(event.encode(), dumps(said)).packed()
        channel = f"{self._prefix}:session:{SessionId(session_id)}"
        return int(await self._redis.publish(channel, NO_ORIGIN + packed(told)))

    async def aclose(self) -> None:
        """Hang up."""
        with suppress(OSError):
            await self._redis.aclose()
