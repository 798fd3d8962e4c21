"""What is to be published: bounded, sent in batches, and dropped rather than waited for."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

OUTBOX_BYTES: Final = 8 * 1024 * 1024
BATCH_MOST: Final = 500

News = tuple[str, bytes]


class Outbox:
    """Takes news without waiting; one batch is on its way while the next one gathers."""

    def __init__(self, send: Callable[[list[News]], Awaitable[None]], most_bytes: int = OUTBOX_BYTES) -> None:
        """Take what sends a batch, and how much may wait."""
        self.dropped = 0
        self._send = send
        self._most_bytes = most_bytes
        self._bytes = 0
        self._waiting: deque[News] = deque()
        self._filled = asyncio.Event()

    def put(self, channel: str, payload: bytes) -> None:
        """Take one piece of news, or drop it when too much waits."""
        if self._bytes + len(payload) > self._most_bytes:
            self.dropped += 1
            return
        self._bytes += len(payload)
        self._waiting.append((channel, payload))
        self._filled.set()

    def clear(self) -> None:
        """Drop all that waits: it is old news by the time it could be sent."""
        self.dropped += len(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        self._filled.clear()

    async def run(self) -> None:
        """Send what is put in, batch after batch; ends with what `send` raises."""
        while True:
            await self._filled.wait()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_MOST))]
            self._bytes -= sum(len(payload) for _, payload in batch)
            if not self._waiting:
                self._filled.clear()
            if batch:
                await self._send(batch)
