"""Group commit's shape: one batch under way, and what comes meanwhile goes in the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Batches(Generic[Item]):
    """Carries out items in the order they came, many at a time.

    There is no timer: an idle lane begins within the same turn of the loop, a busy one as soon as the batch
    before is through. `carry_out` must not raise; whoever waits for an item hears from it. Those under way are in
    `waiting` no longer.
    """

    def __init__(self, carry_out: Callable[[list[Item]], Awaitable[None]], max_items: int) -> None:
        """Begin idle."""
        self._carry_out = carry_out
        self._max_items = max_items
        self.waiting: deque[Item] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, item: Item) -> None:
        """Take an item; never blocks."""
        self.waiting.append(item)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def take_all(self) -> list[Item]:
        """Return what waits and forget it: the caller answers for it now."""
        items = list(self.waiting)
        self.waiting.clear()
        return items

    async def drain(self) -> None:
        """Return once nothing waits and nothing is under way."""
        while self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        try:
            while self.waiting:
                await self._carry_out(self._next())
        finally:
            self._task = None

    def _next(self) -> list[Item]:
        if len(self.waiting) <= self._max_items:
            return self.take_all()
        return [self.waiting.popleft() for _ in range(self._max_items)]
