"""The real socket.io-client, driven from a test: one Node process, any number of sockets of any of its versions."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tests.services.node import SOURCES, Node

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARY = "socket.io-client"
LINE_BYTES = 16 * 1024 * 1024
WAIT_SECONDS = 5.0


class JsError(Exception):
    """What JavaScript threw, or the reason a call got no ack."""


@dataclass(frozen=True)
class JsEvent:
    """One event as a client saw it; `connect`, `disconnect`, `connect_error`, `$upgrade` are the client's own."""

    name: str
    args: tuple[Any, ...]


@dataclass(frozen=True)
class JsState:
    connected: bool
    id: str | None
    recovered: bool
    transport: str | None


class JsClient:
    """A Node process with Socket.IO sockets in it: `async with JsClient(node) as js: await js.connect(url)`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._sockets: dict[str, JsSocket] = {}
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def connect(
        self, url: str, *, library: str = LIBRARY, wait: bool = True, seconds: float = WAIT_SECONDS, **options: Any
    ) -> JsSocket:
        """A socket of `io(url, options)`; with `wait` it is connected, or JsError tells the refusal's `data`."""
        name = f"s{next(self._ids)}"
        socket = self._sockets[name] = JsSocket(self, name)
        await self.command("connect", socket=name, library=library, url=url, options=options)
        if wait:
            outcome = await socket.wait("connect", "connect_error", seconds=seconds)
            if outcome.name == "connect_error":
                raise JsError(outcome.args[0])
        return socket

    async def command(self, operation: str, **parameters: Any) -> Any:
        """What the driver answers. Raises JsError with what it threw."""
        process = self._process
        if process is None or process.stdin is None:
            raise RuntimeError("this client was not started")
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": number, "op": operation, **parameters}, default=_outward)
        process.stdin.write(line.encode() + b"\n")
        await process.stdin.drain()
        return await answer

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            str(self._node.program),
            str(SOURCES / "driver.mjs"),
            str(self._node.modules),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
        )
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Ends the Node process at once, without goodbyes from its sockets."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            await self._reader

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            record = json.loads(line, object_hook=_inward)
            if "id" in record:
                self._settle(record)
            else:
                self._sockets[record["socket"]].saw(JsEvent(record["event"], tuple(record["args"])))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(JsError("the Node process ended"))

    def _settle(self, record: dict[str, Any]) -> None:
        answer = self._answers.pop(record["id"])
        if answer.cancelled():
            return
        if "error" in record:
            answer.set_exception(JsError(record["error"]))
        else:
            answer.set_result(record["value"])


@dataclass
class JsSocket:
    """One client socket; `events` holds all it ever saw, in order."""

    client: JsClient
    name: str
    events: list[JsEvent] = field(default_factory=list)
    _taken: set[int] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def emit(self, event: str, *args: Any) -> None:
        """Sends without asking for an ack."""
        await self.client.command("emit", socket=self.name, event=event, args=args)

    async def call(self, event: str, *args: Any, seconds: float = WAIT_SECONDS) -> Any:
        """The ack's argument, or the list of them if there are several or none. Raises JsError without an ack."""
        answer = await self.client.command(
            "call", socket=self.name, event=event, args=args, timeout_ms=round(seconds * 1000)
        )
        return answer[0] if len(answer) == 1 else answer

    async def wait(
        self, *names: str, seconds: float = WAIT_SECONDS, where: Callable[[JsEvent], bool] | None = None
    ) -> JsEvent:
        """The first event of these names (any, if none is given) that no earlier `wait` returned."""
        try:
            async with asyncio.timeout(seconds):
                while (index := self._find(names, where)) is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            seen = [event.name for event in self.events]
            raise TimeoutError(f"{self.name} saw no {' or '.join(names)} in {seconds} s; it saw {seen}") from None
        self._taken.add(index)
        return self.events[index]

    async def state(self) -> JsState:
        return JsState(**await self.client.command("state", socket=self.name))

    async def disconnect(self) -> None:
        """Says goodbye, as `socket.disconnect()` does."""
        await self.client.command("disconnect", socket=self.name)

    async def reconnect(self, *, auth: dict[str, Any] | None = None) -> None:
        """Connects again after a `disconnect`, with another handshake if given."""
        await self.client.command("reconnect", socket=self.name, auth=auth)

    async def drop(self) -> None:
        """Breaks the connection under the client, which then reconnects by itself."""
        await self.client.command("drop", socket=self.name)

    def named(self, name: str) -> list[JsEvent]:
        """All events of one name so far."""
        return [event for event in self.events if event.name == name]

    def saw(self, event: JsEvent) -> None:
        self.events.append(event)
        self._news.set()

    def _find(self, names: tuple[str, ...], where: Callable[[JsEvent], bool] | None) -> int | None:
        for index, event in enumerate(self.events):
            fits = (not names or event.name in names) and (where is None or where(event))
            if fits and index not in self._taken:
                return index
        return None


def _outward(value: object) -> object:
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"cannot send {type(value).__name__} to JavaScript")


def _inward(record: dict[str, Any]) -> Any:
    return base64.b64decode(record["$bytes"]) if set(record) == {"$bytes"} else record
