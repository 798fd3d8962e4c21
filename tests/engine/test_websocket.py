"""The server's WebSocket for other doors than Socket.IO's."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from server.engine.deadlines import LOOK_SECONDS
from server.engine.websocket import WebSocket, accept, frame
from tests.engine.test_frames import client_frame
from tests.engine.wire import PATIENCE_SECONDS, UNIT_SECONDS, Tcp, Wire, listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Door:
    def __init__(self, **options: Any) -> None:
        self.options: dict[str, Any] = {"frame_bytes": 1_000, "queued_bytes": 100_000, **options}
        self.messages: list[str | bytes] = []
        self.ends: list[tuple[int | None, str]] = []
        self.ended = asyncio.Event()
        self.socket: WebSocket | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.socket = await accept(request, self, **self.options)
        return self.socket.response

    def took(self, _: bytes | bytearray) -> bool:
        return False

    def received(self, message: str | bytes) -> None:
        self.messages.append(message)
        assert self.socket is not None
        if isinstance(message, bytes):
            self.socket.send_binary(message)
        else:
            self.socket.send_text(f"re {message}")

    def closed(self, code: int | None, reason: str) -> None:
        self.ends.append((code, reason))
        self.ended.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Wire]:
        app = web.Application()
        app.router.add_get("/ws", self.handle)
        async with listening(app) as wire:
            yield wire

    @asynccontextmanager
    async def tcp(self) -> AsyncIterator[Tcp]:
        async with self.open() as wire, await wire.tcp() as tcp:
            assert b" 101 " in await tcp.upgrade("/ws")
            yield tcp


async def test_texts_come_and_go_and_pings_are_answered() -> None:
    door = Door()
    async with door.open() as wire, wire.http.ws_connect(f"{wire.base}/ws") as ws:
        await ws.send_str("hé")
        assert (await ws.receive()).data == "re hé"
        await ws.ping(b"are you there")
        await ws.send_str("two")
        assert (await ws.receive()).data == "re two"
    assert door.ends == [(1000, "closed")]


async def test_the_server_s_close_code_reaches_the_client() -> None:
    door = Door()
    async with door.open() as wire, wire.http.ws_connect(f"{wire.base}/ws") as ws:
        await ws.send_str("x")
        await ws.receive()
        assert door.socket is not None
        door.socket.close(4401, "no token")
        door.socket.send_text("ignored")
        message = await ws.receive(PATIENCE_SECONDS)
        assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, 4401, "no token")
    assert door.ends == [(None, "no token")]


async def test_a_client_that_ignores_the_close_is_dropped_in_time() -> None:
    door = Door()
    async with door.tcp() as tcp:
        assert door.socket is not None
        door.socket.close(1012, "restart")
        assert await tcp.until_closed() == b"\x88\x09\x03\xf4restart"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (client_frame(b"x" * 1_001), 1009),
        (client_frame(b"\xc3\x28"), 1007),
        (frame(b"unmasked"), 1002),
    ],
)
async def test_a_breach_closes_with_its_code(sent: bytes, code: int) -> None:
    door = Door()
    async with door.tcp() as tcp:
        tcp.writer.write(sent)
        answer = await tcp.until_closed()
        assert answer[:1] == b"\x88"
        assert int.from_bytes(answer[2:4], "big") == code
    assert len(door.ends) == 1


async def test_binary_messages_come_as_bytes_and_go_as_binary() -> None:
    door = Door()
    async with door.tcp() as tcp:
        tcp.writer.write(client_frame(b"\x00\x01", 2) + client_frame(b"end"))
        assert await tcp.reader.readexactly(12) == b"\x82\x02\x00\x01" + frame(b"re end")
    assert door.messages == [b"\x00\x01", "end"]


async def test_writes_of_one_turn_leave_together() -> None:
    door = Door()
    async with door.tcp() as tcp:
        assert door.socket is not None
        for letter in "abc":
            door.socket.write(frame(letter.encode()))
        assert door.socket.backlog_bytes == 9
        assert await tcp.reader.read(100) == b"\x81\x01a\x81\x01b\x81\x01c"


async def test_a_client_that_does_not_read_is_cut() -> None:
    door = Door()
    async with door.tcp():
        assert door.socket is not None
        while not door.socket.closed:
            door.socket.write(frame(b"x" * 50_000))
            await asyncio.sleep(0)
    assert door.ends == [(None, "slow consumer")]


async def test_a_vanished_client_ends_it_once() -> None:
    door = Door()
    async with door.tcp() as tcp:
        tcp.writer.transport.abort()
        await asyncio.wait_for(door.ended.wait(), PATIENCE_SECONDS)
        assert door.socket is not None
        assert door.socket.closed
        door.socket.close()
        door.socket.abort()
    assert len(door.ends) == 1


async def test_a_quiet_client_is_cut_by_the_heartbeat_and_a_living_one_is_not() -> None:
    door = Door(heartbeat=(2 * UNIT_SECONDS, UNIT_SECONDS))
    async with door.tcp() as tcp:
        began = time.monotonic()
        assert await asyncio.wait_for(tcp.reader.readexactly(2), PATIENCE_SECONDS) == b"\x89\x00"
        await asyncio.wait_for(door.ended.wait(), PATIENCE_SECONDS)
        assert 3 * UNIT_SECONDS <= time.monotonic() - began < 3.9 * UNIT_SECONDS
    assert door.ends == [(None, "ping timeout")]
    door = Door(heartbeat=(UNIT_SECONDS, UNIT_SECONDS))
    async with door.open() as wire, wire.http.ws_connect(f"{wire.base}/ws") as ws:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ws.receive(), 5 * UNIT_SECONDS)
        assert door.ends == []


async def test_who_is_heard_at_the_last_look_is_not_cut() -> None:
    door = Door(heartbeat=(3 * UNIT_SECONDS, UNIT_SECONDS))
    async with door.tcp() as tcp:
        for _ in range(2):
            await asyncio.wait_for(tcp.reader.readexactly(2), PATIENCE_SECONDS)
            assert door.socket is not None
            # As if it had been read between the timer and the last look.
            asyncio.get_running_loop().call_later(UNIT_SECONDS + LOOK_SECONDS / 2, setattr, door.socket, "heard", True)
        await asyncio.sleep(2 * UNIT_SECONDS)
        assert door.ends == []


async def test_a_subprotocol_is_chosen() -> None:
    door = Door(subprotocols=("v2", "v1"))
    async with door.open() as wire:
        async with wire.http.ws_connect(f"{wire.base}/ws", protocols=("v0", "v1")) as ws:
            assert ws.protocol == "v1"
        async with wire.http.ws_connect(f"{wire.base}/ws") as ws:
            assert ws.protocol is None


async def test_what_is_no_handshake_is_refused() -> None:
    async with Door().open() as wire, wire.http.get(f"{wire.base}/ws") as response:
        assert response.status == 400


async def test_reading_can_be_paused() -> None:
    door = Door()
    async with door.tcp() as tcp:
        assert door.socket is not None
        door.socket.pause_reading()
        tcp.writer.write(client_frame(b"later"))
        await asyncio.sleep(UNIT_SECONDS)
        assert door.messages == []
        door.socket.resume_reading()
        assert await asyncio.wait_for(tcp.reader.readexactly(10), PATIENCE_SECONDS) == b"\x81\x08re later"
