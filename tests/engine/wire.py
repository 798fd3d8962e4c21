"""A server of the engine and clients that speak its wire by hand."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp import web

from server.engine import Accept, Handshake, Inbound, Limits, SocketServer, encode_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# One scaled unit for everything that waits: slow machines set it higher.
UNIT_SECONDS = float(os.environ.get("TEST_UNIT_SECONDS", "0.1"))
PATIENCE_SECONDS = 50 * UNIT_SECONDS
OPEN = "0"


class Wire:
    """One running server and a client session."""

    def __init__(self, base: str, http: aiohttp.ClientSession) -> None:
        self.base = base
        self.http = http
        self.port = int(base.rsplit(":", 1)[1])

    def url(self, path: str = "/socket.io/", **query: str) -> str:
        pairs = {"EIO": "4", "transport": "polling", **query}
        return f"{self.base}{path}?" + "&".join(f"{k}={v}" for k, v in pairs.items() if v)

    async def poll(self, sid: str, path: str = "/socket.io/") -> tuple[int, str]:
        async with self.http.get(self.url(path, sid=sid)) as response:
            return response.status, await response.text()

    async def post(self, sid: str, body: str | bytes, path: str = "/socket.io/") -> tuple[int, str]:
        async with self.http.post(self.url(path, sid=sid), data=body) as response:
            return response.status, await response.text()

    async def open_polling(self, path: str = "/socket.io/") -> str:
        async with self.http.get(self.url(path)) as response:
            assert response.status == 200, await response.text()
            opened = await response.text()
        sid: str = json.loads(opened[1:])["sid"]
        return sid

    @asynccontextmanager
    async def websocket(self, sid: str = "", path: str = "/socket.io/") -> AsyncIterator[WireSocket]:
        async with self.http.ws_connect(self.url(path, transport="websocket", sid=sid), autoclose=False) as raw:
            yield WireSocket(raw)

    @asynccontextmanager
    async def joined(self, path: str = "/socket.io/", auth: object = None) -> AsyncIterator[WireSocket]:
        """A WebSocket that is in namespace "/"."""
        async with self.websocket(path=path) as ws:
            assert (await ws.receive()).startswith(OPEN)
            await ws.send("40" + ("" if auth is None else json.dumps(auth)))
            welcome = await ws.receive()
            assert welcome.startswith("40{"), welcome
            ws.sid = json.loads(welcome[2:])["sid"]
            ws.welcome = json.loads(welcome[2:])
            yield ws

    async def tcp(self) -> Tcp:
        return Tcp(*await asyncio.open_connection("127.0.0.1", self.port))


class Tcp:
    """Bytes to and from the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def upgrade(self, target: str, extra: str = "") -> bytes:
        """Asks for a WebSocket; returns the answer's head."""
        self.writer.write(
            f"GET {target} HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n".encode()
        )
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)

    async def until_closed(self) -> bytes:
        """All that comes until the server closes."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE_SECONDS)
        except ConnectionError:
            return b""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


class WireSocket:
    """A WebSocket that reads and writes Engine.IO packets."""

    def __init__(self, raw: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = raw
        self.sid = ""
        self.welcome: dict[str, Any] = {}

    async def send(self, packet: str | bytes) -> None:
        if isinstance(packet, bytes):
            await self.raw.send_bytes(packet)
        else:
            await self.raw.send_str(packet)

    async def receive(self, *, pings: bool = False) -> str:
        """The next text packet, pings answered and left out unless asked for."""
        while True:
            message = await self.raw.receive(PATIENCE_SECONDS)
            assert message.type is aiohttp.WSMsgType.TEXT, message
            if message.data != "2" or pings:
                return str(message.data)
            await self.raw.send_str("3")

    async def event(self) -> list[Any]:
        """The next event's name and arguments."""
        packet = await self.receive()
        assert packet.startswith("42"), packet
        items: list[Any] = json.loads(packet[2:])
        return items

    async def closed(self) -> float:
        """Waits for the end of the connection; returns how long that took, in seconds."""
        start = time.monotonic()
        while True:
            message = await self.raw.receive(PATIENCE_SECONDS)
            if message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}:
                return time.monotonic() - start


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[Wire]:
    """The application on a free port."""
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    await web.SockSite(runner, listener).start()
    port = listener.getsockname()[1]
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            yield Wire(f"http://127.0.0.1:{port}", http)
    finally:
        await runner.cleanup()


class Chat:
    """A small application on the direct handlers: everyone is in one room and echoes into it."""

    def __init__(self, **options: Any) -> None:
        self.sio = SocketServer(limits=options.pop("limits", QUIET), **options)
        self.gone: list[tuple[str, str]] = []
        self.seen: list[Inbound] = []
        self.handshakes: list[Handshake] = []
        self.news = asyncio.Event()
        self.sio.on_connect(self.connect)
        self.sio.on_packet("say", self.say)
        self.sio.on_unknown(self._see)
        self.sio.on_oversize(self._see)
        self.sio.on_gone(self._gone)

    async def connect(self, handshake: Handshake) -> Accept:
        self.handshakes.append(handshake)
        self.sio.enter(handshake.sid, "hall")
        return Accept()

    def say(self, inbound: Inbound) -> None:
        self._see(inbound)
        self.sio.broadcast("hall", encode_event("said", *inbound.args))
        inbound.answer({"ok": True})

    def _see(self, inbound: Inbound) -> None:
        self.seen.append(inbound)
        self.news.set()

    def _gone(self, sid: str, reason: str) -> None:
        self.gone.append((sid, reason))
        self.news.set()

    async def until_gone(self, count: int = 1, seconds: float = PATIENCE_SECONDS) -> list[tuple[str, str]]:
        """Who has gone, once there are `count`."""
        async with asyncio.timeout(seconds):
            while len(self.gone) < count:
                self.news.clear()
                await self.news.wait()
        return self.gone

    async def until_seen(self, count: int, seconds: float = PATIENCE_SECONDS) -> list[Inbound]:
        """The events without a handler or over the bound, once there are `count`."""
        async with asyncio.timeout(seconds):
            while len(self.seen) < count:
                self.news.clear()
                await self.news.wait()
        return self.seen

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Wire]:
        app = web.Application()
        self.sio.attach(app)
        async with listening(app) as wire:
            yield wire


QUIET = Limits(handshakes_per_second=0)
