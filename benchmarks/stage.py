"""The server of this checkout on a private database, on a CPU of its own."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import TYPE_CHECKING

import psutil

from tests.services.postgres import Postgres
from tests.services.processes import ServerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SETTINGS = {"RATE_LIMITS": "off", "SPIRIT_PROVIDER": "none", "LOG_LEVEL": "warning"}
# Room for growth without a checkpoint in every measurement.
POSTGRES = {"shared_buffers": "512MB", "max_wal_size": "8GB"}


@contextmanager
def prepared() -> Iterator[None]:
    """The server will get the first CPU, everything else the others; as many files may be open as we are allowed."""
    cpus = sorted(os.sched_getaffinity(0))
    soft, hard = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, cpus[1:] or cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)
        setrlimit(RLIMIT_NOFILE, (soft, hard))


@contextmanager
def database(kind: str, *, durable: bool = True) -> Iterator[tuple[str, int | None]]:
    """The URL of an empty database, `postgres` or `sqlite`, and the process id of its server.

    A PostgreSQL that is not durable waits for no disk: for measuring nothing but CPU.
    """
    with ExitStack() as stack:
        if kind == "sqlite":
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="seance-bench-"))
            yield f"sqlite:///{Path(home) / 'bench.db'}", None
        else:
            postgres = stack.enter_context(Postgres(durable=durable, settings=POSTGRES))
            yield postgres.url, postgres.pid


@asynccontextmanager
async def serving(database_url: str, **settings: str) -> AsyncIterator[ServerProcess]:
    """A ready server, alone on the first CPU."""
    async with ServerProcess(**SETTINGS, DATABASE_URL=database_url, **settings) as server:
        first = min(set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0), default=0)
        for thread in psutil.Process(server.pid).threads():
            os.sched_setaffinity(thread.id, {first})
        yield server
