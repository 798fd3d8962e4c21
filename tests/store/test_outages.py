"""The store while its PostgreSQL is frozen, killed and started again."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from server.domain import Message
from server.errors import DatabaseUnavailable
from server.store.database import Database
from server.store.history import History
from server.store.migrations import migrate
from server.store.sessions import SessionStore
from tests.services.postgres import Postgres
from tests.store.making import a_draft, send, stored_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from server.domain import Session
    from server.store.log import MessageLog
    from server.store.outcomes import Outcome

BOUND_SECONDS = 5.0


@pytest.fixture
def private() -> Iterator[Postgres]:
    with Postgres(durable=True) as server:
        yield server


@pytest.fixture
async def database(private: Postgres) -> AsyncIterator[Database]:
    await migrate(private.url)
    opened = await Database.open(private.url)
    yield opened
    await opened.close()


async def timed(log: MessageLog, session: Session) -> tuple[Outcome, float]:
    began = time.perf_counter()
    outcome = await send(log, a_draft(session))
    return outcome, time.perf_counter() - began


async def send_for(seconds: float, log: MessageLog, session: Session) -> list[tuple[Outcome, float]]:
    """The outcome of a message every 50 ms, and how long each took."""
    async with asyncio.TaskGroup() as sending:
        tasks = []
        for _ in range(int(seconds / 0.05)):
            tasks.append(sending.create_task(timed(log, session)))
            await asyncio.sleep(0.05)
    return [task.result() for task in tasks]


async def until_appended(log: MessageLog, session: Session) -> float:
    began = time.perf_counter()
    while not isinstance(await send(log, a_draft(session)), Message):
        await asyncio.sleep(0.05)
    return time.perf_counter() - began


async def test_a_frozen_server_is_told_within_the_bound_and_appends_resume_after_it(
    private: Postgres, database: Database, log: MessageLog
) -> None:
    session = await stored_session(database)
    await send(log, a_draft(session))
    private.freeze()
    try:
        answers = await send_for(8, log, session)
    finally:
        private.thaw()
    assert {type(outcome) for outcome, _ in answers} == {DatabaseUnavailable}
    assert max(seconds for _, seconds in answers) < BOUND_SECONDS
    assert await until_appended(log, session) < BOUND_SECONDS
    await no_hole(database, session)


async def test_a_server_that_crashes_loses_no_acked_message(
    private: Postgres, database: Database, log: MessageLog
) -> None:
    session = await stored_session(database)
    acked: set[int] = set()
    for _ in range(3):
        sending = asyncio.create_task(send_for(1, log, session))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(private.kill)
        await asyncio.to_thread(private.start)
        outcomes = await sending
        acked |= {outcome.seq for outcome, _ in outcomes if isinstance(outcome, Message)}
        assert await until_appended(log, session) < BOUND_SECONDS
    stored = await no_hole(database, session)
    assert acked <= stored


async def no_hole(database: Database, session: Session) -> set[int]:
    places = [message.seq for message in await History(database).after(session.id, 0, 10_000)]
    assert places == list(range(1, len(places) + 1))
    return set(places)


async def test_the_pool_too_tells_of_a_frozen_server_within_the_bound_and_recovers(
    private: Postgres, database: Database
) -> None:
    session = await stored_session(database)
    private.freeze()
    try:
        began = time.perf_counter()
        with pytest.raises(DatabaseUnavailable):
            await History(database).after(session.id, 0, 1)
        answers = await asyncio.gather(*[stored_session(database) for _ in range(40)], return_exceptions=True)
        assert {type(answer) for answer in answers} == {DatabaseUnavailable}
        assert time.perf_counter() - began < 2 * BOUND_SECONDS
        assert not await database.ping(0.5)
    finally:
        private.thaw()
    assert await database.ping(BOUND_SECONDS)


async def test_the_pool_survives_a_restart_of_the_server(private: Postgres, database: Database) -> None:
    pages = [(await stored_session(database)).id for _ in range(20)]
    await asyncio.gather(*[History(database).after(session_id, 0, 1) for session_id in pages])
    await asyncio.to_thread(private.restart_immediate)
    await asyncio.gather(*[History(database).after(session_id, 0, 1) for session_id in pages])


async def test_a_line_tells_of_a_frozen_server_within_the_bound_and_recovers(
    private: Postgres, database: Database
) -> None:
    sessions = SessionStore(database)
    session = await stored_session(database)
    assert await sessions.get(session.id) == session
    private.freeze()
    try:
        began = time.perf_counter()
        answers = await asyncio.gather(*[sessions.get(session.id) for _ in range(40)], return_exceptions=True)
        assert {type(answer) for answer in answers} == {DatabaseUnavailable}
        assert time.perf_counter() - began < BOUND_SECONDS
    finally:
        private.thaw()
    assert await sessions.get(session.id) == session


async def test_a_line_survives_a_restart_of_the_server(private: Postgres, database: Database) -> None:
    sessions = SessionStore(database)
    before = await stored_session(database)
    assert await sessions.get(before.id) == before
    await asyncio.to_thread(private.restart_immediate)
    assert await sessions.get(before.id) == before
    after = await stored_session(database)
    assert await sessions.get(after.id) == after
