from __future__ import annotations

import asyncio
import time

import pytest

from server.errors import DatabaseUnavailable
from server.store import lines
from server.store.database import Database
from server.store.drivers import CONNECT_SECONDS

BOUND_SECONDS = 5.0
ENDLESS = {
    "postgresql": "SELECT pg_sleep(30), $1::text",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
}
ECHO = {"postgresql": "SELECT $1::text", "sqlite": "SELECT ?"}


async def test_statements_asked_for_at_once_take_turns(database: Database) -> None:
    said = [str(number) for number in range(20)]
    heard = await asyncio.gather(*[database.reads.ask(ECHO[database.dialect], text) for text in said])
    assert [rows[0][0] for rows in heard] == said


async def test_a_statement_that_takes_too_long_is_ended_and_the_next_one_answered(database: Database) -> None:
    began = time.perf_counter()
    with pytest.raises(DatabaseUnavailable):
        await database.reads.ask(ENDLESS[database.dialect], "1")
    assert time.perf_counter() - began < BOUND_SECONDS
    assert [tuple(row) for row in await database.reads.ask(ECHO[database.dialect], "x")] == [("x",)]


async def test_nobody_waits_behind_a_statement_that_takes_too_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "TURN_SECONDS", 0.05)
    slow = asyncio.create_task(database.reads.ask(ENDLESS[database.dialect], "1"))
    await asyncio.sleep(0)
    with pytest.raises(DatabaseUnavailable):
        await database.reads.ask(ECHO[database.dialect], "x")
    assert not slow.done()
    with pytest.raises(DatabaseUnavailable):
        await slow


async def test_reading_does_not_wait_for_what_is_written(database: Database) -> None:
    slow = asyncio.create_task(database.writes.ask(ENDLESS[database.dialect], "1"))
    await asyncio.sleep(0)
    assert (await database.reads.ask(ECHO[database.dialect], "x"))[0][0] == "x"
    assert not slow.done()
    with pytest.raises(DatabaseUnavailable):
        await slow


async def test_a_closed_line_is_an_outage(database: Database) -> None:
    assert (await database.reads.ask(ECHO[database.dialect], "x"))[0][0] == "x"
    await database.close()
    with pytest.raises(DatabaseUnavailable):
        await database.reads.ask(ECHO[database.dialect], "x")


async def test_a_line_to_nowhere_is_an_outage() -> None:
    for url in ("postgresql://nobody@127.0.0.1:1/nothing", "sqlite:////nowhere/at/all.db"):
        database = await Database.open(url)
        with pytest.raises(DatabaseUnavailable):
            await database.writes.ask(ECHO[database.dialect], "x")
        await database.close()


MAKE = "CREATE TABLE IF NOT EXISTS heap (word text)"
ADD = {"postgresql": "INSERT INTO heap VALUES ($1::text)", "sqlite": "INSERT INTO heap VALUES (?)"}
COUNT = {
    "postgresql": "SELECT count(*) FROM heap WHERE $1::text <> ''",
    "sqlite": "SELECT count(*) FROM heap WHERE ? <> ''",
}


async def added(database: Database, *words: str) -> None:
    """Words written in one unit; "" fails it, "endless" takes too long, "cut" ends the connection."""
    async with database.seats.unit() as ask:
        for word in words:
            if not word:
                raise LookupError
            if word == "cut":
                database.seats._driver.cut()
                continue
            await ask(ENDLESS[database.dialect] if word == "endless" else ADD[database.dialect], word)


async def test_a_unit_leaves_all_or_nothing_behind(database: Database) -> None:
    async with database.writing() as db:
        await db.exec_driver_sql(MAKE)
    with pytest.raises(LookupError):
        await added(database, "lost", "")
    await added(database, "kept")
    with pytest.raises(DatabaseUnavailable):
        await added(database, "lost", "endless")
    await added(database, "kept", "too")
    assert (await database.reads.ask(COUNT[database.dialect], "x"))[0][0] == 3


async def test_what_is_left_of_a_unit_does_not_run_on_another_connection(postgres_database: Database) -> None:
    async with postgres_database.writing() as db:
        await db.exec_driver_sql(MAKE)
    with pytest.raises(DatabaseUnavailable):
        await added(postgres_database, "lost", "cut", "left")
    assert (await postgres_database.reads.ask(COUNT["postgresql"], "x"))[0][0] == 0


async def test_a_statement_that_connecting_left_no_time_for_does_not_run(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "STATEMENT_SECONDS", 0.0)
    began = time.perf_counter()
    with pytest.raises(DatabaseUnavailable):
        await postgres_database.writes.ask(ENDLESS["postgresql"], "1")
    assert time.perf_counter() - began < CONNECT_SECONDS
