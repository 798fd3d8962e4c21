"""python-socketio's own client, and its managers, namespaces and Admin UI on the engine."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import socketio
from aiohttp import web

from server.engine import SocketServer
from tests.engine.wire import PATIENCE_SECONDS, QUIET, Wire, listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}


@pytest.fixture(params=["fast", "stock"])
def engine(request: pytest.FixtureRequest) -> Any:
    return request.param


@asynccontextmanager
async def serving(sio: SocketServer) -> AsyncIterator[Wire]:
    app = web.Application()
    sio.attach(app)
    async with listening(app) as wire:
        yield wire


@asynccontextmanager
async def client(wire: Wire, **options: Any) -> AsyncIterator[Client]:
    found = Client()
    await found.sio.connect(wire.base, **options)
    try:
        yield found
    finally:
        await found.sio.disconnect()
        await found.sio.eio.wait()


class Client:
    def __init__(self) -> None:
        self.sio = socketio.AsyncClient(reconnection=False)
        self.events: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        self.sio.on("*", self._see, namespace="*")

    async def _see(self, *args: Any) -> None:
        await self.events.put(args)

    async def event(self, name: str) -> tuple[Any, ...]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                event, _, *args = await self.events.get()
                if event == name:
                    return tuple(args)


def server(engine: Any, **options: Any) -> SocketServer:
    return SocketServer(engine=engine, limits=QUIET, **options)


# The stock engine holds a leaving client's poll for 45 seconds.
@pytest.mark.parametrize(
    ("engine", "transport"),
    [("fast", "websocket"), ("fast", "polling"), ("fast", "upgrade"), ("stock", "websocket")],
)
async def test_events_acks_sessions_and_rooms(engine: Any, transport: str) -> None:
    sio = server(engine)

    async def connect(sid: str, _: dict[str, Any], auth: dict[str, str]) -> None:
        await sio.save_session(sid, {"name": auth["name"]})
        await sio.enter_room(sid, "room")

    async def who(sid: str) -> object:
        return (await sio.get_session(sid))["name"], sio.rooms(sid) != []

    sio.on("connect", connect)
    sio.on("who", who)
    async with (
        serving(sio) as wire,
        client(wire, auth={"name": "ada"}, transports=TRANSPORTS[transport]) as ada,
        client(wire, auth={"name": "bob"}) as bob,
    ):
        assert await ada.sio.call("who") == ("ada", True)
        await sio.emit("news", {"bytes": b"\x00"}, room="room", skip_sid=bob.sio.get_sid())
        assert await ada.event("news") == ({"bytes": b"\x00"},)
        await sio.close_room("room")
        await sio.emit("lost", room="room")
        await sio.emit("all")
        assert await bob.event("all") == ()


async def test_the_server_can_call_and_disconnect_a_client(engine: Any) -> None:
    sio = server(engine)
    gone: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    sids: list[str] = []

    async def connect(sid: str, _: dict[str, Any]) -> None:
        sids.append(sid)

    async def disconnect(sid: str, reason: str) -> None:
        await gone.put((sid, reason))

    sio.on("connect", connect)
    sio.on("disconnect", disconnect)
    async with serving(sio) as wire, client(wire) as ada:
        ada.sio.on("double", lambda number: number * 2)
        assert await sio.call("double", 21, to=sids[0]) == 42
        await sio.disconnect(sids[0])
        assert await asyncio.wait_for(gone.get(), PATIENCE_SECONDS) == (sids[0], "server disconnect")


async def test_a_class_based_namespace(engine: Any) -> None:
    class Chat(socketio.AsyncNamespace):  # type: ignore[misc]  # it ships no types
        async def on_say(self, sid: str, text: str) -> str:
            await self.emit("said", text, room=sid)
            return "ok"

    sio = server(engine)
    sio.register_namespace(Chat("/chat"))
    async with serving(sio) as wire, client(wire, namespaces=["/chat"]) as ada:
        assert await ada.sio.call("say", "hi", namespace="/chat") == "ok"
        assert await ada.event("said") == ("hi",)


@pytest.mark.parametrize("name", ["connect", "disconnect"])
async def test_a_client_cannot_run_the_lifecycle_handlers(
    engine: Any, name: str, request: pytest.FixtureRequest
) -> None:
    if engine == "stock":
        request.applymarker(pytest.mark.xfail(strict=True, reason="the stock dispatch runs them"))
    sio, calls = server(engine), []

    async def lifecycle(*_: object) -> None:
        calls.append(name)

    sio.on(name, lifecycle)
    sio.on("hello", _hello)
    async with serving(sio) as wire, client(wire) as ada:
        before = len(calls)
        await ada.sio.emit(name, "forged")
        await ada.sio.call("hello")
        assert len(calls) == before


async def test_a_handler_that_raises_at_connect_answers_the_client(engine: Any) -> None:
    sio = server(engine)

    async def connect(*_: object) -> None:
        raise RuntimeError

    sio.on("connect", connect)
    found = socketio.AsyncClient(reconnection=False)
    async with serving(sio) as wire:
        with pytest.raises(socketio.exceptions.ConnectionError):
            await found.connect(wire.base)
        await found.eio.wait()
    assert sio.manager.rooms == {}


async def test_redis_carries_emits_between_servers(redis_url: str) -> None:
    first, second = (
        server("fast", client_manager=socketio.AsyncRedisManager(redis_url, channel="test")) for _ in range(2)
    )
    for sio in (first, second):
        sio.on("connect", _enter(sio))
    async with serving(first) as one, serving(second) as two, client(one) as ada, client(two) as bob:
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The listener subscribes in its own time.
            while bob.events.empty() or ada.events.empty():
                await first.emit("news", {"n": 1}, room="room")
                await asyncio.sleep(0.05)
        assert await bob.event("news") == ({"n": 1},)
        assert await ada.event("news") == ({"n": 1},)
    for sio in (first, second):
        sio.manager.thread.cancel()
        await sio.manager.pubsub.aclose()
        await sio.manager.redis.aclose()


def _enter(sio: SocketServer) -> Any:
    async def connect(sid: str, _: dict[str, Any]) -> None:
        await sio.enter_room(sid, "room")

    return connect


async def test_the_admin_ui_sees_clients_come_speak_and_go() -> None:
    sio = server("fast")
    sio.on("connect", _enter(sio))
    sio.on("hello", _hello)
    admin = sio.instrument(auth=False, server_stats_interval=1)
    async with serving(sio) as wire, client(wire, namespaces=["/admin"]) as watcher:
        assert await watcher.event("config")
        async with client(wire) as ada:
            assert (await watcher.event("socket_connected"))[0]["nsp"] == "/"
            await ada.sio.call("hello")
            assert (await watcher.event("event_received"))[2][0] == "hello"
        assert (await watcher.event("socket_disconnected"))[0] == "/"
        assert (await watcher.event("server_stats"))[0]["clientsCount"] == 1
        await admin.shutdown()
    admin.uninstrument()


async def _hello(*_: object) -> None:
    """Nothing."""
