"""The connection under the backplane, against the other end of a socket."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from redis.exceptions import InvalidResponse, ResponseError

from server.cluster.link import Link, command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECONDS = 5.0
MESSAGE = [b"message", b"a channel", "séance\r\n\x00".encode()]
SUBSCRIBED = [b"subscribe", b"a channel", 1]
REPLIES = b"*3\r\n$9\r\nsubscribe\r\n$9\r\na channel\r\n:1\r\n" + command(*MESSAGE)


@asynccontextmanager
async def linked(heard: list[Any] | None = None) -> AsyncIterator[tuple[Link, socket.socket]]:
    """A link, and the other end of it."""
    here, there = socket.socketpair()
    with there:
        there.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=here)
        link = Link(transport, None if heard is None else heard.append)
        yield link, there
        link.abort()
        await asyncio.wait_for(link.ended, SECONDS)


async def say(there: socket.socket, said: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(there, said)


async def until_heard(heard: list[Any], count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while len(heard) < count:
            await asyncio.sleep(0)


def test_a_command_is_what_redis_reads() -> None:
    assert command(b"PUBLISH", b"c", b"x\r\n\x00") == b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$4\r\nx\r\n\x00\r\n"


async def test_replies_are_heard_whole_and_in_order() -> None:
    heard: list[Any] = []
    async with linked(heard) as (_, there):
        await say(there, REPLIES * 3)
        await until_heard(heard, 6)
        assert heard == [SUBSCRIBED, MESSAGE] * 3


async def test_replies_that_come_byte_by_byte_are_heard_whole() -> None:
    heard: list[Any] = []
    async with linked(heard) as (link, _):
        for byte in REPLIES:
            link.data_received(bytes([byte]))
        assert heard == [SUBSCRIBED, MESSAGE]


@pytest.mark.parametrize(
    ("said", "error"), [(b"-NOPERM this user may not\r\n", ResponseError), (b"HTTP/1.1 400\r\n", InvalidResponse)]
)
async def test_an_error_ends_the_connection_and_what_came_before_is_heard(said: bytes, error: type[Exception]) -> None:
    heard: list[Any] = []
    async with linked(heard) as (link, there):
        await say(there, REPLIES + said + REPLIES)
        assert isinstance(await asyncio.wait_for(link.ended, SECONDS), error)
        assert heard == [SUBSCRIBED, MESSAGE]


async def test_the_other_end_ends_it() -> None:
    async with linked() as (link, there):
        there.close()
        assert isinstance(await asyncio.wait_for(link.ended, SECONDS), OSError)


async def test_writing_after_the_end_does_nothing() -> None:
    async with linked() as (link, there):
        there.shutdown(socket.SHUT_RDWR)
        await asyncio.wait_for(link.ended, SECONDS)
        await asyncio.sleep(0)
        link.write(command(b"PING"))


async def test_without_anyone_who_hears_replies_are_dropped() -> None:
    async with linked() as (link, there):
        await say(there, REPLIES + b"-ERR unknown\r\n")
        link.write(b"more")
        assert await asyncio.get_running_loop().sock_recv(there, 10) == b"more"
        await asyncio.sleep(0)
        assert not link.ended.done()


async def test_it_tells_when_it_is_full_and_when_there_is_room_again() -> None:
    async with linked() as (link, there):
        room = asyncio.Event()
        link.on_room = room.set
        while not link.is_full:
            link.write(bytes(100_000))
        while not room.is_set():
            await asyncio.get_running_loop().sock_recv(there, 1_000_000)
            await asyncio.sleep(0)
        assert not link.is_full
