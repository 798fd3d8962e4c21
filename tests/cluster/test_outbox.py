"""What is to be published, against the other end of a socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from server.cluster.link import command
from server.cluster.outbox import Outbox
from tests.cluster.test_link import linked

if TYPE_CHECKING:
    import socket

    from server.cluster.link import Link

HEAD = b"me:"
MOST_BYTES = 1_000


def published(channel: bytes, payload: bytes) -> bytes:
    return command(b"PUBLISH", channel, HEAD + payload)


async def turn() -> None:
    """The loop goes once through what it has to do."""
    await asyncio.sleep(0)


def read(there: socket.socket) -> bytes:
    """What has been sent so far."""
    try:
        return there.recv(1_000_000)
    except BlockingIOError:
        return b""


async def fill(link: Link) -> int:
    """How much it took until it was full."""
    written = 0
    while not link.is_full:
        link.write(bytes(100_000))
        written += 100_000
    return written


async def test_all_of_one_turn_goes_in_one_write_with_one_message_for_each_channel() -> None:
    async with linked() as (link, there):
        outbox = Outbox(HEAD)
        outbox.open(link)
        outbox.put(b"a", b"1")
        outbox.put(b"b", b"2")
        outbox.put(b"a", b"3")
        assert read(there) == b"", "publishing waits until the turn's own work is done"
        await turn()
        assert read(there) == published(b"a", b"13") + published(b"b", b"2")
        outbox.put(b"a", b"4")
        await turn()
        assert read(there) == published(b"a", b"4")


async def test_what_is_put_in_before_there_is_a_connection_is_sent_then() -> None:
    async with linked() as (link, there):
        outbox = Outbox(HEAD)
        outbox.put(b"a", b"1")
        await turn()
        outbox.open(link)
        assert read(there) == published(b"a", b"1")


async def test_more_than_may_wait_is_dropped_and_what_waited_is_sent() -> None:
    async with linked() as (link, there):
        outbox = Outbox(HEAD, MOST_BYTES)
        for _ in range(3):
            outbox.put(b"a", bytes(MOST_BYTES // 2))
        assert outbox.dropped == 1
        outbox.open(link)
        assert read(there) == published(b"a", bytes(MOST_BYTES))
        outbox.put(b"a", bytes(MOST_BYTES))
        assert outbox.dropped == 1, "what was sent waits no more"


async def test_a_connection_that_is_full_is_given_nothing_until_it_has_room() -> None:
    async with linked() as (link, there):
        outbox = Outbox(HEAD, MOST_BYTES)
        outbox.open(link)
        written = await fill(link)
        for _ in range(3):
            outbox.put(b"a", bytes(MOST_BYTES // 2))
            await turn()
        assert outbox.dropped == 1
        sent = b""
        wanted = bytes(written) + published(b"a", bytes(MOST_BYTES))
        async with asyncio.timeout(5):
            while len(sent) < len(wanted):
                sent += read(there)
                await turn()
        assert sent == wanted


async def test_when_the_connection_ends_what_waits_is_dropped() -> None:
    async with linked() as (link, there):
        outbox = Outbox(HEAD)
        outbox.open(link)
        outbox.put(b"a", b"old news")
        outbox.close()
        await turn()
        assert outbox.dropped == 1
        outbox.open(link)
        assert read(there) == b""
