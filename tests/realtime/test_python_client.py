"""python-socketio's own client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import socketio

from server.protocol.events import check_ack, check_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.rest.api import Api


class Client:
    """A connection that keeps every event it got, checked."""

    def __init__(self) -> None:
        self.sio = socketio.AsyncClient(reconnection=False)
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.sio.on("*", self._hear)

    async def _hear(self, event: str, said: Any, *_: Any) -> None:
        check_event(event, said)
        await self.heard.put((event, said))

    async def until(self, name: str) -> Any:
        async with asyncio.timeout(5):
            while (event := await self.heard.get())[0] != name:
                pass
        return event[1]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    made = Client()
    yield made
    await made.sio.disconnect()
    await made.sio.eio.disconnect(abort=True)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_it_joins_speaks_and_hears(api_on_both: Api, client: Client, transport: str) -> None:
    session_id = await api_on_both.session()
    auth = {"session_id": session_id, "user_name": "Ada", "user_id": "ada"}
    await client.sio.connect(api_on_both.url, auth=auth, transports=[transport])
    assert (await client.until("session_joined"))["user"]["user_id"] == "ada"
    ack = await client.sio.call("send_message", {"message": "hi"}, timeout=5)
    check_ack("send_message", ack["data"])
    assert (await client.until("message_received"))["id"] == ack["data"]["id"]
    # Its own disconnect() over a WebSocket closes before it says goodbye: the seat is then kept for the grace.
    check_ack("leave_session", (await client.sio.call("leave_session", timeout=5))["data"])
    assert await api_on_both.names(session_id) == set()


async def test_it_is_refused_with_data(api: Api, client: Client) -> None:
    refusals: asyncio.Queue[Any] = asyncio.Queue()
    client.sio.on("connect_error", refusals.put)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.sio.connect(api.url, auth={"session_id": "nothing", "user_name": "Ada"}, transports=["websocket"])
    assert (await refusals.get())["data"]["code"] == "SESSION_NOT_FOUND"
