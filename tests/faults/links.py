"""One connection to the server, spoken by hand on a WebSocket: Socket.IO with recovery, or the raw protocol."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import orjson

OPEN_SECONDS = 8.0
# More than the heartbeats that the harness gives its servers, so that a mute connection is given up.
SILENCE_SECONDS = 6.0
CLOSE_SECONDS = 0.2

BROKEN = (aiohttp.ClientError, OSError, TimeoutError, ConnectionError)


class RefusedError(Exception):
    """The server does not want this client now; `code` says why."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.code = str(error.get("code"))
        super().__init__(self.code)


@dataclass(frozen=True)
class Joined:
    """What a joiner is told; `complete` is False when it will not get all it missed."""

    head: int
    after: int
    complete: bool


@dataclass(frozen=True)
class Heard:
    seq: int
    id: str


@dataclass(frozen=True)
class Answered:
    """The answer to a send; `code` is that of an error."""

    key: str
    seq: int = 0
    id: str = ""
    code: str = ""


News = Joined | Heard | Answered


@dataclass
class Self:
    """Who a client is, and what it keeps from one connection to the next."""

    session_id: str
    user_id: str
    last_seq: int = 0
    pid: str | None = None


class Link(Protocol):
    """A connection: `open` raises RefusedError or one of BROKEN, `next` too; None is no news."""

    async def open(self, http: aiohttp.ClientSession, url: str, me: Self) -> None: ...
    async def next(self) -> News | None: ...
    async def send(self, key: str) -> None: ...
    async def leave(self) -> None: ...
    async def close(self) -> None: ...


class Line:
    """A WebSocket as text in and text out."""

    def __init__(self) -> None:
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    async def text(self) -> str:
        """The next text. Raises TimeoutError after a silence, ConnectionError at the end."""
        assert self.socket is not None
        frame = await self.socket.receive(timeout=SILENCE_SECONDS)
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError("the connection ended")
        return str(frame.data)

    async def write(self, text: str) -> None:
        assert self.socket is not None
        await self.socket.send_str(text)

    async def close(self) -> None:
        """Closes without waiting for a peer that may be frozen."""
        if self.socket is not None:
            with suppress(*BROKEN):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.socket.close()


class SocketIoLink:
    """Keeps `pid` and offset as socket.io-client does, so that it recovers on any process."""

    def __init__(self) -> None:
        self._asked: dict[int, str] = {}
        self._count = 0
        self._me: Self | None = None
        self._line = Line()

    async def open(self, http: aiohttp.ClientSession, url: str, me: Self) -> None:
        self._me = me
        async with asyncio.timeout(OPEN_SECONDS):
            address = f"{url}/socket.io/?EIO=4&transport=websocket"
            self._line.socket = await http.ws_connect(address, compress=0, max_msg_size=0)
            while not (text := await self._line.text()).startswith("0{"):
                pass
            returns = {} if me.pid is None else {"pid": me.pid, "offset": str(me.last_seq)}
            missed = {} if me.pid is not None else {"last_seq": me.last_seq}
            auth = {"session_id": me.session_id, "user_id": me.user_id, "user_name": me.user_id, **missed, **returns}
            await self._line.write("40" + orjson.dumps(auth).decode())
            while not (text := await self._line.text()).startswith("4"):
                await self._pong(text)
        if text.startswith("44"):
            raise RefusedError(orjson.loads(text[2:]).get("data") or {})
        me.pid = orjson.loads(text[2:]).get("pid")

    async def next(self) -> News | None:
        text = await self._line.text()
        if text.startswith("42"):
            return self._event(*orjson.loads(text[2:])[:2])
        if text.startswith("43"):
            bracket = text.index("[")
            key = self._asked.pop(int(text[2:bracket]))
            return _answer(key, orjson.loads(text[bracket:])[0])
        if text.startswith("41"):
            raise ConnectionError("the server said goodbye")
        await self._pong(text)
        return None

    def _event(self, name: str, said: dict[str, Any]) -> News | None:
        assert self._me is not None
        if name == "message_received":
            return _heard(self._me, said)
        return _joined(self._me, said) if name == "session_joined" else None

    async def send(self, key: str) -> None:
        self._count += 1
        self._asked[self._count] = key
        said = orjson.dumps(["send_message", {"message": key, "client_message_id": key}]).decode()
        await self._line.write(f"42{self._count}{said}")

    async def leave(self) -> None:
        """Says goodbye as `socket.disconnect()` does."""
        await self._line.write("41")
        await self.close()

    async def close(self) -> None:
        await self._line.close()

    async def _pong(self, text: str) -> None:
        if text.startswith("2"):
            await self._line.write("3")


class RawLink:
    """Speaks `seance.v1` and asks for what follows `last_seq`."""

    def __init__(self) -> None:
        self._me: Self | None = None
        self._line = Line()

    async def open(self, http: aiohttp.ClientSession, url: str, me: Self) -> None:
        self._me = me
        async with asyncio.timeout(OPEN_SECONDS):
            self._line.socket = await http.ws_connect(
                f"{url}/ws/{me.session_id}",
                protocols=["seance.v1"],
                compress=0,
                max_msg_size=0,
            )
            hello = {"user_id": me.user_id, "name": me.user_id, "last_seq": me.last_seq}
            await self._line.write(orjson.dumps(hello).decode())

    async def next(self) -> News | None:
        said = orjson.loads(await self._line.text())
        assert self._me is not None
        if said["event"] == "message_received":
            return _heard(self._me, said["data"])
        if said["event"] == "ack":
            return _answer(said["id"], said)
        if said["event"] == "error":
            raise RefusedError(said["data"])
        return _joined(self._me, said["data"]) if said["event"] == "session_joined" else None

    async def send(self, key: str) -> None:
        said = {"event": "send_message", "id": key, "data": {"message": key, "client_message_id": key}}
        await self._line.write(orjson.dumps(said).decode())

    async def leave(self) -> None:
        await self.close()

    async def close(self) -> None:
        await self._line.close()


def _heard(me: Self, said: dict[str, Any]) -> Heard:
    me.last_seq = said["seq"]
    return Heard(said["seq"], said["id"])


def _joined(me: Self, said: dict[str, Any]) -> Joined:
    replay = said.get("replay") or {"after": said["head"], "complete": True}
    if not replay["complete"]:
        me.last_seq = said["head"]
    return Joined(said["head"], replay["after"], replay["complete"])


def _answer(key: str, envelope: dict[str, Any]) -> Answered:
    if envelope["success"]:
        return Answered(key, envelope["data"]["seq"], envelope["data"]["id"])
    return Answered(key, code=envelope["error"]["code"])
