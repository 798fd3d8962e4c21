"""Each promise's guard, and how to take it out of a server process: what the checker has to see."""

from __future__ import annotations

import asyncio
from copy import copy
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from server.core.presence import Presence
from server.realtime.heads import Heads
from server.realtime.holes import Holes
from server.realtime.room import Arrival
from server.store import log as message_log
from server.store import seat_rows, seats
from server.store.log import Done, MessageLog
from server.store.log_postgres import PostgresWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from server.core.presence import Entered
    from server.domain import Participant, SessionId
    from server.protocol.wire import Draft
    from server.store.lines import Ask
    from server.store.outcomes import Written
    from server.store.seating import Seating
    from server.store.urls import Dialect

# How late a commit comes that somebody hears of too early.
LATE_SECONDS: Final = 0.15
# How much longer it takes between two steps that a guard holds together: a loaded machine shows it sooner.
LINGER_SECONDS: Final = 0.03


def ack_before_commit() -> None:
    """Senders hear of their place while the transaction is still open."""
    _commit_late(answer_first=True)


def emit_before_commit() -> None:
    """The room hears a message while its transaction is still open; its sender waits."""
    _commit_late(answer_first=False)


def no_dedupe() -> None:
    """What was sent again is stored again."""
    append = MessageLog.append

    def append_anew(self: MessageLog, draft: Draft, done: Done) -> None:
        append(self, _without_its_name(draft), done)

    MessageLog.append = append_anew  # type: ignore[method-assign]


def _without_its_name(draft: Draft) -> Draft:
    nameless = copy(draft)
    nameless.client_message_id = None
    nameless.encode()
    return nameless


def no_hole_filling() -> None:
    """What no news told of stays away."""

    async def compare_nothing(self: Heads) -> None:
        """Look at no head."""

    Holes.fill = lambda *_: None  # type: ignore[method-assign]
    Heads.compare = compare_nothing  # type: ignore[method-assign]


def no_seat_lock() -> None:
    """Two processes count the same seats at the same time."""
    load = seat_rows.load

    async def load_and_linger(ask: Ask, dialect: Dialect, session_ids: list[SessionId]) -> dict[SessionId, Seating]:
        found = await load(ask, dialect, session_ids)
        await asyncio.sleep(LINGER_SECONDS)
        return found

    seat_rows._LOCK = "SELECT CAST($1 AS json)"
    seats.load = load_and_linger  # type: ignore[attr-defined]


def no_subscribe_first() -> None:
    """What is said between a joiner's history and its first live message is not kept for it."""
    enter = Presence.enter

    async def enter_and_linger(self: Presence, session_id: SessionId, user: Participant, connection_id: str) -> Entered:
        entered = await enter(self, session_id, user, connection_id)
        # Some longer than others: when all come back at once, somebody has to speak while others are not there yet.
        await asyncio.sleep(LINGER_SECONDS * next(turns))
        return entered

    turns = cycle((0, 1, 4))
    Arrival.hold = lambda *_: None  # type: ignore[method-assign]
    Presence.enter = enter_and_linger  # type: ignore[method-assign]


MUTATIONS: Final[dict[str, Callable[[], None]]] = {
    mutation.__name__: mutation
    for mutation in (
        ack_before_commit,
        emit_before_commit,
        no_dedupe,
        no_hole_filling,
        no_seat_lock,
        no_subscribe_first,
    )
}


def _commit_late(*, answer_first: bool) -> None:
    write = PostgresWriter.write
    told = message_log._call

    async def write_without_end(self: PostgresWriter, drafts: Sequence[Draft]) -> list[Written]:
        connection: Any = self._connection
        await connection.execute("BEGIN")
        return await write(self, drafts)

    async def carry_out(self: MessageLog, batch: list[tuple[Draft, Done]]) -> None:
        self._forget_sizes(batch)
        drafts = [draft for draft, _ in batch]
        outcomes = await self._outcomes(drafts)
        new = message_log._new(drafts, outcomes)
        if answer_first:
            message_log._answer(batch, outcomes)
        elif new:
            told(self.on_commit, new)
        await _end(self._writer)
        if not answer_first:
            message_log._answer(batch, outcomes)
        elif new:
            told(self.on_commit, new)

    async def _end(writer: Any) -> None:
        await asyncio.sleep(LATE_SECONDS)
        try:
            await writer._connection.execute("COMMIT")
        except Exception:  # noqa: BLE001 - whatever it is, the harness has to see what comes of it
            writer._connection.terminate()

    PostgresWriter.write = write_without_end  # type: ignore[method-assign]
    MessageLog._carry_out = carry_out  # type: ignore[method-assign]
