"""Seats in the database: who is in a session, over all processes."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from server.domain import Participant, ProcessId, SessionId, UserId
from server.errors import SeanceError, SessionNotFound
from server.store.database import Database
from server.store.leases import LEASE_SECONDS, Lease
from server.store.questions import Questions
from server.store.seat_rows import load, present, store, swept_next
from server.store.seating import Seating, SeatTaken

_MAX_BATCH: Final = 200
_MAX_SWEPT_SESSIONS: Final = 200

_Operation = Callable[[Seating], Any]
_Question = tuple[SessionId, _Operation]


class Seats:
    """This process's hand in the seating of every session.

    Requests that come together are decided in one transaction, in the order they came, under a lock for each
    session that the seats of all processes share. The message log does not wait for that lock.
    """

    def __init__(self, database: Database, process_id: ProcessId, *, lease_seconds: float = LEASE_SECONDS) -> None:
        """Seat people in the name of a process whose id nobody used before."""
        self._database = database
        self._process_id = process_id
        self._lease = Lease(database, process_id, lease_seconds)
        self._questions: Questions[_Question, Any] = Questions(self._decide, _MAX_BATCH)

    async def start(self) -> None:
        """Let the others know that this process lives; before anything else."""
        await self._lease.acquire()

    async def beat(self) -> bool:
        """Show that this process lives, every `BEAT_SECONDS`.

        False: it came too late, and others may have given its seats away; everyone here has to `take` again.
        """
        return await self._lease.renew()

    async def stop(self) -> None:
        """Give up all of this process's seats; `sweep`, anywhere, tells who of them did not come back."""
        await self._questions.drain()
        await self._lease.end()

    async def take(self, session_id: SessionId, person: Participant) -> SeatTaken:
        """Seat a person, or seat them still; raises `SessionNotFound`, `SessionClosed`, `SessionFull`.

        If the caller is cancelled the seat may have been taken all the same.
        """
        taken: SeatTaken = await self._ask(session_id, lambda seating: seating.take(person, self._process_id))
        return taken

    async def drop(self, session_id: SessionId, user_id: UserId, grace_seconds: float) -> None:
        """Keep a seat for a while for a person whose connections broke; to `take` again ends that while."""
        await self._ask_softly(session_id, lambda seating: seating.drop(user_id, self._process_id, grace_seconds))

    async def free(self, session_id: SessionId, user_id: UserId) -> bool:
        """Give up a seat at once; True: the person is nowhere now, and the others have to be told."""
        gone = await self._ask_softly(session_id, lambda seating: seating.free(user_id, self._process_id))
        return bool(gone)

    async def present(self, session_id: SessionId) -> list[Participant]:
        """Return who is there now, over all processes, in the order they came."""
        return await present(self._database, session_id)

    async def sweep(self) -> list[tuple[SessionId, Participant]]:
        """Return the people who are gone for good since the last sweep; each is returned to one process only."""
        session_ids = await swept_next(self._database, _MAX_SWEPT_SESSIONS)
        swept = await asyncio.gather(*(self._ask_softly(id_, Seating.sweep) for id_ in session_ids))
        await self._lease.remove_dead()
        return [(id_, person) for id_, people in zip(session_ids, swept, strict=True) for person in people or ()]

    async def _ask(self, session_id: SessionId, operation: _Operation) -> Any:
        return await self._questions.ask((session_id, operation))

    async def _ask_softly(self, session_id: SessionId, operation: _Operation) -> Any:
        """Ask, and get None where there is no such session any more."""
        try:
            return await self._ask(session_id, operation)
        except SessionNotFound:
            return None

    async def _decide(self, questions: list[_Question]) -> list[Any]:
        """Return the committed answers, or the errors that are answers."""
        async with self._database.writing() as db:
            seatings = await load(db, sorted({session_id for session_id, _ in questions}))
            answers = [_answer(operation, session_id, seatings.get(session_id)) for session_id, operation in questions]
            await store(db, self._database.dialect, seatings)
        return answers


def _answer(operation: _Operation, session_id: SessionId, seating: Seating | None) -> Any:
    if seating is None:
        return SessionNotFound.of(session_id)
    try:
        return operation(seating)
    except SeanceError as error:
        return error
