"""The store on both databases; its tables come from the migrations themselves, no command line between."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from server.store.database import Database
from server.store.history import History
from server.store.log import MessageLog
from server.store.migrations import migrate
from server.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from blockbuster import BlockBuster

    from tests.services import postgres


CONNECTING = {"_parse_connect_dsn_and_args"}


@pytest.fixture(autouse=True)
def connecting_may_look_at_files(blocking_calls: BlockBuster) -> None:
    # asyncpg looks for ~/.pgpass and ~/.postgresql once a connection: some microseconds.
    for call in ("os.stat", "os.path.abspath"):
        blocking_calls.functions[call].can_block_in("asyncpg/connect_utils.py", CONNECTING)


@pytest.fixture(scope="session")
async def postgres_template(postgres_server: postgres.PostgresServer) -> AsyncIterator[str]:
    name = f"template_{uuid.uuid4().hex}"
    await migrate(await postgres_server.create(name))
    yield name
    await postgres_server.drop(name)


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    await migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
async def log(database: Database) -> AsyncIterator[MessageLog]:
    started = MessageLog(database)
    await started.start()
    yield started
    await started.aclose()


@pytest.fixture
def sessions(database: Database) -> SessionStore:
    return SessionStore(database)


@pytest.fixture
def history(database: Database) -> History:
    return History(database)
