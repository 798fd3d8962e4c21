"""The right to speak for a turn: renewed with what was said, and in doubt once it could not be renewed."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from server.domain import TurnId
from server.errors import SeanceError
from server.store.turns import TurnStore

RENEW_SECONDS: Final = 2.0
# Most answers are over by then, and need not be saved on the way.
SOON_SECONDS: Final = 0.5
# Others take a process for dead 15 s after its last beat, which may be 5 s older than our last renewal.
HELD_SECONDS: Final = 8.0
ASK_SECONDS: Final = 20.0
ASK_AGAIN_SECONDS: Final = 0.5


class TurnLease:
    """A turn's row as its owner sees it."""

    def __init__(
        self,
        store: TurnStore,
        turn_id: TurnId,
        fence: int,
        saved: Callable[[], tuple[str, int]],
        lose: Callable[[], None],
    ) -> None:
        """Take the row, what is to be saved in it, and what to do when it is no longer ours."""
        self._store = store
        self._turn_id = turn_id
        self._fence = fence
        self._saved = saved
        self._lose = lose
        self._is_lost = False
        self._over = asyncio.Event()
        self._renewed_at = time.monotonic()

    @property
    def is_held(self) -> bool:
        """Tell whether nobody else can have the turn: it was renewed lately, also by a process that stood still."""
        return not self._is_lost and time.monotonic() - self._renewed_at < HELD_SECONDS

    async def keep(self, began: asyncio.Event) -> None:
        """Renew until `rest`, the first time soon after something was said."""
        await _within(RENEW_SECONDS, began)
        await _within(SOON_SECONDS, self._over)
        while not self._over.is_set():
            with suppress(SeanceError):
                await self._renew()
            await _within(RENEW_SECONDS, self._over)

    def rest(self) -> None:
        """Renew no more; what is under way is not cancelled, which would cost a connection."""
        self._over.set()

    async def is_ours(self) -> bool:
        """Tell whether the turn may still speak; asks when that is in doubt, for up to 20 seconds."""
        give_up_at = time.monotonic() + ASK_SECONDS
        while not self.is_held and not self._is_lost and time.monotonic() < give_up_at:
            try:
                await self._renew()
            except SeanceError:
                await asyncio.sleep(ASK_AGAIN_SECONDS)
        return self.is_held

    async def _renew(self) -> None:
        text, until_seq = self._saved()
        asked_at = time.monotonic()
        if await self._store.renew(self._turn_id, self._fence, text, until_seq):
            self._renewed_at = asked_at
        else:
            self._is_lost = True
            self.rest()
            self._lose()


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for an event, but not for longer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
