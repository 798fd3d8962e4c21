"""People who come and go at the same moment, and people whose process stood still."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from server.core.presence import Presence
from server.domain import ProcessId, new_id
from server.errors import DatabaseUnavailable
from server.store.database import Database
from server.store.seats import Seats
from tests.races.stage import Told, person
from tests.store.making import stored_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from server.domain import SessionId, UserId

LEASE_SECONDS = 0.4
ADA, BO = person("ada"), person("bo")


class SlowSeats(Seats):
    """Seats that are given up only once the test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, ProcessId(new_id()))
        self.reached = asyncio.Event()
        self.gate = asyncio.Event()

    async def free(self, session_id: SessionId, user_id: UserId) -> bool:
        self.reached.set()
        await self.gate.wait()
        return await super().free(session_id, user_id)


class LostSeats(Seats):
    """Seats whose database is away for as long as the test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, ProcessId(new_id()))
        self.is_away = True

    async def free(self, session_id: SessionId, user_id: UserId) -> bool:
        if self.is_away:
            raise DatabaseUnavailable
        return await super().free(session_id, user_id)


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(postgres_url)
    yield opened
    await opened.close()


async def there_after_a_return(database: Database) -> list[str]:
    """Who is there when somebody comes back while still on the way out."""
    seats = SlowSeats(database)
    await seats.start()
    presence = Presence(seats, Told(), grace_seconds=5)
    session = await stored_session(database)
    await presence.enter(session.id, ADA, "tab 1")
    leaving = asyncio.create_task(presence.leave(session.id, ADA, "tab 1", clean=True))
    await seats.reached.wait()
    returning = asyncio.create_task(presence.enter(session.id, ADA, "tab 2"))
    await asyncio.wait([returning], timeout=0.3)
    seats.gate.set()
    await asyncio.gather(leaving, returning)
    return [user.user_id for user in await presence.users(session.id)]


async def test_who_returns_while_leaving_has_a_seat(database: Database) -> None:
    assert await there_after_a_return(database) == ["ada"]


async def test_without_one_at_a_time_the_leave_would_overtake_the_return(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def at_once(*_: object) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(Presence, "_alone", at_once)
    assert await there_after_a_return(database) == []


async def lapsed(database: Database) -> tuple[Presence, Told, Presence, SessionId]:
    """A process that stood still for longer than its lease while somebody else took its only seat."""
    frozen, other = (Seats(database, ProcessId(new_id()), lease_seconds=seconds) for seconds in (LEASE_SECONDS, 30))
    await frozen.start()
    await other.start()
    told = Told()
    late, new = Presence(frozen, told, grace_seconds=5), Presence(other, Told(), grace_seconds=5)
    session = await stored_session(database, max_users=1)
    await late.enter(session.id, ADA, "ada's tab")
    await asyncio.sleep(LEASE_SECONDS * 1.5)
    return late, told, new, session.id


async def test_who_finds_the_seat_taken_after_a_standstill_is_sent_away(database: Database) -> None:
    late, told, new, session_id = await lapsed(database)
    await new.enter(session_id, BO, "bo's tab")
    await late.beat()
    assert told.evicted == {"ada's tab"}
    assert [user.user_id for user in await new.users(session_id)] == ["bo"]


async def test_who_finds_the_seat_free_after_a_standstill_keeps_it(database: Database) -> None:
    late, told, new, session_id = await lapsed(database)
    await late.beat()
    assert not told.evicted
    assert [user.user_id for user in await new.users(session_id)] == ["ada"]


async def test_who_was_told_to_have_left_in_a_standstill_is_told_to_be_back(database: Database) -> None:
    late, told, new, session_id = await lapsed(database)
    await new.sweep()
    await late.beat()
    assert told.events == [("user_joined", "ada"), ("user_joined", "ada")]
    assert [user.user_id for user in await new.users(session_id)] == ["ada"]


async def left_while_away(database: Database) -> tuple[Presence, Told, LostSeats, SessionId]:
    """Somebody who left while the database was away, which is back now."""
    seats, told = LostSeats(database), Told()
    await seats.start()
    presence = Presence(seats, told, grace_seconds=5)
    session = await stored_session(database)
    await presence.enter(session.id, ADA, "tab")
    await presence.leave(session.id, ADA, "tab", clean=True)
    seats.is_away = False
    return presence, told, seats, session.id


async def test_a_seat_that_could_not_be_given_up_is_given_up_once_the_database_is_back(database: Database) -> None:
    presence, told, _, session_id = await left_while_away(database)
    assert [user.user_id for user in await presence.users(session_id)] == ["ada"]
    await presence.sweep()
    assert await presence.users(session_id) == []
    assert told.left == ["ada"]
    await presence.sweep()
    assert told.left == ["ada"]


async def test_who_came_back_meanwhile_keeps_the_seat(database: Database) -> None:
    presence, told, _, session_id = await left_while_away(database)
    await presence.enter(session_id, ADA, "another tab")
    await presence.sweep()
    assert [user.user_id for user in await presence.users(session_id)] == ["ada"]
    assert not told.left
