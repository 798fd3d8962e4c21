"""Seats in the database: who is in a session, over all processes."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from server.domain import Participant, ProcessId, SessionId, UserId
from server.errors import SeanceError, SessionNotFound
from server.store.database import Database
from server.store.leases import LEASE_SECONDS, Lease
from server.store.questions import Heard, Questions
from server.store.seat_rows import drop_all, load, present, store, swept_next
from server.store.seating import Seating, SeatTaken

_MAX_BATCH: Final = 500
_MAX_SWEPT_SESSIONS: Final = 500

_Operation = Callable[[Seating], Any]
_Question = tuple[SessionId, _Operation]


class _Drop:
    """A seat to be kept for a while: the one operation that need not look at the seating first."""

    __slots__ = ("grace_seconds", "process_id", "user_id")

    def __init__(self, user_id: UserId, process_id: ProcessId, grace_seconds: float) -> None:
        self.user_id = user_id
        self.process_id = process_id
        self.grace_seconds = grace_seconds

    def __call__(self, seating: Seating) -> None:
        seating.drop(self.user_id, self.process_id, self.grace_seconds)


class Seats:
    """This process's hand in the seating of every session.

    Requests that come together are decided in one transaction, in the order they came, under a lock for each
    session that the seats of all processes share. The message log does not wait for that lock. `has_peers` tells
    whether other processes lived on this database at the last beat.
    """

    def __init__(self, database: Database, process_id: ProcessId, *, lease_seconds: float = LEASE_SECONDS) -> None:
        """Seat people in the name of a process whose id nobody used before."""
        self._database = database
        self._process_id = process_id
        self._lease = Lease(database, process_id, lease_seconds)
        self.has_peers = False
        self._questions: Questions[_Question, Any] = Questions(self._decide, _MAX_BATCH)

    async def start(self) -> None:
        """Let the others know that this process lives; before anything else."""
        await self._lease.acquire()

    async def beat(self) -> bool:
        """Show that this process lives, every `BEAT_SECONDS`.

        False: it came too late, and others may have given its seats away; everyone here has to `take` again.
        """
        was_held = await self._lease.renew()
        await self._lease.remove_dead()
        self.has_peers = await self._lease.has_peers()
        return was_held

    async def settled(self) -> None:
        """Return once all that was asked so far is decided."""
        await self._questions.drain()

    async def stop(self) -> None:
        """Give up all of this process's seats; `sweep`, anywhere, tells who of them did not come back."""
        await self.settled()
        await self._lease.end()

    async def take(self, session_id: SessionId, person: Participant) -> SeatTaken:
        """Seat a person, or seat them still; raises `SessionNotFound`, `SessionClosed`, `SessionFull`.

        If the caller is cancelled the seat may have been taken all the same.
        """
        taken: SeatTaken = await self._questions.ask(
            (session_id, lambda seating: seating.take(person, self._process_id))
        )
        return taken

    def drop(self, session_id: SessionId, user_id: UserId, grace_seconds: float, heard: Heard[None]) -> None:
        """Keep a seat for a while for a person whose connections broke; to `take` again ends that while.

        Returns at once: when all clients of a server vanish, a task each would cost more than all the rest.
        """
        self._questions.put((session_id, _Drop(user_id, self._process_id, grace_seconds)), heard)

    def free(self, session_id: SessionId, user_id: UserId, heard: Heard[bool]) -> None:
        """Give up a seat at once; True is heard: the person is nowhere now, and the others have to be told."""
        self._questions.put((session_id, lambda seating: seating.free(user_id, self._process_id)), heard)

    async def present(self, session_id: SessionId) -> list[Participant]:
        """Return who is there now, over all processes, in the order they came."""
        return await present(self._database, session_id)

    async def sweep(self) -> list[tuple[SessionId, Participant]]:
        """Return the people who are gone for good since the last sweep; each is returned to one process only."""
        session_ids = await swept_next(self._database, _MAX_SWEPT_SESSIONS)
        if not session_ids:
            return []
        swept = await asyncio.gather(*(self._swept(id_) for id_ in session_ids))
        await self._lease.remove_dead()
        return [(id_, person) for id_, people in zip(session_ids, swept, strict=True) for person in people]

    async def _swept(self, session_id: SessionId) -> list[Participant]:
        try:
            people: list[Participant] = await self._questions.ask((session_id, Seating.sweep))
        except SessionNotFound:  # it went with all its seats
            return []
        return people

    async def _decide(self, questions: list[_Question]) -> list[Any]:
        """Return the committed answers, or the errors that are answers."""
        dialect = self._database.dialect
        async with self._database.write_turn():
            drops = [
                (id_, op.user_id, op.process_id, op.grace_seconds) for id_, op in questions if isinstance(op, _Drop)
            ]
            if len(drops) == len(questions):
                await drop_all(self._database.seats.ask, dialect, drops)
                return [None] * len(questions)
            async with self._database.seats.unit() as ask:
                seatings = await load(ask, dialect, sorted({session_id for session_id, _ in questions}))
                answers = [_answer(operation, id_, seatings.get(id_)) for id_, operation in questions]
                await store(ask, dialect, seatings)
        return answers


def _answer(operation: _Operation, session_id: SessionId, seating: Seating | None) -> Any:
    if seating is None:
        return SessionNotFound.of(session_id)
    try:
        return operation(seating)
    except SeanceError as error:
        return error
