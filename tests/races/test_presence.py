"""People who come and go at the same moment, and people whose process stood still."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from server.core.presence import Entered, Presence, _Seated
from server.domain import CloseReason, ProcessId
from server.errors import DatabaseUnavailable, SessionClosed, SessionFull
from server.moments import new_id
from server.store.database import Database
from server.store.seats import Seats
from server.store.sessions import SessionStore
from tests.races.stage import Told, person
from tests.store.making import stored_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from server.domain import Participant, SessionId, UserId
    from server.store.questions import Heard
    from server.store.seating import SeatTaken

LEASE_SECONDS = 0.4
ADA, BO = person("ada"), person("bo")


class LateSeats(Seats):
    """Seats that are asked to be given up a moment after whoever sat there has gone."""

    def free(self, session_id: SessionId, user_id: UserId, heard: Heard[bool]) -> None:
        asyncio.get_running_loop().call_later(0.2, super().free, session_id, user_id, heard)


class LatePresence(Presence):
    """Writes down who holds a seat only once it was taken."""

    async def enter(self, session_id: SessionId, user: Participant, connection_id: str) -> Entered:
        taken = await self._seats.take(session_id, user)
        self._here.setdefault((session_id, user.user_id), _Seated(user)).connection_ids.add(connection_id)
        return Entered(taken.session, user, taken.users)


class LostSeats(Seats):
    """Seats whose database is away for as long as the test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, ProcessId(new_id()))
        self.is_away = True
        self.is_mute = False

    def free(self, session_id: SessionId, user_id: UserId, heard: Heard[bool]) -> None:
        if self.is_away:
            heard(DatabaseUnavailable())
        else:
            super().free(session_id, user_id, heard)

    async def take(self, session_id: SessionId, person: Participant) -> SeatTaken:
        taken = await super().take(session_id, person)
        if self.is_mute:
            raise DatabaseUnavailable
        return taken


class FickleSeats(Seats):
    """Seats of a process that stood still, where the first who comes is refused and the next one let in."""

    asked = 0
    refuses_after_seconds = 0.0

    async def beat(self) -> bool:
        return False

    async def take(self, session_id: SessionId, person: Participant) -> SeatTaken:
        self.asked += 1
        if self.asked == 1:
            while self.asked == 1:
                await asyncio.sleep(0)
            await asyncio.sleep(self.refuses_after_seconds)
            raise SessionFull
        return await super().take(session_id, person)


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(postgres_url)
    yield opened
    await opened.close()


async def seats_of(kind: type[Seats], database: Database) -> Seats:
    seats = kind(database, ProcessId(new_id()))
    await seats.start()
    return seats


async def there_after_a_return(seats: Seats, database: Database) -> list[str]:
    """Who is there when somebody comes back while still on the way out."""
    presence = Presence(seats, Told(), grace_seconds=5)
    session = await stored_session(database)
    await presence.enter(session.id, ADA, "tab 1")
    presence.depart(session.id, ADA, "tab 1", clean=True)
    await presence.enter(session.id, ADA, "tab 2")
    await asyncio.sleep(0.3)
    return [user.user_id for user in await presence.users(session.id)]


async def test_who_returns_while_leaving_has_a_seat(database: Database) -> None:
    assert await there_after_a_return(await seats_of(Seats, database), database) == ["ada"]


async def test_without_the_order_of_the_calls_the_leave_would_overtake_the_return(database: Database) -> None:
    assert await there_after_a_return(await seats_of(LateSeats, database), database) == []


async def there_after_a_change_of_tabs(kind: type[Presence], database: Database) -> tuple[list[str], list[str]]:
    """Who is there, and who was said to have left, when one tab goes while another one comes."""
    told = Told()
    presence = kind(await seats_of(Seats, database), told, grace_seconds=5)
    session = await stored_session(database)
    await presence.enter(session.id, ADA, "tab 1")
    coming = asyncio.create_task(presence.enter(session.id, ADA, "tab 2"))
    await asyncio.sleep(0)
    presence.depart(session.id, ADA, "tab 1", clean=True)
    await coming
    await presence.departed()
    return [user.user_id for user in await presence.users(session.id)], told.left


async def test_a_tab_that_comes_keeps_the_seat_of_one_that_goes(database: Database) -> None:
    assert await there_after_a_change_of_tabs(Presence, database) == (["ada"], [])


async def test_written_down_after_it_was_taken_the_seat_would_be_given_up(database: Database) -> None:
    assert await there_after_a_change_of_tabs(LatePresence, database) == ([], ["ada"])


async def test_a_seat_left_to_a_tab_that_is_refused_is_given_up(database: Database) -> None:
    told = Told()
    presence = Presence(await seats_of(Seats, database), told, grace_seconds=0.01)
    session = await stored_session(database)
    await presence.enter(session.id, ADA, "tab 1")
    await SessionStore(database).close(session.id, CloseReason.ENDED)
    coming = asyncio.create_task(presence.enter(session.id, ADA, "tab 2"))
    await asyncio.sleep(0)
    presence.depart(session.id, ADA, "tab 1", clean=False)
    with pytest.raises(SessionClosed):
        await coming
    await presence.departed()
    await asyncio.sleep(0.02)
    await presence.sweep()
    assert told.left == ["ada"]


async def test_a_seat_of_which_nobody_heard_that_it_was_taken_is_given_up(database: Database) -> None:
    told = Told()
    seats = LostSeats(database)
    await seats.start()
    seats.is_away, seats.is_mute = False, True
    presence = Presence(seats, told, grace_seconds=5)
    session = await stored_session(database)
    with pytest.raises(DatabaseUnavailable):
        await presence.enter(session.id, ADA, "tab")
    assert [user.user_id for user in await presence.users(session.id)] == ["ada"]
    await presence.sweep()
    assert await presence.users(session.id) == []


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


@pytest.mark.parametrize("seconds", [0, 0.3])
async def test_who_is_refused_while_a_standstill_is_mended_leaves_no_seat_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(FickleSeats, "refuses_after_seconds", seconds)
    presence = Presence(await seats_of(FickleSeats, database), Told(), grace_seconds=0.01)
    session = await stored_session(database)
    coming = asyncio.create_task(presence.enter(session.id, ADA, "tab"))
    await asyncio.sleep(0)
    await presence.beat()
    with pytest.raises(SessionFull):
        await coming
    await presence.departed()
    await asyncio.sleep(0.02)
    assert await presence.users(session.id) == []


async def left_while_away(database: Database) -> tuple[Presence, Told, LostSeats, SessionId]:
    """Somebody who left while the database was away, which is back now."""
    seats, told = LostSeats(database), Told()
    await seats.start()
    presence = Presence(seats, told, grace_seconds=5)
    session = await stored_session(database)
    await presence.enter(session.id, ADA, "tab")
    await presence.leave(session.id, ADA, "tab")
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
