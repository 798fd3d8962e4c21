"""A Socket.IO client for tests across processes: remembers every event, and when it came."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

WAIT_SECONDS = 10.0


class GoneError(Exception):
    """The connection ended."""


@dataclass(frozen=True)
class Told:
    name: str
    said: dict[str, Any]
    at: float


@dataclass
class Guest:
    """One person's connection to one process; `joined` is what it was told when it came in."""

    socket: aiohttp.ClientWebSocketResponse
    joined: dict[str, Any] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    pings: list[float] = field(default_factory=list)
    is_gone: bool = False
    _answers: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _count: int = 0

    async def call(self, event: str, said: dict[str, Any] | None = None, *, seconds: float = WAIT_SECONDS) -> Any:
        """The envelope that answers an event."""
        self._count += 1
        answer = self._answers[self._count] = asyncio.get_running_loop().create_future()
        await self.socket.send_str(f"42{self._count}{orjson.dumps([event, said or {}]).decode()}")
        async with asyncio.timeout(seconds):
            return await answer

    async def say(self, text: str, **more: Any) -> dict[str, Any]:
        """What the ack of a message holds."""
        envelope = await self.call("send_message", {"message": text, **more})
        assert envelope["success"], envelope
        found: dict[str, Any] = envelope["data"]
        return found

    async def wait(
        self, name: str, where: Callable[[dict[str, Any]], bool] = bool, *, seconds: float = WAIT_SECONDS
    ) -> Told:
        """The first event of that name that fits, also one that came before."""
        async with asyncio.timeout(seconds):
            while True:
                for told in self.named(name):
                    if where(told.said) or where is bool:
                        return told
                if self.is_gone:
                    raise GoneError
                self._news.clear()
                await self._news.wait()

    async def heard(self, text: str, *, seconds: float = WAIT_SECONDS) -> Told:
        """The message with that text."""
        return await self.wait("message_received", lambda said: said["message"] == text, seconds=seconds)

    async def gone(self, *, seconds: float = WAIT_SECONDS) -> None:
        """Returns when the connection has ended."""
        async with asyncio.timeout(seconds):
            while not self.is_gone:
                self._news.clear()
                await self._news.wait()

    def named(self, name: str) -> list[Told]:
        return [told for told in self.told if told.name == name]

    def texts(self) -> list[str]:
        return [told.said["message"] for told in self.named("message_received")]

    async def disconnect(self) -> None:
        """Says goodbye as `socket.disconnect()` does."""
        await self.socket.send_str("41")
        await self.socket.close()

    async def read(self) -> None:
        """Takes in frames until the connection ends."""
        async for frame in self.socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            await self._take(str(frame.data))
            self._news.set()
        self.is_gone = True
        self._news.set()

    async def _take(self, text: str) -> None:
        if text == "2":
            self.pings.append(time.monotonic())
            await self.socket.send_str("3")
        elif text.startswith("42"):
            name, *arguments = orjson.loads(text[2:])
            self.told.append(Told(name, arguments[0], time.monotonic()))
        elif text.startswith("43"):
            bracket = text.index("[")
            self._answers.pop(int(text[2:bracket])).set_result(orjson.loads(text[bracket:])[0])


class RefusedError(Exception):
    """The join was refused; `code` says why."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.code = error["code"]
        super().__init__(self.code)


async def connect(http: aiohttp.ClientSession, url: str, **auth: Any) -> Guest:
    """A guest that is in; whoever asks for it reads and closes it. Raises RefusedError."""
    socket = await http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket", compress=0, max_msg_size=0)
    try:
        assert (await socket.receive_str()).startswith("0{")
        auth.setdefault("user_name", auth.get("user_id", "Ada"))
        await socket.send_str("40" + orjson.dumps(auth).decode())
        while (answer := await socket.receive_str()).startswith("2"):
            await socket.send_str("3")
    except BaseException:
        await socket.close()
        raise
    if answer.startswith("44"):
        await socket.close()
        raise RefusedError(orjson.loads(answer[2:])["data"])
    return Guest(socket)


@asynccontextmanager
async def guest(
    http: aiohttp.ClientSession, url: str, session_id: str, user_id: str, **more: Any
) -> AsyncIterator[Guest]:
    """A connection that is in its session, until the block ends."""
    one = await connect(http, url, session_id=session_id, user_id=user_id, **more)
    reading = asyncio.create_task(one.read())
    try:
        one.joined = (await one.wait("session_joined")).said
        yield one
    finally:
        await one.socket.close()
        await reading
