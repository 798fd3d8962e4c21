"""What only several processes, or a PostgreSQL in trouble, can do to the message log."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from server.domain import Message
from server.errors import DatabaseUnavailable, InternalError, ValidationFailed
from server.store import log_postgres
from server.store.log import MessageLog
from server.store.log_postgres import PostgresWriter
from tests.store.making import a_draft, send, send_all, seqs, stored_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from server.domain import Session
    from server.protocol.wire import Draft
    from server.store.database import Database
    from server.store.outcomes import Outcome

BOUND_SECONDS = 5.0
NUL = "\0"


@pytest.fixture
async def logs(postgres_database: Database) -> AsyncIterator[list[MessageLog]]:
    """Two logs, as two processes have them."""
    made = [MessageLog(postgres_database) for _ in range(2)]
    for log in made:
        await log.start()
    yield made
    for log in made:
        await log.aclose()


@pytest.fixture
async def intruder(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection by which a test is the other process, one step at a time."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def send_while_another_stores(
    log: MessageLog, intruder: asyncpg.Connection, drafts: list[Draft]
) -> list[Outcome]:
    """A batch whose statement began before, and got the lock after, another process stored its message "k"."""
    session_id = drafts[0].session_id
    async with intruder.transaction():
        await intruder.execute("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", session_id)
        answers = [send(log, draft) for draft in drafts]
        while not await intruder.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        await intruder.execute(
            "INSERT INTO messages VALUES ('by-hand', $1, 1, 'ada', 'Ada', 'first', now(), false, 'k')", session_id
        )
        await intruder.execute("UPDATE sessions SET last_seq = 1 WHERE id = $1", session_id)
    return await asyncio.gather(*answers)


async def test_a_message_that_another_process_stores_meanwhile_is_found(
    logs: list[MessageLog], intruder: asyncpg.Connection, postgres_database: Database
) -> None:
    session = await stored_session(postgres_database)
    drafts = [a_draft(session, "mine"), a_draft(session, "again", key="k")]
    mine, again = await send_while_another_stores(logs[0], intruder, drafts)
    assert seqs([mine, again]) == [2, 1]
    assert isinstance(again, Message)
    assert again.text == "first"


async def test_a_lone_message_that_another_process_stores_meanwhile_is_found(
    logs: list[MessageLog], intruder: asyncpg.Connection, postgres_database: Database
) -> None:
    session = await stored_session(postgres_database)
    (again,) = await send_while_another_stores(logs[0], intruder, [a_draft(session, "again", key="k")])
    assert isinstance(again, Message)
    assert (again.seq, again.text) == (1, "first")
    assert seqs([await send(logs[0], a_draft(session, "next"))]) == [2]


async def test_a_lone_message_needs_only_the_simple_statement(
    logs: list[MessageLog], postgres_database: Database
) -> None:
    session = await stored_session(postgres_database)
    logs[0]._writer._append = None  # type: ignore[attr-defined]
    outcomes = [await send(logs[0], a_draft(session, key=key)) for key in (None, "k", None)]
    assert seqs(outcomes) == [1, 2, 3]
    assert isinstance(await send(logs[0], a_draft(session, key="k")), InternalError)


async def test_what_is_prepared_waits_outside_of_a_transaction(
    logs: list[MessageLog], intruder: asyncpg.Connection
) -> None:
    assert logs
    states = await intruder.fetch("SELECT state FROM pg_stat_activity WHERE application_name = 'seance'")
    assert {row["state"] for row in states} == {"idle"}


async def test_without_the_second_try_under_locks_it_would_be_an_error(
    logs: list[MessageLog], intruder: asyncpg.Connection, postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def give_up(*_: object) -> None:
        raise LookupError

    async def nothing(*_: object) -> None:
        """Store no message alone."""

    monkeypatch.setattr(PostgresWriter, "_append_locked", give_up)
    monkeypatch.setattr(PostgresWriter, "_stored_alone", nothing)
    session = await stored_session(postgres_database)
    (again,) = await send_while_another_stores(logs[0], intruder, [a_draft(session, "again", key="k")])
    assert isinstance(again, InternalError)


async def test_one_message_sent_twenty_times_to_two_processes_is_one_row(
    logs: list[MessageLog], postgres_database: Database
) -> None:
    session = await stored_session(postgres_database)
    told: list[Message] = []
    for log in logs:
        log.on_commit = told.extend
    for round_ in range(1, 11):

        async def one(place: int, key: str) -> Outcome:
            return await send(logs[place % 2], a_draft(session, str(place), key=key))

        outcomes = await asyncio.gather(*[one(place, f"key {round_}") for place in range(20)])
        assert seqs(outcomes) == [round_] * 20
        assert len({outcome.id for outcome in outcomes if isinstance(outcome, Message)}) == 1
    assert [message.seq for message in told] == list(range(1, 11))


@pytest.fixture
def second_tries(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Batches that had to be done again under locks: without message ids that means deadlocks only."""
    tried: list[object] = []
    locked = PostgresWriter._append_locked

    async def count(writer: PostgresWriter, *batch: Any) -> list[int]:
        tried.append(batch)
        return await locked(writer, *batch)

    monkeypatch.setattr(PostgresWriter, "_append_locked", count)
    return tried


async def send_crosswise(logs: list[MessageLog], rooms: list[Session]) -> None:
    outcomes = await asyncio.gather(
        send_all(logs[0], [a_draft(room) for room in rooms]),
        send_all(logs[1], [a_draft(room) for room in reversed(rooms)]),
    )
    assert all(isinstance(outcome, Message) for some in outcomes for outcome in some)


async def test_batches_over_the_same_sessions_in_opposite_order_do_not_deadlock(
    logs: list[MessageLog], postgres_database: Database, second_tries: list[object]
) -> None:
    rooms = [await stored_session(postgres_database) for _ in range(50)]
    for _ in range(30):
        await send_crosswise(logs, rooms)
    assert second_tries == []


async def test_without_one_order_of_locks_they_would_and_still_lose_nothing(
    logs: list[MessageLog],
    postgres_database: Database,
    second_tries: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backwards = log_postgres._APPEND.replace("ORDER BY s.id FOR", "ORDER BY s.id DESC FOR")
    monkeypatch.setattr(log_postgres, "_APPEND", backwards)
    other = MessageLog(postgres_database)
    await other.start()
    rooms = [await stored_session(postgres_database) for _ in range(50)]
    for _ in range(200):
        await send_crosswise([logs[0], other], rooms)
        if second_tries:
            break
    await other.aclose()
    assert second_tries


async def test_a_nul_that_slipped_in_fails_alone(logs: list[MessageLog], postgres_database: Database) -> None:
    session = await stored_session(postgres_database)
    outcomes = await send_all(logs[0], [a_draft(session, NUL if i == 7 else "text") for i in range(20)])
    assert isinstance(outcomes[7], ValidationFailed)
    assert seqs(outcomes[:7] + outcomes[8:]) == list(range(1, 20))


async def test_commits_wait_for_the_disk_whatever_the_database_says(
    postgres_url: str, intruder: asyncpg.Connection
) -> None:
    name = await intruder.fetchval("SELECT current_database()")
    await intruder.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    writer = PostgresWriter(postgres_url)
    await writer.open()
    assert writer._connection is not None
    assert await writer._connection.fetchval("SHOW synchronous_commit") == "on"
    await writer.aclose()


@pytest.mark.parametrize(("statement", "looks"), [(log_postgres._APPEND, 2), (log_postgres._APPEND_ONE, 1)])
async def test_the_plan_made_on_empty_tables_finds_every_row_by_its_key(
    statement: str, looks: int, postgres_url: str
) -> None:
    connection = await asyncpg.connect(postgres_url, server_settings=log_postgres._SETTINGS)
    await connection.execute(f"PREPARE append (json) AS {statement}")
    plan = "\n".join(row[0] for row in await connection.fetch("EXPLAIN EXECUTE append ('[]')"))
    await connection.close()
    assert "Seq Scan" not in plan
    assert plan.count("pk_sessions") == looks
    assert plan.count("ix_sessions") == 0
    assert plan.count("uq_messages_session_id_user_id_client_message_id") == 1


async def test_a_lost_connection_is_replaced_and_only_what_was_under_way_is_told(
    logs: list[MessageLog], postgres_database: Database, intruder: asyncpg.Connection
) -> None:
    session = await stored_session(postgres_database)
    doubted: list[set[str]] = []
    logs[0].on_doubt = doubted.append  # type: ignore[assignment]
    async with intruder.transaction():
        await intruder.execute("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", session.id)
        under_way = send(logs[0], a_draft(session))
        while not (waiting := await intruder.fetchval("SELECT pid FROM pg_locks WHERE NOT granted")):
            await asyncio.sleep(0.01)
        behind = send(logs[0], a_draft(session))
        await intruder.execute("SELECT pg_terminate_backend($1)", waiting)
        assert isinstance(await under_way, DatabaseUnavailable)
    assert seqs([await behind]) == [1]
    assert doubted == [{session.id}]


async def test_a_row_lock_that_another_process_keeps_is_not_waited_for_longer_than_the_bound(
    logs: list[MessageLog], postgres_database: Database, intruder: asyncpg.Connection
) -> None:
    held, free = await stored_session(postgres_database), await stored_session(postgres_database)
    async with intruder.transaction():
        await intruder.execute("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", held.id)
        began = time.perf_counter()
        assert isinstance(await send(logs[0], a_draft(held)), DatabaseUnavailable)
        assert time.perf_counter() - began < BOUND_SECONDS
        assert seqs([await send(logs[0], a_draft(free))]) == [1]
    assert seqs([await send(logs[0], a_draft(held))]) == [1]
