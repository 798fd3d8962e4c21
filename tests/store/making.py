"""Sessions, people and drafts that the store's tests need, and a log as something to await."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from server.core.messages import drafted
from server.domain import Message, Participant, ProcessId, Session, SessionId, UserId
from server.moments import new_id, now
from server.protocol.objects import message_object, message_of
from server.store.seats import Seats
from server.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from server.protocol.wire import Draft
    from server.store.database import Database
    from server.store.log import MessageLog
    from server.store.outcomes import Outcome


def a_session(**changes: Any) -> Session:
    fields: dict[str, Any] = {"id": SessionId(new_id()), "name": "Tuesday circle", "max_users": 6, "created_at": now()}
    return Session(**(fields | changes))


async def stored_session(database: Database, **changes: Any) -> Session:
    session = a_session(**changes)
    await SessionStore(database).create(session)
    return session


def a_person(name: str) -> Participant:
    return Participant(UserId(name.lower()), name)


def a_draft(session: Session, text: str = "Is anybody there?", *, user: str = "ada", key: str | None = None) -> Draft:
    return drafted(session.id, Participant(UserId(user), user.title()), text, key)


def send(log: MessageLog, draft: Draft) -> asyncio.Future[Outcome]:
    answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    log.append(draft, answer.set_result)
    return answer


async def send_all(log: MessageLog, drafts: Iterable[Draft]) -> list[Outcome]:
    return await asyncio.gather(*[send(log, draft) for draft in drafts])


def seqs(outcomes: Iterable[Outcome]) -> list[int]:
    """The places of messages of which each was stored."""
    places = []
    for outcome in outcomes:
        assert isinstance(outcome, Message), outcome
        places.append(outcome.seq)
    return places


def read_back(message: Outcome) -> Message:
    """A message as the database gives it back, which is not what it was sent with."""
    assert isinstance(message, Message), message
    return message_of(message_object(message))


async def started_seats(database: Database, **options: Any) -> Seats:
    seats = Seats(database, ProcessId(new_id()), **options)
    await seats.start()
    return seats


async def dropped(seats: Seats, session: Session, person: Participant, grace_seconds: float) -> None:
    """A seat that is kept for a while from now on."""
    answer: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
    seats.drop(session.id, person.user_id, grace_seconds, answer.set_result)
    assert await answer is None


async def freed(seats: Seats, session: Session, person: Participant) -> bool:
    """Whether a person is nowhere, after one process gave up the seat."""
    answer: asyncio.Future[bool | Exception] = asyncio.get_running_loop().create_future()
    seats.free(session.id, person.user_id, answer.set_result)
    gone = await answer
    assert isinstance(gone, bool)
    return gone
