"""What every test may ask for: real services, fresh migrated databases, the server, and the JavaScript client."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import uuid
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
import uvloop
from aiohttp import web
from blockbuster import BlockBuster, blockbuster_ctx

from tests.services import chromium, postgres, processes, redis
from tests.services.js_client import JsClient
from tests.services.node import Node, ensure_node, find_node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    LoopFactory = Callable[[], asyncio.AbstractEventLoop]

MIGRATE_SECONDS = 60
SHUTDOWN_SECONDS = 2.0
# The tests' settings are the whole truth, whatever `.env` lies in the checkout.
NO_FILE = Path(os.devnull)


# Files whose tests take longest: begun first, so that no worker waits for the other at the end.
LONGEST = ("tests/faults/", "tests/turns/", "tests/cluster/", "tests/browser/")


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:  # noqa: ARG001
    """The loop that `seance serve` runs on, and for the engine also that of whoever has no other."""
    loops: dict[str, LoopFactory] = {"uvloop": uvloop.new_event_loop}
    if item.nodeid.startswith("tests/engine/"):
        loops["asyncio"] = asyncio.new_event_loop
    return loops


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


class Serve(Protocol):
    """Starts a server inside the test's process with these settings; the answer is its base URL."""

    async def __call__(self, **settings: str) -> str: ...


@pytest.fixture(autouse=True)
def blocking_calls() -> Iterator[BlockBuster]:
    """A blocking call of the server inside the event loop fails the test."""
    with blockbuster_ctx("server") as watch:
        # A log line goes out at once, and the text of an exception is made from its source files.
        watch.functions["io.BufferedWriter.write"].can_block_in("structlog/_output.py", {"msg"})
        for look in ("os.stat", "io.BufferedReader.read"):
            watch.functions[look].can_block_in("structlog/dev.py", {"__call__"})
        yield watch


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """A PostgreSQL that the whole run shares; a test that kills one starts a `Postgres` of its own."""
    with postgres.shared_server() as server:
        yield server


@pytest.fixture(scope="session")
async def postgres_template(postgres_server: postgres.PostgresServer) -> AsyncIterator[str]:
    """The name of a database with our tables and no rows."""
    name = f"template_{uuid.uuid4().hex}"
    migrate(await postgres_server.create(name))
    yield name
    await postgres_server.drop(name)


@pytest.fixture
async def postgres_url(postgres_server: postgres.PostgresServer, postgres_template: str) -> AsyncIterator[str]:
    """A fresh migrated PostgreSQL database."""
    async with fresh_database(postgres_server, template=postgres_template) as url:
        yield url


@pytest.fixture
async def empty_postgres_url(postgres_server: postgres.PostgresServer) -> AsyncIterator[str]:
    """A fresh PostgreSQL database without tables."""
    async with fresh_database(postgres_server) as url:
        yield url


@asynccontextmanager
async def fresh_database(server: postgres.PostgresServer, *, template: str = "template0") -> AsyncIterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    yield await server.create(name, template=template)
    await server.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with our tables and no rows."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh migrated SQLite file."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'seance.db')}"


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """An SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database, once of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database without tables, once of each kind."""
    return str(request.getfixturevalue(f"empty_{request.param}_url"))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis that the whole run shares; a test that kills one starts a `Redis` of its own."""
    with redis.shared_server() as url:
        yield url


@pytest.fixture(scope="session")
def node() -> Node:
    """Node and the JavaScript clients of tests/node."""
    return ensure_node()


@pytest.fixture
async def js(node: Node) -> AsyncIterator[JsClient]:
    """A Node process that opens sockets for one test."""
    async with JsClient(node) as client:
        yield client


@pytest.fixture(scope="session")
def chromium_path() -> Iterator[Path]:
    """A Chromium for playwright's `executable_path`, and a Node for playwright itself."""
    with pytest.MonkeyPatch.context() as patch:
        # The Node in playwright's wheel needs a library that a bare Debian lacks.
        patch.setenv("PLAYWRIGHT_NODEJS_PATH", str(find_node()[0]))
        yield chromium.ensure_chromium()


@pytest.fixture
async def serve(tmp_path: Path, blocking_calls: BlockBuster) -> AsyncIterator[Serve]:
    """Servers inside this process, on free ports, stopped after the test; SQLite unless a setting says otherwise."""
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> str:
            database = f"sqlite:///{tmp_path / f'{uuid.uuid4().hex}.db'}"
            return await stack.enter_async_context(served({"DATABASE_URL": database} | settings, blocking_calls))

        yield start


@asynccontextmanager
async def served(settings: dict[str, str], blocking_calls: BlockBuster) -> AsyncIterator[str]:
    """The base URL of a server that runs in this process."""
    with allowed(blocking_calls):
        runner = await started(settings)
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        with allowed(blocking_calls):
            await runner.cleanup()


@contextmanager
def allowed(blocking_calls: BlockBuster) -> Iterator[None]:
    """A server that starts or ends keeps nobody waiting: it may read files and join threads."""
    blocking_calls.deactivate()
    try:
        yield
    finally:
        blocking_calls.activate()


async def started(settings: dict[str, str]) -> web.AppRunner:
    from server.app import create_app  # noqa: PLC0415 - a fault there fails these tests, not all of them
    from server.config import Config  # noqa: PLC0415 - the same
    from server.rest.runner import Runner  # noqa: PLC0415 - the same

    app = create_app(Config.load(processes.DEFAULTS | settings, dotenv=NO_FILE))
    runner = Runner(app, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def migrate(url: str) -> None:
    """Brings a database to the newest tables with the project's own command."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "migrate"],
        cwd=processes.ROOT,
        env=processes.environment(DATABASE_URL=url),
        timeout=MIGRATE_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"seance migrate failed:\n{done.stdout}{done.stderr}")
