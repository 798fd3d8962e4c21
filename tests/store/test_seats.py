from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text, update

from server.domain import CloseReason, Participant, ProcessId, SessionId, UserId
from server.errors import SessionClosed, SessionFull, SessionNotFound
from server.moments import new_id
from server.protocol.commands import ChangeSession
from server.store import seat_rows
from server.store.database import Database
from server.store.log import MessageLog
from server.store.sessions import SessionStore
from server.store.tables import processes
from tests.store.making import a_draft, a_person, dropped, freed, send, seqs, started_seats, stored_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from server.domain import Session
    from server.store.seats import Seats

ADA, BOB = a_person("Ada"), a_person("Bob")
SHORT_LEASE_SECONDS = 0.3
PAST = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
async def hosts(database_url: str) -> AsyncIterator[list[Seats]]:
    """Four processes' seats, each on a pool of its own."""
    databases = [await Database.open(database_url) for _ in range(4)]
    yield [await started_seats(database) for database in databases]
    for database in databases:
        await database.close()


async def lapse(database: Database, seats: Seats) -> None:
    """The database's clock says that this process's lease is over."""
    async with database.writing() as db:
        await db.execute(update(processes).where(processes.c.id == seats._process_id).values(expires_at=PAST))


async def racing(hosts: list[Seats], session: Session, people: int) -> list[Any]:
    takes = [hosts[i % len(hosts)].take(session.id, a_person(f"Person{i}")) for i in range(people)]
    return await asyncio.gather(*takes, return_exceptions=True)


async def test_a_hundred_who_race_for_six_seats_on_four_processes_get_six(
    database: Database, hosts: list[Seats]
) -> None:
    session = await stored_session(database, max_users=6)
    outcomes = await racing(hosts, session, 100)
    refused = [outcome for outcome in outcomes if isinstance(outcome, SessionFull)]
    assert len(refused) == 94
    assert sorted(len(taken.users) for taken in outcomes if not isinstance(taken, Exception)) == [1, 2, 3, 4, 5, 6]
    assert len(await hosts[0].present(session.id)) == 6


async def test_without_the_lock_more_would_be_let_in(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat_rows, "_LOCK", "SELECT CAST($1 AS json)")
    databases = [await Database.open(postgres_url) for _ in range(4)]
    hosts = [await started_seats(database) for database in databases]
    most = 0
    for _ in range(50):
        session = await stored_session(databases[0], max_users=6)
        await racing(hosts, session, 40)
        most = max(most, len(await hosts[0].present(session.id)))
        if most > 6:
            break
    for database in databases:
        await database.close()
    assert most > 6


async def test_a_person_on_two_processes_comes_once_and_leaves_once(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database)
    taken = await asyncio.gather(*[host.take(session.id, ADA) for host in hosts])
    assert sorted(seat.came for seat in taken) == [False, False, False, True]
    assert await hosts[0].present(session.id) == [ADA]
    outcomes = await asyncio.gather(*[freed(host, session, ADA) for host in hosts])
    assert sorted(outcomes) == [False, False, False, True]
    assert await hosts[0].present(session.id) == []


async def test_joining_again_under_another_name_renames(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database)
    await hosts[0].take(session.id, ADA)
    renamed = Participant(ADA.user_id, "Lady A")
    assert (await hosts[1].take(session.id, renamed)).users == (renamed,)
    assert await hosts[0].present(session.id) == [renamed]


async def test_people_are_listed_in_the_order_they_came(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database)
    people = [a_person(name) for name in ("Zoe", "Ada", "Moe")]
    for person in people:
        await hosts[0].take(session.id, person)
        await asyncio.sleep(0.002)  # SQLite's clock counts milliseconds
    assert await hosts[1].present(session.id) == people


async def test_what_is_not_there_or_over_has_no_seats(database: Database, hosts: list[Seats]) -> None:
    with pytest.raises(SessionNotFound):
        await hosts[0].take(SessionId(new_id()), ADA)
    session = await stored_session(database)
    await SessionStore(database).close(session.id, CloseReason.ENDED)
    with pytest.raises(SessionClosed):
        await hosts[0].take(session.id, ADA)
    unknown: list[object] = []
    hosts[0].free(SessionId(new_id()), ADA.user_id, unknown.append)
    hosts[0].drop(SessionId(new_id()), ADA.user_id, 1, unknown.append)
    await hosts[0].settled()
    hosts[0].drop(SessionId(new_id()), ADA.user_id, 1, unknown.append)
    await hosts[0].settled()
    assert [type(answer) for answer in unknown] == [SessionNotFound, SessionNotFound, type(None)]


async def test_one_bad_request_fails_alone(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database)
    bad = Participant(UserId("\ud800"), "Bad")
    outcomes = await asyncio.gather(
        *[hosts[0].take(session.id, person) for person in (ADA, bad, BOB)], return_exceptions=True
    )
    assert [isinstance(outcome, Exception) for outcome in outcomes] == [False, True, False]
    assert set(await hosts[0].present(session.id)) == {ADA, BOB}


async def test_room_made_by_a_change_is_seen_at_once(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database, max_users=1)
    await hosts[0].take(session.id, ADA)
    await SessionStore(database).change(session.id, ChangeSession(max_users=2))
    assert (await hosts[1].take(session.id, BOB)).session.max_users == 2


async def test_a_dropped_seat_is_kept_and_its_person_returns_silently(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database)
    await hosts[0].take(session.id, ADA)
    await dropped(hosts[0], session, ADA, 30)
    assert await hosts[1].present(session.id) == [ADA]
    assert await hosts[1].sweep() == []
    assert not (await hosts[1].take(session.id, ADA)).came


async def test_who_vanish_together_are_dropped_each_for_their_own_time(database: Database, hosts: list[Seats]) -> None:
    rooms = [await stored_session(database) for _ in range(3)]
    await asyncio.gather(*[hosts[0].take(room.id, person) for room in rooms for person in (ADA, BOB)])
    await hosts[1].take(rooms[0].id, ADA)
    await asyncio.gather(
        *[dropped(hosts[0], room, person, seconds) for room in rooms for person, seconds in ((ADA, -1), (BOB, 30))]
    )
    assert [await hosts[0].present(room.id) for room in rooms] == [[ADA, BOB], [BOB], [BOB]]
    assert sorted(await hosts[1].sweep()) == sorted((room.id, ADA) for room in rooms[1:])


async def test_drops_and_takes_count_in_the_order_they_came(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database)
    await hosts[0].take(session.id, ADA)
    dropping = asyncio.create_task(dropped(hosts[0], session, ADA, -1))
    taking = asyncio.create_task(hosts[0].take(session.id, ADA))
    await asyncio.sleep(0)
    await dropped(hosts[0], session, ADA, -1)
    assert dropping.done()
    assert not (await taking).came
    assert await hosts[0].present(session.id) == []


async def test_a_grace_that_is_over_is_swept_by_one_process(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database)
    await hosts[0].take(session.id, ADA)
    await dropped(hosts[0], session, ADA, -1)
    assert await hosts[1].present(session.id) == []
    swept = await asyncio.gather(*[host.sweep() for host in hosts])
    assert sorted(swept, key=len) == [[], [], [], [(session.id, ADA)]]


async def test_the_people_of_a_dead_process_are_swept_by_one_of_the_others(
    database: Database, hosts: list[Seats]
) -> None:
    rooms = [await stored_session(database) for _ in range(5)]
    for room in rooms:
        await hosts[0].take(room.id, ADA)
        await hosts[1].take(room.id, BOB)
    await hosts[1].take(rooms[0].id, ADA)
    await lapse(database, hosts[0])
    assert await hosts[1].present(rooms[1].id) == [BOB]
    swept = await asyncio.gather(*[host.sweep() for host in hosts[1:]])
    gone = [found for some in swept for found in some]
    assert sorted(gone) == sorted((room.id, ADA) for room in rooms[1:])
    assert await process_ids(database) == {host._process_id for host in hosts[1:]}


async def process_ids(database: Database) -> set[ProcessId]:
    async with database.reading() as db:
        return {ProcessId(id_) for id_ in await db.scalars(processes.select().with_only_columns(processes.c.id))}


async def test_a_beat_in_time_keeps_the_seats_and_a_late_one_says_so(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database)
    await hosts[0].take(session.id, ADA)
    assert await hosts[0].beat()
    await lapse(database, hosts[0])
    assert await hosts[1].sweep() == [(session.id, ADA)]
    assert not await hosts[0].beat()
    assert await hosts[0].beat()
    assert (await hosts[0].take(session.id, ADA)).came


async def test_a_lease_ends_by_the_clock(database: Database) -> None:
    short = await started_seats(database, lease_seconds=SHORT_LEASE_SECONDS)
    session = await stored_session(database)
    await short.take(session.id, ADA)
    assert await short.present(session.id) == [ADA]
    while await short.present(session.id):
        await asyncio.sleep(0.02)
    assert not await short.beat()


async def test_a_process_that_stops_leaves_its_people_to_the_next_sweep(database: Database, hosts: list[Seats]) -> None:
    session = await stored_session(database)
    for person in (ADA, BOB):
        await hosts[0].take(session.id, person)
    await hosts[0].stop()
    assert await hosts[1].present(session.id) == []
    assert not (await hosts[1].take(session.id, BOB)).came
    assert await hosts[1].sweep() == [(session.id, ADA)]


async def test_joins_do_not_wait_for_the_message_log_nor_it_for_them(postgres_database: Database) -> None:
    session = await stored_session(postgres_database)
    seats = await started_seats(postgres_database)
    log = MessageLog(postgres_database)
    async with postgres_database.seats.unit() as ask:
        await seat_rows.load(ask, "postgresql", [session.id])
        assert seqs([await send(log, a_draft(session))]) == [1]
    async with postgres_database.writing() as db:
        await db.execute(text("UPDATE sessions SET last_seq = 7 WHERE id = :id"), {"id": session.id})
        assert (await seats.take(session.id, ADA)).came
    await log.aclose()


async def test_a_session_cannot_end_between_the_look_and_the_seat(postgres_database: Database) -> None:
    session = await stored_session(postgres_database)
    async with postgres_database.seats.unit() as ask:
        await seat_rows.load(ask, "postgresql", [session.id])
        ending = asyncio.create_task(SessionStore(postgres_database).close(session.id, CloseReason.ENDED))
        async with postgres_database.reading() as other:
            while not (await other.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))).scalar():
                await asyncio.sleep(0.01)
        assert not ending.done()
    assert (await ending)[1]
