"""Options of python-socketio and python-engineio that the engine keeps."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from server.engine import encode_event
from server.engine.frames import frame
from tests.engine.test_frames import client_frame
from tests.engine.wire import PATIENCE_SECONDS, QUIET, UNIT_SECONDS, Chat, WireSocket

if TYPE_CHECKING:
    from collections.abc import Mapping

PING = frame(b"2")


async def test_a_transport_that_is_not_wanted_is_refused() -> None:
    chat = Chat(transports=["websocket"])
    async with chat.serve() as wire:
        async with wire.http.get(wire.url()) as response:
            assert response.status == 400
        async with wire.joined() as ada:
            assert ada.sid
    chat = Chat(transports=["polling"])
    async with chat.serve() as wire, wire.http.get(wire.url()) as response:
        assert json.loads((await response.text())[1:])["upgrades"] == []


async def test_upgrades_can_be_switched_off() -> None:
    chat = Chat(allow_upgrades=False)
    async with chat.serve() as wire:
        async with wire.http.get(wire.url()) as response:
            opened = json.loads((await response.text())[1:])
        assert opened["upgrades"] == []
        async with wire.websocket(opened["sid"]) as ws:
            await ws.closed()


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [("io", "io={}; path=/; SameSite=Lax"), ({"name": "x", "Secure": True}, "x={}; Secure")],
)
async def test_the_session_cookie_for_sticky_proxies(cookie: str | Mapping[str, object], expected: str) -> None:
    async with Chat(cookie=cookie).serve() as wire, wire.http.get(wire.url()) as response:
        sid = json.loads((await response.text())[1:])["sid"]
        assert response.headers["Set-Cookie"] == expected.format(sid)


@pytest.mark.parametrize("http_compression", [True, False])
async def test_large_polls_are_compressed_if_wanted(http_compression: bool) -> None:
    chat = Chat(http_compression=http_compression)
    async with chat.serve() as wire:
        sid = await wire.open_polling()
        await wire.post(sid, "40")
        await wire.poll(sid)
        chat.sio.broadcast("hall", encode_event("news", "x" * 5_000))
        async with wire.http.get(wire.url(sid=sid)) as response:
            assert (response.headers.get("Content-Encoding") == "gzip") is http_compression
            assert len(await response.text()) > 5_000


async def test_a_preflight_is_answered() -> None:
    origin = "https://good.example"
    async with Chat(cors_allowed_origins=[origin]).serve() as wire:
        headers = {"Origin": origin, "Access-Control-Request-Headers": "X-Token"}
        async with wire.http.options(wire.url(), headers=headers) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == origin
            assert response.headers["Access-Control-Allow-Headers"] == "X-Token"
            assert "POST" in response.headers["Access-Control-Allow-Methods"]


async def test_a_client_whose_answer_waits_behind_a_slow_handler_is_not_taken_for_dead() -> None:
    limits = replace(QUIET, waiting_packets=5)
    chat = Chat(limits=limits, ping_interval=UNIT_SECONDS, ping_timeout=UNIT_SECONDS)
    go = asyncio.Event()

    async def slow(_: str) -> str:
        await go.wait()
        return "done"

    chat.sio.on("slow", slow, namespace="/stock")
    async with chat.serve() as wire, wire.websocket() as ws:
        await ws.receive()
        await ws.send("40/stock,")
        await ws.receive()
        for number in range(20):
            await ws.send(f'42/stock,{number}["slow"]')
        answers = asyncio.create_task(_answers(ws, 20))
        await asyncio.sleep(5 * UNIT_SECONDS)
        go.set()
        assert await asyncio.wait_for(answers, PATIENCE_SECONDS) == [f'43/stock,{n}["done"]' for n in range(20)]


@pytest.mark.parametrize("is_asked", [True, False])
async def test_who_answered_while_the_process_stood_still_is_not_taken_for_dead(is_asked: bool) -> None:
    chat = Chat(ping_interval=3 * UNIT_SECONDS, ping_timeout=2 * UNIT_SECONDS)
    async with chat.serve() as wire, await wire.tcp() as tcp:
        await tcp.upgrade("/socket.io/?EIO=4&transport=websocket")
        tcp.writer.write(client_frame(b"40"))
        await tcp.reader.readuntil(b"40{")
        if is_asked:
            await tcp.reader.readuntil(PING)
            os.write(tcp.writer.get_extra_info("socket").fileno(), client_frame(b"3"))
        time.sleep(7 * UNIT_SECONDS)  # noqa: ASYNC251 - as if the machine had been asleep
        for _ in range(2):
            await asyncio.wait_for(tcp.reader.readuntil(PING), PATIENCE_SECONDS)
            tcp.writer.write(client_frame(b"3"))
        assert not chat.gone


async def _answers(ws: WireSocket, count: int) -> list[str]:
    return [await ws.receive() for _ in range(count)]


@pytest.mark.parametrize("forwarded", ["192.0.2.7", "junk, 192.0.2.7", "192.0.2.7, 127.0.0.1"])
async def test_forged_hops_are_not_believed(forwarded: str) -> None:
    chat = Chat(limits=replace(QUIET, trusted_proxies=("127.0.0.1",)))
    async with chat.serve() as wire:
        async with wire.http.get(wire.url(), headers={"X-Forwarded-For": forwarded}) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        await wire.post(sid, "40")
        await wire.poll(sid)
    assert chat.handshakes[0].remote == "192.0.2.7"
