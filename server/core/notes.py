"""The rolling summary: what no longer fits the spirit's context is kept as notes in the database."""

import asyncio
from datetime import datetime
from typing import Final

from server.core.messages import Messages
from server.core.ports import Provider, ProviderFailedError, Purse, Scene, Usage
from server.domain import Session, SessionId
from server.errors import SeanceError
from server.logs import logger
from server.moments import now
from server.store.turns import TurnStore

log = logger()

WORTH_NOTING: Final = 10
TAKEN_AT_ONCE: Final = 200
ONE_TOKEN: Final = Usage(1, 0)


class Notes:
    """Makes new notes after a turn whose scene did not fit; one session at a time, never in a turn's way."""

    def __init__(self, provider: Provider, store: TurnStore, messages: Messages, purse: Purse) -> None:
        """Take who writes, where it is kept, what is to be noted, and who pays."""
        self._provider = provider
        self._store = store
        self._messages = messages
        self._purse = purse
        self._tasks: dict[SessionId, asyncio.Task[None]] = {}

    def take(self, scene: Scene) -> None:
        """Begin to take notes of what did not fit a scene, if there is enough of it."""
        if not self._provider.takes_notes or not scene.messages or scene.session.id in self._tasks:
            return
        left_out = self._provider.outline(scene).left_out
        until_seq = left_out[-1].seq if left_out else scene.messages[0].seq - 1
        if until_seq >= WORTH_NOTING:
            task = asyncio.create_task(self._take(scene.session, until_seq))
            self._tasks[scene.session.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(scene.session.id, None))

    async def aclose(self) -> None:
        """Stop taking notes."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _take(self, session: Session, until_seq: int) -> None:
        try:
            summary, seq = await self._store.summary(session.id)
            while until_seq - seq >= WORTH_NOTING and not await self._is_broke(session.id, asked_at := now()):
                missed = await self._messages.after(session.id, seq, min(TAKEN_AT_ONCE, until_seq - seq))
                notes = await self._provider.summarise(session, summary, missed)
                await self._purse.settle(session.id, "", ONE_TOKEN, notes.usage, asked_at)
                taken = missed[: len(missed) - len(notes.left_out)]
                if not taken or not notes.text.strip():
                    return
                summary, seq = notes.text, taken[-1].seq
                await self._store.save_summary(session.id, summary, seq)
        except (ProviderFailedError, SeanceError) as error:
            log.warning("spirit.notes_failed", session_id=session.id, cause=error.code)

    async def _is_broke(self, session_id: SessionId, at: datetime) -> bool:
        """Tell whether a budget is used up already; what notes cost is known only afterwards."""
        return await self._purse.reserve(session_id, "", ONE_TOKEN, at) is not None
