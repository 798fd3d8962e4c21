"""The JavaScript client's driver, against a plain python-socketio server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import socketio
from aiohttp import web

from tests.services.js_client import JsClient, JsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIBRARIES = ["socket.io-client", *(f"socket.io-client-{v}" for v in ("3.0.5", "4.0.2", "4.4.1", "4.7.5"))]
TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"]}


async def on_connect(_sid: str, _environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
    if auth is not None and auth.get("refuse"):
        raise socketio.exceptions.ConnectionRefusedError("refused", {"code": "FORBIDDEN"})


async def on_echo(_sid: str, *args: Any) -> tuple[Any, ...]:
    return args


@pytest.fixture
async def echo_url() -> AsyncIterator[str]:
    """A server that acks `echo` with its arguments, and to `shout` emits `heard` twice."""
    sio = socketio.AsyncServer(async_mode="aiohttp")

    async def on_shout(sid: str, text: str) -> None:
        await sio.emit("heard", {"text": text, "time": 1}, to=sid)
        await sio.emit("heard", {"text": text, "time": 2}, to=sid)

    for name, handler in {"connect": on_connect, "echo": on_echo, "shout": on_shout}.items():
        sio.on(name, handler)
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await sio.shutdown()
    await runner.cleanup()


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_every_version_connects_and_gets_acks(js: JsClient, echo_url: str, library: str, transport: str) -> None:
    socket = await js.connect(echo_url, library=library, transports=TRANSPORTS[transport])
    state = await socket.state()
    assert (state.connected, state.transport) == (True, transport)
    assert await socket.call("echo", {"séance": [1, None, True]}) == {"séance": [1, None, True]}
    assert await socket.call("echo", 1, 2) == [1, 2]
    assert await socket.call("echo", b"\x00\xff") == b"\x00\xff"


async def test_events_are_waited_for_once_each_and_in_order(js: JsClient, echo_url: str) -> None:
    socket = await js.connect(echo_url, transports=["websocket"])
    await socket.emit("shout", "boo")
    second = await socket.wait("heard", where=lambda event: event.args[0]["time"] == 2)
    first = await socket.wait("heard")
    assert [first.args[0]["time"], second.args[0]["time"]] == [1, 2]
    with pytest.raises(TimeoutError, match=r"saw no heard in 0.1 s; it saw \['connect', 'heard', 'heard'\]"):
        await socket.wait("heard", seconds=0.1)


async def test_an_upgrade_is_told(js: JsClient, echo_url: str) -> None:
    socket = await js.connect(echo_url)
    upgrade = await socket.wait("$upgrade")
    assert upgrade.args == ("websocket",)
    assert (await socket.state()).transport == "websocket"


async def test_a_refusal_raises_with_its_data(js: JsClient, echo_url: str) -> None:
    with pytest.raises(JsError) as refusal:
        await js.connect(echo_url, auth={"refuse": True})
    assert refusal.value.args[0] == {"message": "refused", "data": {"code": "FORBIDDEN"}}


async def test_a_dropped_socket_comes_back_by_itself(js: JsClient, echo_url: str) -> None:
    socket = await js.connect(echo_url, transports=["websocket"], reconnectionDelay=10)
    await socket.drop()
    assert (await socket.wait("disconnect")).args == ("forced close",)
    await socket.wait("connect")


async def test_several_sockets_leave_and_return_on_their_own(js: JsClient, echo_url: str) -> None:
    stays = await js.connect(echo_url, transports=["websocket"])
    leaves = await js.connect(echo_url, transports=["websocket"])
    await leaves.disconnect()
    assert (await leaves.wait("disconnect")).args == ("io client disconnect",)
    assert (await stays.state()).connected
    await leaves.reconnect()
    await leaves.wait("connect")
    with pytest.raises(JsError, match="no ack of nothing in 100 ms"):
        await leaves.call("nothing", seconds=0.1)
