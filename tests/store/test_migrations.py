from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.errors import DatabaseUnavailable
from server.store.migrations import HEAD, config, downgrade, is_current, migrate, revision, upgrade
from server.store.tables import metadata
from tests.services import spawn

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from server.store.database import Database

PROCESSES = 4
MIGRATE = "import asyncio, sys; from server.store.migrations import migrate; asyncio.run(migrate(sys.argv[1]))"
WITHOUT_ALEMBIC = MIGRATE + "; assert 'alembic' not in sys.modules"


async def python(code: str, *arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, "-W", "error", "-c", code, *arguments)
    return await process.wait()


def differences(db: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), metadata))


async def test_up_down_and_up_again_ends_with_the_tables_of_this_release(empty_database_url: str) -> None:
    assert await revision(empty_database_url) is None
    await upgrade(empty_database_url)
    await downgrade(empty_database_url, "base")
    assert not await is_current(empty_database_url)
    await upgrade(empty_database_url)
    assert await is_current(empty_database_url)


async def test_going_down_leaves_no_table_behind(empty_database_url: str) -> None:
    await upgrade(empty_database_url)
    await downgrade(empty_database_url, "base")
    assert await table_names(empty_database_url) <= {"alembic_version"}


async def table_names(url: str) -> set[str]:
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        connection.close()
        return {name for (name,) in found}
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return {row[0] for row in rows}


async def test_the_models_are_what_the_migrations_make(database: Database) -> None:
    async with database.engine.connect() as db:
        assert await db.run_sync(differences) == []


def test_the_known_head_is_alembics() -> None:
    assert ScriptDirectory.from_config(config("sqlite:///unused.db")).get_heads() == [HEAD]


async def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    assert await asyncio.gather(*[python(MIGRATE, empty_database_url) for _ in range(PROCESSES)]) == [0] * PROCESSES
    assert await is_current(empty_database_url)


async def test_a_start_with_current_tables_does_not_import_alembic(database_url: str) -> None:
    assert await python(WITHOUT_ALEMBIC, database_url) == 0


async def test_current_tables_are_recognised_in_a_moment(database_url: str) -> None:
    began = time.perf_counter()
    await migrate(database_url)
    assert time.perf_counter() - began < 1


async def test_an_unreachable_server_is_told_as_such() -> None:
    with pytest.raises(DatabaseUnavailable):
        await migrate(f"postgresql://nobody@127.0.0.1:{spawn.free_port()}/nothing")
