"""A raw WebSocket client that holds every frame to the list of events."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType

from server.protocol.events import check_event
from tests.rest.api import MOMENT, check_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientWebSocketResponse

    from tests.rest.api import Api

WAIT_SECONDS = 5.0
SEANCE = "seance.v1"


class Raw:
    """One connection of the raw door."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, event: str, data: Any = None, **more: Any) -> None:
        await self.send({"event": event, "data": data, **more})

    async def send(self, frame: Any) -> None:
        await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def frame(self, *, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """The next frame. Raises EOFError with the close code when there is none."""
        message = await self.socket.receive(timeout=seconds)
        if message.type is not WSMsgType.TEXT:
            raise EOFError(self.socket.close_code)
        frame: dict[str, Any] = json.loads(message.data)
        check_frame(frame)
        return frame

    async def until(self, *events: str) -> dict[str, Any]:
        """The next frame of these events; those before it are dropped."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                frame = await self.frame()
                if frame["event"] in events:
                    return frame

    async def error(self) -> str:
        """The code of the next `error`."""
        return str((await self.until("error"))["data"]["code"])

    async def closed(self) -> int | None:
        """The close code, once everything sent before it was read."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                message = await self.socket.receive()
                if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR}:
                    return self.socket.close_code

    async def silent(self, *, seconds: float = 0.1) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self.socket.receive(timeout=seconds)
        except TimeoutError:
            return True
        return False


def check_frame(frame: dict[str, Any]) -> None:
    if frame["event"] == "ack":
        assert frame.keys() == {"event", "id", "success", "data" if frame["success"] else "error", "meta"}, frame
        if not frame["success"]:
            check_error(frame["error"])
        return
    assert frame.keys() == {"event", "data", "timestamp"}, frame
    assert MOMENT.fullmatch(frame["timestamp"])
    check_event(frame["event"], frame["data"])


@asynccontextmanager
async def raw_door(api: Api, session_id: str, *protocols: str, **options: Any) -> AsyncIterator[Raw]:
    """An open connection that has not registered yet."""
    async with api.http.ws_connect(f"{api.url}/ws/{session_id}", protocols=protocols, **options) as socket:
        yield Raw(socket)


@asynccontextmanager
async def raw_guest(api: Api, session_id: str, name: str = "Ada", *protocols: str, **more: Any) -> AsyncIterator[Raw]:
    """A registered connection; it is seated when `names` shows it."""
    async with raw_door(api, session_id, SEANCE, *protocols) as raw:
        await raw.send({"user_id": name.lower(), "name": name, **more})
        await raw.until("session_joined")
        yield raw
