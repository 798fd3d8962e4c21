from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.domain import Participant, ProcessId, UserId
from server.errors import DatabaseUnavailable
from server.moments import new_id
from server.store.database import Database
from server.store.drivers import LOCK_WAIT_SECONDS
from server.store.log import MessageLog
from server.store.seats import Seats
from tests.services import spawn
from tests.store.making import a_draft, send, seqs, stored_session

if TYPE_CHECKING:
    from pathlib import Path

BOUND_SECONDS = 5.0


async def test_a_database_that_answers_pings(database: Database) -> None:
    assert await database.ping(1)


async def test_an_unreachable_server_is_no_ping_and_a_named_error() -> None:
    database = await Database.open(f"postgresql://nobody@127.0.0.1:{spawn.free_port()}/nothing")
    assert not await database.ping(1)
    with pytest.raises(DatabaseUnavailable):
        await stored_session(database)
    with pytest.raises(DatabaseUnavailable):
        await MessageLog(database).start()
    await database.close()


async def test_a_database_that_does_not_exist_is_an_outage(postgres_url: str) -> None:
    database = await Database.open(postgres_url + "_missing")
    assert not await database.ping(1)
    await database.close()


async def test_a_file_that_cannot_be_opened_is_a_named_error(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'missing' / 'seance.db'}")
    assert not await database.ping(1)
    with pytest.raises(DatabaseUnavailable):
        await MessageLog(database).start()
    await database.close()


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite://", "sqlite:///:memory:"])
async def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database"):
        await Database.open(url)


async def test_a_wrong_statement_is_not_taken_for_an_outage(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.reading() as db:
            await db.execute(text("SELECT nothing FROM nowhere"))
    assert await database.ping(1)


async def test_a_transaction_that_fails_leaves_nothing_behind(database: Database) -> None:
    insert = text("INSERT INTO token_uses VALUES ('jti', 1, '2026-01-01 00:00:00')")

    async def fail() -> None:
        async with database.writing() as db:
            await db.execute(insert)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.writing() as db:
        await db.execute(insert)


async def test_more_callers_than_connections_take_turns(database_url: str) -> None:
    database = await Database.open(database_url, pool_connections=2)
    await asyncio.gather(*[stored_session(database) for _ in range(40)])
    await database.close()


async def test_a_pool_whose_connections_are_all_kept_is_an_outage_within_the_bound(database_url: str) -> None:
    database = await Database.open(database_url, pool_connections=1)
    async with database.reading():
        began = time.perf_counter()
        assert not await database.ping(BOUND_SECONDS)
        assert time.perf_counter() - began < BOUND_SECONDS
    await database.close()


async def test_a_statement_that_takes_too_long_is_ended(postgres_database: Database) -> None:
    began = time.perf_counter()
    with pytest.raises(DatabaseUnavailable):
        async with postgres_database.reading() as db:
            await db.execute(text("SELECT pg_sleep(30)"))
    assert time.perf_counter() - began < BOUND_SECONDS
    assert await postgres_database.ping(1)


async def test_an_sqlite_statement_that_takes_too_long_is_ended(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    began = time.perf_counter()
    with pytest.raises(DatabaseUnavailable):
        async with database.reading() as db:
            await db.execute(text(endless))
    assert time.perf_counter() - began < BOUND_SECONDS
    assert await database.ping(1)
    await database.close()


async def test_sqlite_waits_for_the_disk_and_keeps_references(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    async with database.reading() as db:
        values = [(await db.execute(text(f"PRAGMA {name}"))).scalar() for name in ("journal_mode", "synchronous")]
        keys = (await db.execute(text("PRAGMA foreign_keys"))).scalar()
    assert (values, keys) == (["wal", 2], 1)
    await database.close()


async def test_an_sqlite_file_that_another_process_writes_is_an_outage_within_the_bound(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    session = await stored_session(database)
    log = MessageLog(database)
    await log.start()
    intruder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    began = time.perf_counter()
    assert isinstance(await send(log, a_draft(session)), DatabaseUnavailable)
    assert time.perf_counter() - began < BOUND_SECONDS
    with pytest.raises(DatabaseUnavailable):
        await stored_session(database)
    intruder.execute("ROLLBACK")
    intruder.close()
    assert seqs([await send(log, a_draft(session))]) == [1]
    await log.aclose()
    await database.close()


async def test_a_writer_that_waits_in_vain_for_another_of_its_process_says_that_sqlite_is_away(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    seats = Seats(database, ProcessId(new_id()))
    await seats.start()
    session = await stored_session(database)
    async with database.write_turn():
        began = time.perf_counter()
        asked = [seats.take(session.id, Participant(UserId(str(number)), "Ada")) for number in range(3)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [DatabaseUnavailable] * 3
        assert time.perf_counter() - began < 2 * LOCK_WAIT_SECONDS
    assert (await seats.take(session.id, Participant(UserId("1"), "Ada"))).came
    await seats.stop()
    await database.close()
