"""Joins what is written to a connection within one turn of the event loop into one write."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# More than this leaves at once: adding to it would copy it each time.
_JOINED_BYTES_MOST = 16_384
_MANY = 5_000


class Writable(Protocol):
    """Something that takes ready frames."""

    outgoing: Outgoing

    def write_now(self, frames: bytes) -> None:
        """Hands frames to the transport."""


class Outgoing:
    """What the connections of one event loop are to be sent when its turn is over.

    One dictionary for all of them, so that a fan-out is one flat loop without a call for each recipient: 0.4
    instead of 1.3 microseconds each.
    """

    __slots__ = ("__weakref__", "_call_soon", "_is_due", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._call_soon = loop.call_soon
        self._is_due = False
        self._waiting: dict[Writable, bytes] = {}

    def write(self, connections: Iterable[Writable], frames: bytes) -> None:
        """Writes frames to every connection when this turn of the loop is over, behind what it has waiting."""
        waiting = self._waiting
        for connection in connections:
            before = waiting.get(connection)
            if before is None:
                waiting[connection] = frames
            elif len(before) < _JOINED_BYTES_MOST:
                waiting[connection] = before + frames
            else:
                connection.write_now(before)
                if connection in waiting:  # the write did not cut it off
                    waiting[connection] = frames
        if not self._is_due:
            self._is_due = True
            self._call_soon(self._flush)

    def take(self, connection: Writable) -> bytes:
        """What waits for a connection, which is then forgotten."""
        return self._waiting.pop(connection, b"")

    def waiting_bytes(self, connection: Writable) -> int:
        """How much waits for it."""
        return len(self._waiting.get(connection, b""))

    def _flush(self) -> None:
        self._is_due = False
        # Not emptied first: what cuts a connection off in between must find what waits for it.
        connections = list(self._waiting)
        for connection in connections:
            frames = self._waiting.pop(connection, None)
            if frames is not None:
                connection.write_now(frames)
        if len(connections) > _MANY and not self._waiting:
            # An emptied dictionary keeps the size it had, and walking through it costs as much as if it were full.
            self._waiting = {}


def write_to_all(connections: Sequence[Writable], frames: bytes) -> None:
    """Queues the same frames for many, in a third of the time that a call for each of them would take."""
    if connections:
        connections[0].outgoing.write(connections, frames)


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Outgoing] = WeakKeyDictionary()


def outgoing() -> Outgoing:
    """The running loop's own."""
    loop = asyncio.get_running_loop()
    found = _of_loop.get(loop)
    if found is None:
        found = _of_loop[loop] = Outgoing(loop)
    return found
