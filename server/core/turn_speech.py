"""What a turn says: told to the room as paced deltas, kept whole."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from server.core.pacing import DeltaPacer
from server.domain import MESSAGE_CHARS, UNSTORABLE

Tell = Callable[[int, str], bool]

# The clock of an event loop may count no less: a timer is as much early.
TICK_SECONDS: Final = 0.001


class Speech:
    """The words of one turn; what was told, joined, is `said`."""

    def __init__(self, tell: Tell, said: str = "", index: int = 0) -> None:
        """Take who tells the room a delta, or returns False if it may not, and what was said before."""
        self.said = said
        self.index = index
        self.first_at: float | None = None
        self.began = asyncio.Event()
        self._tell = tell
        self._left = MESSAGE_CHARS - len(said)
        self._pacer = DeltaPacer()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_full(self) -> bool:
        """Tell whether a message can hold no more."""
        return self._left <= 0

    def add(self, piece: str) -> None:
        """Say a piece now, or with the next delta."""
        text = UNSTORABLE.sub("", piece)[: self._left]
        if not text:
            return
        self._left -= len(text)
        self.began.set()
        self._pacer.add(text)
        if not (wait_seconds := self._pacer.wait_seconds(monotonic())):
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait_seconds + TICK_SECONDS, self.flush)

    def flush(self) -> None:
        """Say what waits."""
        if self._timer is not None:  # a timer that is late must not cut the next interval short
            self._timer.cancel()
            self._timer = None
        now = monotonic()
        text = self._pacer.take(now)
        if text and self._tell(self.index, text):
            self.first_at = now if self.first_at is None else self.first_at
            self.said += text
            self.index += 1

    async def finish(self) -> None:
        """Say the rest when its time has come."""
        if wait_seconds := self._pacer.wait_seconds(monotonic()):
            await asyncio.sleep(wait_seconds + TICK_SECONDS)
        self.flush()
