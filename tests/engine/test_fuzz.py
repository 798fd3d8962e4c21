"""Random and mutated packets on both transports: no 5xx, no traceback, no wedge, no ghost, no leaked task."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.test_frames import client_frame
from tests.engine.wire import PATIENCE_SECONDS, QUIET, Chat, Wire, listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATH = "/socket.io/"
NO_HTTP = HttpProcessingError
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

GOOD = [
    "40", '40{"token":"x"}', "40/stock,", "41", "41/stock,", '42["say",1]', '4212["say",{"a":[]}]', '42["disconnect"]',
    '42/stock,["slow"]', '42/stock,7["slow"]', '43/stock,1["x"]', '451-/stock,["slow",{"_placeholder":true,"num":0}]',
    "3", "6", "1", "2probe", "5", "b" + "QUJD", "4", "40/nowhere,",
]  # fmt: skip


@st.composite
def packets(draw: st.DrawFn) -> str:
    """A packet, perhaps with a piece cut out, doubled or replaced."""
    text = draw(st.sampled_from(GOOD))
    kind = draw(st.sampled_from(["good", "good", "cut", "insert", "noise"]))
    if kind == "good":
        return text
    if kind == "noise":
        return draw(st.text(max_size=40))
    start = draw(st.integers(0, len(text)))
    if kind == "cut":
        return text[:start] + text[draw(st.integers(start, len(text))) :]
    return (
        text[:start]
        + draw(st.sampled_from(['"', "[", "{", "9" * 30, "\x00", "\x1e", ",", "/", "-", "\\u"]))
        + text[start:]
    )


SEQUENCES = st.lists(st.one_of(packets(), st.binary(max_size=30)), max_size=12)


class Target:
    """A server with direct and stock handlers, and what it must look like when all have gone."""

    def __init__(self) -> None:
        self.chat = Chat(limits=QUIET)
        self.chat.sio.on("slow", self._slow, namespace="/stock")
        self.tasks = 0

    async def _slow(self, *_: object) -> None:
        await asyncio.sleep(0)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Wire]:
        app = web.Application()
        self.chat.sio.attach(app)
        async with listening(app) as wire:
            self.tasks = len(asyncio.all_tasks())
            yield wire

    async def settle(self, wire: Wire) -> None:
        """Fails unless everything of the last clients is freed within a second and the server still serves."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.chat.sio.eio.sockets:
                await asyncio.sleep(0.01)
        sio = self.chat.sio
        assert not sio.environ
        assert not sio.manager.rooms
        assert not sio._direct.peers
        assert not sio._direct._joining
        assert not any(sio.manager.pending_connect.values())
        accepted = [handshake.sid for handshake in self.chat.handshakes]
        assert sorted(sid for sid, _ in self.chat.gone) == sorted(accepted)
        async with wire.joined() as ws:
            await ws.send('421["say","alive"]')
            assert await ws.event() == ["said", "alive"]


@pytest.fixture
async def target() -> AsyncIterator[tuple[Target, Wire]]:
    found = Target()
    async with found.serve() as wire:
        yield found, wire


def no_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    # What is no HTTP at all never reaches the engine; aiohttp logs that in its own way.
    ours = [record for record in caplog.records if not (record.exc_info and isinstance(record.exc_info[1], NO_HTTP))]
    caplog.clear()
    assert not [record for record in ours if record.exc_info or record.levelno > logging.ERROR]


@EXAMPLES
@given(sequence=SEQUENCES)
async def test_any_packets_over_a_websocket(
    target: tuple[Target, Wire], caplog: pytest.LogCaptureFixture, sequence: list[str | bytes]
) -> None:
    server, wire = target
    async with wire.websocket() as ws:
        await ws.receive()
        try:
            for packet in sequence:
                await ws.send(packet.encode(errors="ignore").decode() if isinstance(packet, str) else packet)
        except (ConnectionError, aiohttp.ClientError):
            pass
    await server.settle(wire)
    no_tracebacks(caplog)


@EXAMPLES
@given(sequence=SEQUENCES)
async def test_any_packets_over_polling(
    target: tuple[Target, Wire], caplog: pytest.LogCaptureFixture, sequence: list[str | bytes]
) -> None:
    server, wire = target
    sid = await wire.open_polling()
    for packet in sequence:
        body = packet.encode(errors="ignore") if isinstance(packet, str) else packet
        status, _ = await wire.post(sid, body)
        assert status in {200, 400}
    await wire.post(sid, "1")
    assert (await wire.poll(sid))[0] == 400
    await server.settle(wire)
    no_tracebacks(caplog)


@EXAMPLES
@given(
    query=st.dictionaries(
        st.sampled_from(["EIO", "transport", "sid", "j", "t", "b64"]),
        st.sampled_from(["", "4", "3", "polling", "websocket", "../x", "%00", "é", "x" * 300]),
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "OPTIONS", "DELETE", "HEAD"]),
    headers=st.dictionaries(
        st.sampled_from(
            ["Origin", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Content-Length"]
        ),
        st.sampled_from(["", "websocket", "Upgrade", "13", "http://[", "AAAAAAAAAAAAAAAAAAAAAA==", "null", "0"]),
    ),
)
async def test_any_request(
    target: tuple[Target, Wire],
    caplog: pytest.LogCaptureFixture,
    query: dict[str, str],
    method: str,
    headers: dict[str, str],
) -> None:
    server, wire = target
    line = f"{method} {PATH}?" + "&".join(f"{key}={value}" for key, value in query.items()) + " HTTP/1.1\r\nHost: t\r\n"
    head = line + "".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n"
    async with await wire.tcp() as tcp:
        tcp.writer.write(head.encode())
        tcp.writer.write_eof()
        answer = await tcp.until_closed()
    assert not answer or answer.split(b" ")[1][:1] in {b"1", b"2", b"4"}, answer
    for connection in list(server.chat.sio.eio.sockets.values()):
        connection.abort("test over")
    await server.settle(wire)
    no_tracebacks(caplog)


@EXAMPLES
@given(
    noise=st.lists(
        st.one_of(st.binary(max_size=60), packets().map(lambda text: client_frame(text.encode(errors="ignore"))))
    )
)
async def test_any_bytes_behind_an_upgrade(
    target: tuple[Target, Wire], caplog: pytest.LogCaptureFixture, noise: list[bytes]
) -> None:
    server, wire = target
    async with await wire.tcp() as tcp:
        await tcp.upgrade(f"{PATH}?EIO=4&transport=websocket")
        tcp.writer.write(b"".join(noise))
        tcp.writer.write_eof()
        await tcp.until_closed()
    await server.settle(wire)
    no_tracebacks(caplog)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_clients_that_vanish_at_any_moment(
    target: tuple[Target, Wire], caplog: pytest.LogCaptureFixture, transport: str
) -> None:
    server, wire = target
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n" if transport == "websocket" else ""
    head = (
        f"GET {PATH}?EIO=4&transport={transport} HTTP/1.1\r\nHost: t\r\n{upgrade}"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    for turns in range(30):
        async with await wire.tcp() as tcp:
            tcp.writer.write(head + client_frame(b"40"))
            for _ in range(turns):
                await asyncio.sleep(0)
            tcp.writer.transport.abort()
    for connection in list(server.chat.sio.eio.sockets.values()):
        if not connection.upgraded:
            connection.abort("test over")
    await server.settle(wire)
    no_tracebacks(caplog)


async def test_no_task_is_left_when_all_have_gone(target: tuple[Target, Wire]) -> None:
    server, wire = target
    for packet in ("40", "40/stock,", '42["say"]', "4[["):
        async with wire.websocket() as ws:
            await ws.receive()
            await ws.send(packet)
    await server.settle(wire)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(asyncio.all_tasks()) > server.tasks + 1:
            await asyncio.sleep(0.01)
    assert json.dumps(server.chat.gone)
