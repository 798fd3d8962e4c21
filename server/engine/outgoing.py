"""Joins what is written to a connection within one turn of the event loop into one system call."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Sequence

# More than this leaves at once: adding to it would copy it each time.
_JOINED_BYTES_MOST: Final = 16_384
# From so many on, a dictionary made at once costs a third of filling one.
MANY: Final = 32
# No descriptor, and no connection either: what is written to it goes nowhere.
NOBODY: Final = -1


class Writable(Protocol):
    """Something that takes ready frames; its `number` is `NOBODY` before `enter` and after `leave`."""

    number: int

    def write_now(self, frames: bytes) -> None:
        """Hands frames to the transport."""


class Outgoing:
    """What the connections of one event loop are to be sent when its turn is over.

    A connection is known by a number: the descriptor of its socket as long as nothing waits in its transport, else
    one that no descriptor has. So a fan-out is one flat loop over numbers, and sending one system call for each:
    6.3 µs a recipient, most of it the kernel's, where the transport's own `write` takes 7.5. `changes` counts the
    numbers that were changed or given up: a list of numbers is good for as long as it stays the same.
    """

    __slots__ = ("__weakref__", "_call_soon", "_connections", "_is_due", "_last_made_up", "_waiting", "changes")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.changes = 0
        self._call_soon = loop.call_soon
        self._is_due = False
        self._connections: dict[int, Writable] = {}
        self._waiting: dict[int, bytes] = {}
        self._last_made_up = NOBODY

    # -- who there is

    def enter(self, connection: Writable, descriptor: int | None) -> None:
        """Gives a connection its number, or another one: the descriptor, or without one a number of our making.

        The descriptor must be given up, by `leave` or by entering without it, before it is closed: the kernel gives
        it to somebody else then.
        """
        waiting = self._forget(connection)
        if descriptor is None:
            self._last_made_up -= 1
            descriptor = self._last_made_up
        connection.number = descriptor
        self._connections[descriptor] = connection
        if waiting:
            self._waiting[descriptor] = waiting

    def leave(self, connection: Writable) -> None:
        """Forgets a connection, and what waits for it."""
        self._forget(connection)
        connection.number = NOBODY

    def _forget(self, connection: Writable) -> bytes:
        if connection.number == NOBODY:
            return b""
        self.changes += 1
        del self._connections[connection.number]
        return self._waiting.pop(connection.number, b"")

    # -- what they are sent

    def write(self, numbers: Sequence[int], frames: bytes) -> None:
        """Writes frames to every connection when this turn of the loop is over, behind what it has waiting."""
        waiting, changes = self._waiting, self.changes
        if len(numbers) >= MANY and waiting.keys().isdisjoint(numbers):
            waiting.update(dict.fromkeys(numbers, frames))
        else:
            for number in numbers:
                if number in waiting:
                    self.write_one(number, frames)
                else:
                    waiting[number] = frames
            if changes != self.changes:  # one that was cut off on the way may have taken others with it
                for number in waiting.keys() - self._connections.keys():
                    del waiting[number]
        if not self._is_due:
            self._is_due = True
            self._call_soon(self._flush)

    def write_one(self, number: int, frames: bytes) -> None:
        """The same for one connection."""
        before = self._waiting.get(number)
        if before is None:
            self._waiting[number] = frames
        elif len(before) < _JOINED_BYTES_MOST:
            self._waiting[number] = before + frames
        else:
            self._write_much(number, frames)
        if not self._is_due:
            self._is_due = True
            self._call_soon(self._flush)

    def _write_much(self, number: int, frames: bytes) -> None:
        connection = self._connections.get(number)
        if connection is not None:
            connection.write_now(self.take(connection))
            if connection.number != NOBODY:  # the write did not cut it off
                self._waiting[connection.number] = frames

    def take(self, connection: Writable) -> bytes:
        """What waits for a connection, which is then forgotten."""
        return self._waiting.pop(connection.number, b"")

    def waiting_bytes(self, connection: Writable) -> int:
        """How much waits for it."""
        return len(self._waiting.get(connection.number, b""))

    def _flush(self) -> None:
        self._is_due = False
        waiting, sent = self._waiting, list[int]()
        # The loop over all of them is C's: a tenth less for each. One that raises has been passed over when it does.
        writes = map(os.write, waiting, waiting.values())
        while len(sent) < len(waiting):
            try:
                sent.extend(writes)
            except OSError:  # the kernel takes no more, the client is gone, or the number is no descriptor
                sent.append(0)
        self._waiting = {}
        if sent != list(map(len, waiting.values())):
            self._hand_over(waiting, sent)

    def _hand_over(self, waiting: dict[int, bytes], sent: list[int]) -> None:
        """Gives the transports what is left."""
        left = {number: frames[size:] for (number, frames), size in zip(waiting.items(), sent, strict=True)}
        # What cuts one of them off must find what waits for it.
        self._waiting = {number: rest for number, rest in left.items() if rest}
        for number in list(self._waiting):
            connection = self._connections.get(number)
            rest = self._waiting.pop(number, b"")
            if rest and connection is not None:
                connection.write_now(rest)


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Outgoing] = WeakKeyDictionary()


def outgoing() -> Outgoing:
    """The running loop's own."""
    loop = asyncio.get_running_loop()
    found = _of_loop.get(loop)
    if found is None:
        found = _of_loop[loop] = Outgoing(loop)
    return found
