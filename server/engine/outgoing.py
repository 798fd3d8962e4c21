"""Joins what is written to a connection within one turn of the event loop into one write."""

from __future__ import annotations

import asyncio
from typing import Protocol
from weakref import WeakKeyDictionary


class Flushable(Protocol):
    """Something with frames that wait to be written."""

    def flush(self) -> None:
        """Writes them."""


class Outgoing:
    """The connections of one event loop that have something to write."""

    __slots__ = ("__weakref__", "_call_soon", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._call_soon = loop.call_soon
        self._waiting: list[Flushable] = []

    def add(self, connection: Flushable) -> None:
        """Has `connection.flush()` called when this turn of the loop is over."""
        if not self._waiting:
            # One handle for all connections: a handle each would cost more than the write's bytes.
            self._call_soon(self._flush)
        self._waiting.append(connection)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            connection.flush()


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Outgoing] = WeakKeyDictionary()


def outgoing() -> Outgoing:
    """The running loop's own."""
    loop = asyncio.get_running_loop()
    found = _of_loop.get(loop)
    if found is None:
        found = _of_loop[loop] = Outgoing(loop)
    return found
