"""A connection that redis-py opens, with login, TLS and Sentinel, and that is read and written without it.

To hear a message through redis-py's `PubSub` costs 16 µs in a busy moment and 65 in a quiet one, most of it tasks,
timers and copies; here it is 2 and 25. What is private to the library is touched in `open` alone.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import hiredis
from redis.asyncio import Redis
from redis.exceptions import InvalidResponse, RedisError, ResponseError

OnReply = Callable[[list[Any]], None]

_NOT_YET: Final = object()


def command(*words: bytes) -> bytes:
    """Return a command as Redis reads it."""
    return b"*%d\r\n%b" % (len(words), b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words]))


class Link(asyncio.Protocol):
    """One connection, from `open` until `ended`; nothing here waits."""

    def __init__(self, transport: asyncio.Transport, on_reply: OnReply | None) -> None:
        """Take a transport over from the protocol it has had so far; use `open`."""
        self.ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.on_room: Callable[[], None] = lambda: None
        self.is_full = False
        self._transport = transport
        self._on_reply = on_reply
        self._reader = hiredis.Reader(InvalidResponse, ResponseError, notEnoughData=_NOT_YET)
        self._opener = cast("asyncio.Protocol", transport.get_protocol())
        transport.set_protocol(self)

    @classmethod
    async def open(cls, client: Redis, on_reply: OnReply | None = None) -> "Link":
        """Return a new connection of a client, which closes it; raises what redis-py raises.

        `on_reply` is called with each reply; without it they are dropped unread.
        """
        connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        writer = connection._writer  # noqa: SLF001 - redis-py shows its transport nowhere else
        if writer is None:
            raise ConnectionResetError
        return cls(cast("asyncio.Transport", writer.transport), on_reply)

    def write(self, commands: bytes) -> None:
        """Send now, or when the connection takes it: it keeps what it is given, so look at `is_full` before.

        After the end it does nothing.
        """
        if not self.ended.done():
            self._transport.write(commands)

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()

    # -- what the transport calls

    def data_received(self, data: bytes) -> None:
        """Hand on every reply that is whole; an error, or what is none, ends the connection."""
        if self._on_reply is None:
            return
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not _NOT_YET:
                if isinstance(reply, Exception):
                    raise reply
                self._on_reply(reply)
        except RedisError as error:
            self._end(error)
            self._transport.abort()

    def pause_writing(self) -> None:
        """Learn that the other side reads too slowly."""
        self.is_full = True

    def resume_writing(self) -> None:
        """Learn that there is room again."""
        self.is_full = False
        self.on_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn of the end; redis-py waits to hear of it too."""
        self._opener.connection_lost(exc)
        self._end(exc or ConnectionResetError())

    def _end(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_result(error)
