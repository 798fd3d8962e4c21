"""A TCP proxy that can be slow, mute or cut, so that a network fails while both ends live."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Self, cast

from tests.services import spawn


@dataclass
class Weather:
    """How the network behaves now."""

    delay_seconds: float = 0.0
    is_mute: bool = False
    is_cut: bool = False


class Half(asyncio.Protocol):
    """One side of a connection; what it receives goes to the other side."""

    def __init__(self, proxy: Proxy, *, outer: bool) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Half | None = None
        self._proxy = proxy
        self._outer = outer
        self._early: list[bytes] = []
        self._late: deque[tuple[float, bytes]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._proxy.halves.add(self)
        if self._proxy.weather.is_cut:
            self.transport.abort()
        elif self._outer:
            self._proxy.reach(self)
        if self._proxy.weather.is_mute:
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if self._proxy.weather.delay_seconds or self._late:
            self._delay(data)
        else:
            self._pass_on(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._proxy.halves.discard(self)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None and not self._proxy.weather.is_mute:
            self.other.transport.resume_reading()

    def forget(self) -> None:
        """Passes nothing more on, in either direction, and nobody is told."""
        for half in (self, self.other):
            if half is not None and half.transport is not None:
                half.transport.pause_reading()

    def join(self, other: Half) -> None:
        """Both sides stand: what came meanwhile goes out."""
        self.other, other.other = other, self
        early, self._early = self._early, []
        for data in early:
            self._pass_on(data)

    def _delay(self, data: bytes) -> None:
        """Keeps the order, also of what comes when the network is fast again."""
        loop = asyncio.get_running_loop()
        self._late.append((loop.time() + self._proxy.weather.delay_seconds, data))
        if len(self._late) == 1:
            loop.call_at(self._late[0][0], self._release)

    def _release(self) -> None:
        loop = asyncio.get_running_loop()
        while self._late and self._late[0][0] <= loop.time():
            self._pass_on(self._late.popleft()[1])
        if self._late:
            loop.call_at(self._late[0][0], self._release)

    def _pass_on(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
        elif self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.write(data)


@dataclass
class Proxy:
    """`async with Proxy(target_port) as proxy:` stands in for the target on `proxy.port`."""

    target: int
    port: int = field(default_factory=spawn.free_port)
    weather: Weather = field(default_factory=Weather)
    halves: set[Half] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _reaching: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Half(self, outer=True), "127.0.0.1", self.port, backlog=2048)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut_now()
        for task in list(self._reaching):
            task.cancel()
        await asyncio.gather(*self._reaching, return_exceptions=True)

    def slow(self, seconds: float) -> None:
        """Delays whatever passes, in order; 0 ends it."""
        self.weather.delay_seconds = seconds

    def mute(self) -> None:
        """Passes nothing on and breaks nothing: nobody is told."""
        self.weather.is_mute = True
        for half in self.halves:
            if half.transport is not None:
                half.transport.pause_reading()

    def cut_now(self) -> None:
        """Resets every connection there is; new ones are let through."""
        for half in list(self.halves):
            if half.transport is not None:
                half.transport.abort()

    def clear(self) -> None:
        """Good weather again; what was mute is reset, as a network that comes back does in the end."""
        was_mute, self.weather = self.weather.is_mute, Weather()
        if was_mute:
            self.cut_now()

    def reach(self, half: Half) -> None:
        task = asyncio.get_running_loop().create_task(self._reach(half))
        self._reaching.add(task)
        task.add_done_callback(self._reaching.discard)

    async def _reach(self, half: Half) -> None:
        inner = Half(self, outer=False)
        try:
            await asyncio.get_running_loop().create_connection(lambda: inner, "127.0.0.1", self.target)
        except OSError:
            if half.transport is not None:
                half.transport.abort()
            return
        if half.transport is None or half.transport.is_closing():
            assert inner.transport is not None
            inner.transport.abort()
            return
        inner.join(half)
        half.join(inner)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
