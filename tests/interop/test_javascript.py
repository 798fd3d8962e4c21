"""The official JavaScript clients, old and new, on every transport."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from server.engine import Limits
from tests.engine.test_recovery import LogChat
from tests.engine.wire import QUIET, UNIT_SECONDS, Chat, Wire, listening
from tests.interop.fixture import make_app
from tests.services.js_client import JsClient, JsError, JsSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.services.node import Node

LIBRARIES = (
    "socket.io-client",
    "socket.io-client-4.7.5",
    "socket.io-client-4.4.1",
    "socket.io-client-4.0.2",
    "socket.io-client-3.0.5",
)
TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}
RECOVERIES = 10
STORM = 100


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    # Named before `js` in every test: clients that outlive their server knock at its closing door.
    async with listening(make_app("fast", QUIET, 25, 20)) as served:
        yield served


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(TRANSPORTS))
async def socket(wire: Wire, js: JsClient, library: str, request: pytest.FixtureRequest) -> JsSocket:
    options: dict[str, Any] = {"transports": TRANSPORTS[request.param]}
    if request.param == "polling":
        options["upgrade"] = False
    found = await js.connect(wire.base, library=library, **options)
    if request.param == "upgrade":
        await found.wait("$upgrade")
    return found


async def test_every_client_talks_on_every_transport(socket: JsSocket) -> None:
    await socket.emit("message", "text", {"a": [1]}, b"\x00\xff")
    assert (await socket.wait("message-back")).args == ("text", {"a": [1]}, b"\x00\xff")
    assert await socket.call("message-with-ack", 1, {"b": 2}) == [1, {"b": 2}]


async def test_a_large_message_and_a_burst_arrive_whole_and_in_order(socket: JsSocket) -> None:
    large = "x" * 300_000
    await socket.emit("message", large)
    assert (await socket.wait("message-back")).args == (large,)
    for number in range(40):
        await socket.emit("message", number)
    assert [(await socket.wait("message-back")).args[0] for _ in range(40)] == list(range(40))


async def test_a_namespace_that_does_not_exist_is_refused_with_a_message(
    wire: Wire, js: JsClient, library: str
) -> None:
    with pytest.raises(JsError) as refusal:
        await js.connect(f"{wire.base}/nowhere", library=library)
    assert refusal.value.args[0]["message"] == "Invalid namespace"


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_goodbye_is_seen_at_once(node: Node, transport: str) -> None:
    chat = Chat()
    async with chat.serve() as wire, JsClient(node) as js:
        socket = await js.connect(wire.base, transports=[transport])
        sid = (await socket.state()).id
        await socket.disconnect()
        assert await chat.until_gone() == [(sid, "client disconnect")]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_client_recovers_ten_times_without_loss_or_repetition(node: Node, transport: str) -> None:
    chat = LogChat()
    async with chat.serve() as wire, JsClient(node) as js:
        socket = await js.connect(
            wire.base, transports=[transport], reconnectionDelay=10, reconnectionDelayMax=20, auth={"token": "t"}
        )
        sid = (await socket.state()).id
        published = 0
        for _ in range(RECOVERIES):
            chat.publish(f"live {published}")
            await socket.wait("news")
            await socket.drop()
            chat.publish("missed one")
            chat.publish("missed two")
            published += 3
            state = (await socket.wait("connect")).args[0]
            assert (state["recovered"], state["id"]) == (True, sid)
            await socket.wait("news")
            await socket.wait("news")
        assert [event.args[0] for event in socket.named("news")] == chat.log
        assert [seen.recovered is not None for seen in chat.handshakes] == [False] + [True] * RECOVERIES


async def test_a_storm_of_reconnects_ends_with_everyone_back(node: Node) -> None:
    chat = LogChat()
    async with chat.serve() as wire, JsClient(node) as js:
        sockets = [await js.connect(wire.base, transports=["websocket"], reconnectionDelay=10) for _ in range(STORM)]
        for socket in sockets:
            await socket.wait("connect") if not socket.events else None
        for connection in list(chat.sio.eio.sockets.values()):
            connection.abort("cut")
        for socket in sockets:
            await socket.wait("disconnect")
            await socket.wait("connect", where=lambda event: event.args[0]["recovered"])
        assert len(chat.sio.eio.sockets) == STORM
        assert len(chat.sio.manager.members("/", "hall")) == STORM
        assert len(chat.gone) == STORM


async def test_heartbeats_keep_a_quiet_client_and_end_a_frozen_one(node: Node) -> None:
    chat = Chat(limits=Limits(handshakes_per_second=0), ping_interval=2 * UNIT_SECONDS, ping_timeout=5 * UNIT_SECONDS)
    async with chat.serve() as wire, JsClient(node) as js:
        socket = await js.connect(wire.base, transports=["websocket"])
        await asyncio.sleep(10 * UNIT_SECONDS)
        assert (await socket.state()).connected
        assert chat.gone == []
