from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from server.core.messages import drafted
from server.domain import (
    SPIRIT_USER_ID,
    Answers,
    CloseReason,
    Participant,
    SessionId,
    SpiritSettings,
    TurnId,
    TurnReason,
    UserId,
)
from server.moments import new_id
from server.store.sessions import SessionStore
from server.store.tables import turns
from server.store.turns import AbandonedTurn, Begun, TurnStore, Unanswered
from tests.store.making import a_draft, send, send_all, started_seats, stored_session

if TYPE_CHECKING:
    from server.store.database import Database
    from server.store.log import MessageLog
    from server.store.seats import Seats


@dataclass(frozen=True)
class Usage:
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Host:
    """A process that runs turns, and holds the lease they depend on."""

    seats: Seats
    turns: TurnStore


@pytest.fixture
async def hosts(database: Database) -> list[Host]:
    seats = [await started_seats(database) for _ in range(4)]
    return [Host(some, TurnStore(database, some._process_id)) for some in seats]


def a_turn() -> TurnId:
    return TurnId(new_id())


async def test_one_of_many_racing_turns_begins(database: Database, hosts: list[Host]) -> None:
    session = await stored_session(database)
    begun = await asyncio.gather(*[hosts[i % 4].turns.begin(session.id, a_turn()) for i in range(20)])
    assert len([turn for turn in begun if turn is not None]) == 1


async def test_the_next_turn_begins_when_the_last_has_ended(database: Database, hosts: list[Host]) -> None:
    session = await stored_session(database)
    first, second = a_turn(), a_turn()
    assert await hosts[0].turns.begin(session.id, first) == Begun(1)
    assert await hosts[1].turns.begin(session.id, second) is None
    assert await hosts[0].turns.end(first, 1, TurnReason.COMPLETED, "yes", 1, Usage(10, 2))
    assert await hosts[1].turns.begin(session.id, second) == Begun(1)


async def test_a_turn_starts_after_the_end_of_the_last_though_its_statement_waited(postgres_database: Database) -> None:
    busy, free = sorted([(await stored_session(postgres_database)).id for _ in range(2)])
    store = TurnStore(postgres_database, (await started_seats(postgres_database))._process_id)
    last, late = a_turn(), a_turn()
    assert await store.begin(free, last)
    async with postgres_database.writing() as blocker:
        row = {"id": a_turn(), "session_id": busy, "process_id": "x", "fence": 1, "until_seq": 0, "woken_by": ""}
        await blocker.execute(turns.insert().values(**row, started_at=text("now()")))
        # One statement for both, which waits at the first.
        waiting = asyncio.gather(store.begin(busy, a_turn()), store.begin(free, late))
        while not (await blocker.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted"))).first():
            await asyncio.sleep(0.01)
        async with postgres_database.writing() as other:
            end = "UPDATE turns SET reason = 'completed', ended_at = statement_timestamp() WHERE id = :id"
            await other.execute(text(end), {"id": last})
        await blocker.execute(turns.delete().where(turns.c.id == row["id"]))
    assert all(await waiting)
    async with postgres_database.reading() as db:
        (ended,) = await db.scalars(select(turns.c.ended_at).where(turns.c.id == last))
        (started,) = await db.scalars(select(turns.c.started_at).where(turns.c.id == late))
    assert ended <= started


async def test_turns_of_different_sessions_run_side_by_side(database: Database, hosts: list[Host]) -> None:
    rooms = [await stored_session(database) for _ in range(3)]
    assert all([await hosts[0].turns.begin(room.id, a_turn()) for room in rooms])


async def test_no_turn_begins_where_there_is_no_session_or_an_ended_one(database: Database, hosts: list[Host]) -> None:
    over = await stored_session(database)
    await SessionStore(database).close(over.id, CloseReason.ENDED)
    assert await hosts[0].turns.begin(over.id, a_turn()) is None
    assert await hosts[0].turns.begin(SessionId(new_id()), a_turn()) is None


async def test_a_turn_ends_once_and_keeps_what_was_counted(database: Database, hosts: list[Host]) -> None:
    session, turn = await stored_session(database), a_turn()
    await hosts[0].turns.begin(session.id, turn)
    assert await hosts[0].turns.renew(turn, 1, "ye", 1)
    assert await hosts[0].turns.end(turn, 1, TurnReason.STOPPED, "yes", 1, Usage(10, 2))
    assert not await hosts[0].turns.end(turn, 1, TurnReason.FAILED, "", 1)
    assert not await hosts[0].turns.renew(turn, 1, "no", 1)
    async with database.reading() as db:
        row = (await db.execute(select(turns).where(turns.c.id == turn))).one()
    assert (row.reason, row.text, row.prompt_tokens, row.completion_tokens) == ("stopped", "yes", 10, 2)
    assert row.ended_at >= row.started_at


async def test_a_living_process_keeps_its_turns(database: Database, hosts: list[Host]) -> None:
    session = await stored_session(database)
    await hosts[0].turns.begin(session.id, a_turn())
    assert await hosts[1].turns.abandoned(10) == []


async def test_a_dead_process_loses_each_turn_to_one_other_and_its_fence_no_longer_holds(
    database: Database, hosts: list[Host]
) -> None:
    rooms = {(await stored_session(database)).id: a_turn() for _ in range(8)}
    for session_id, turn in rooms.items():
        await hosts[0].turns.begin(session_id, turn, 7, "ada")
        await hosts[0].turns.renew(turn, 1, "so far", 8)
    await hosts[0].seats.stop()
    taken = await asyncio.gather(*[host.turns.abandoned(10) for host in hosts[1:]])
    found = [turn for some in taken for turn in some]
    assert sorted(found, key=lambda turn: turn.turn_id) == sorted(
        (AbandonedTurn(turn, session_id, 2, "so far", 8, UserId("ada")) for session_id, turn in rooms.items()),
        key=lambda turn: turn.turn_id,
    )
    stale = next(iter(rooms.values()))
    assert not await hosts[0].turns.renew(stale, 1, "still here", 1)
    assert not await hosts[0].turns.end(stale, 1, TurnReason.COMPLETED, "still here", 1)
    assert await hosts[1].turns.end(stale, 2, TurnReason.INTERRUPTED, "so far", 1)


async def test_a_turn_left_behind_keeps_the_session_busy_until_it_is_ended(
    database: Database, hosts: list[Host]
) -> None:
    session, turn = await stored_session(database), a_turn()
    await hosts[0].turns.begin(session.id, turn)
    await hosts[0].seats.stop()
    assert await hosts[1].turns.begin(session.id, a_turn()) is None
    (left,) = await hosts[1].turns.abandoned(10)
    await hosts[1].turns.end(turn, left.fence, TurnReason.INTERRUPTED, left.text, left.until_seq)
    assert await hosts[1].turns.begin(session.id, a_turn()) == Begun(1)


async def test_a_turn_runs_from_its_begin_to_its_end(database: Database, hosts: list[Host]) -> None:
    session, turn = await stored_session(database), a_turn()
    assert not await hosts[1].turns.is_running(session.id)
    await hosts[0].turns.begin(session.id, turn)
    assert await hosts[1].turns.is_running(session.id)
    await hosts[0].turns.end(turn, 1, TurnReason.STOPPED, "", 1)
    assert not await hosts[1].turns.is_running(session.id)


async def test_a_message_is_answered_by_one_turn_whoever_finds_it_and_when(
    database: Database, hosts: list[Host]
) -> None:
    session, turn = await stored_session(database), a_turn()
    assert await hosts[0].turns.begin(session.id, turn, 1, is_summoned=False)
    assert await hosts[0].turns.end(turn, 1, TurnReason.COMPLETED, "yes", 2)
    for seq, begins in ((1, False), (2, False), (3, True)):
        begun = await hosts[1].turns.begin(session.id, a_turn(), seq, is_summoned=False)
        assert (begun is not None) is begins


async def test_a_summoned_turn_begins_where_all_is_answered(database: Database, hosts: list[Host]) -> None:
    session, turn = await stored_session(database), a_turn()
    assert await hosts[0].turns.begin(session.id, turn, 1, is_summoned=False)
    assert await hosts[0].turns.end(turn, 1, TurnReason.COMPLETED, "yes", 1)
    assert await hosts[1].turns.begin(session.id, a_turn(), 1, is_summoned=True)


async def test_what_nobody_answered_is_found_but_not_the_spirits_own_words(
    database: Database, hosts: list[Host], log: MessageLog
) -> None:
    quiet, asked, running = [await stored_session(database) for _ in range(3)]
    summoned = await stored_session(database, spirit=SpiritSettings(answers=Answers.SUMMON))
    await send_all(log, [a_draft(room) for room in (quiet, asked, running, summoned)])
    turn = a_turn()
    await hosts[0].turns.begin(quiet.id, turn, 1)
    await hosts[0].turns.end(turn, 1, TurnReason.FAILED, "", 1)
    spirit = Participant(SPIRIT_USER_ID, "Spirit")
    await send(log, drafted(quiet.id, spirit, "Yes.", is_spirit=True))
    await hosts[0].turns.begin(running.id, a_turn(), 0)
    found = await hosts[1].turns.unanswered([quiet.id, asked.id, running.id, summoned.id])
    assert sorted(found, key=lambda one: one.is_running) == [
        Unanswered(asked.id, 0, is_running=False),
        Unanswered(running.id, 0, is_running=True),
    ]


async def test_a_summary_only_moves_forward(database: Database, hosts: list[Host]) -> None:
    session, store = await stored_session(database), hosts[0].turns
    assert await store.summary(session.id) == ("", 0)
    assert await store.save_summary(session.id, "a knock", 10)
    assert not await store.save_summary(session.id, "older", 9)
    assert await store.summary(session.id) == ("a knock", 10)
    assert await store.summary(SessionId(new_id())) == ("", 0)


async def test_without_the_index_two_turns_would_run(database: Database, hosts: list[Host]) -> None:
    async with database.writing() as db:
        await db.execute(text("DROP INDEX uq_turns_session_id_running"))
    session = await stored_session(database)
    begun = [await host.turns.begin(session.id, a_turn()) for host in hosts]
    assert begun == [Begun(1)] * 4
