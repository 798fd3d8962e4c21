"""One thing after another for each client: what awaits holds back only that client's next."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .packets import Malformed
from .ports import Reason, State

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .complaints import Complaints
    from .connection import Connection
    from .limits import Limits

Item = TypeVar("Item")


class Busy(Generic[Item]):
    """A client of whom one item is being handled, and the items that wait behind it."""

    __slots__ = ("current", "paused", "size_bytes", "then", "waiters", "waiting")

    def __init__(self, current: Item) -> None:
        self.current = current
        self.waiting: deque[tuple[Item, int]] = deque()
        self.size_bytes = 0
        self.paused = False
        # To be run when the current item is done and the client is gone.
        self.then: Coroutine[Any, Any, None] | None = None
        self.waiters: list[asyncio.Future[None]] = []

    def release(self) -> None:
        """Lets those go on who waited for room."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.waiters.clear()


class Serial(Generic[Item]):
    """Runs `handle` for the items of each client in order.

    `handle` returns None when it is done, or what is to be awaited; only then is there a task,
    and it ends when nothing more waits. Past a bound of waiting items the client is not read.
    """

    def __init__(
        self,
        handle: Callable[[Connection, Item], Coroutine[Any, Any, None] | None],
        limits: Limits,
        complaints: Complaints,
    ) -> None:
        self._handle = handle
        self._limits = limits
        self._complaints = complaints
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, connection: Connection, item: Item, size_bytes: int) -> None:
        """Handles an item now, or when its turn comes."""
        busy: Busy[Item] | None = connection.busy
        if busy is not None:
            self._wait(connection, busy, item, size_bytes)
            return
        job = self._handle(connection, item)
        if job is not None:
            connection.busy = busy = Busy(item)
            self.spawn(self._work(connection, busy, job))

    def spawn(self, job: Coroutine[Any, Any, None]) -> None:
        """Runs something on its own."""
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drained(self, connection: Connection) -> None:
        """Returns when few enough items wait."""
        busy: Busy[Item] | None = connection.busy
        if busy is not None and busy.paused:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            busy.waiters.append(waiter)
            await waiter

    def drop(self, connection: Connection) -> Busy[Item] | None:
        """Forgets what waits for a client that is gone; returns what is being handled."""
        busy: Busy[Item] | None = connection.busy
        if busy is not None:
            busy.waiting.clear()
            busy.release()
        return busy

    async def _work(self, connection: Connection, busy: Busy[Item], job: Coroutine[Any, Any, None] | None) -> None:
        try:
            while job is not None:
                await self.shielded(connection, job)
                job = self._next(connection, busy)
        except Malformed as fault:
            connection.host.complain(connection, str(fault))
            connection.fail(Reason.TRANSPORT_ERROR)
        finally:
            connection.busy = None
            self._resume(connection, busy)
            if busy.then is not None:
                await self.shielded(connection, busy.then)

    async def shielded(self, connection: Connection, job: Coroutine[Any, Any, None]) -> None:
        """Awaits an application's handler; its errors end here, in one log line."""
        try:
            await job
        except Malformed:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an application raises
            self._complaints.fault(connection.remote, "handler", error)

    def _next(self, connection: Connection, busy: Busy[Item]) -> Coroutine[Any, Any, None] | None:
        while busy.waiting and connection.state is State.OPEN:
            busy.current, size_bytes = busy.waiting.popleft()
            busy.size_bytes -= size_bytes
            if busy.paused and len(busy.waiting) <= self._limits.waiting_packets // 2:
                self._resume(connection, busy)
            job = self._handle(connection, busy.current)
            if job is not None:
                return job
        return None

    def _wait(self, connection: Connection, busy: Busy[Item], item: Item, size_bytes: int) -> None:
        busy.waiting.append((item, size_bytes))
        busy.size_bytes += size_bytes
        full = len(busy.waiting) > self._limits.waiting_packets
        if (full or busy.size_bytes > self._limits.message_bytes) and not busy.paused:
            busy.paused = True
            if connection.link is not None:
                connection.link.pause_reading()

    def _resume(self, connection: Connection, busy: Busy[Item]) -> None:
        if busy.paused:
            busy.paused = False
            if connection.link is not None:
                connection.link.resume_reading()
        busy.release()
