"""`seance loadtest` as its users run it, against the real server."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from server.auth import Tokens
from server.domain import Role
from tests.loadtest import lying
from tests.rest.serving import CLOSED, QUIET, SECRET
from tests.services import processes
from tests.services.spawn import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Serve

SMALL = ("--rooms", "3", "--people", "4", "--seconds", "0.5", "--warmup", "0.1")


async def loadtest(*arguments: str) -> tuple[int, str, str]:
    """The command's exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "loadtest", *arguments),
        cwd=processes.ROOT,
        env=processes.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.parametrize("how", [(), ("--rate", "100"), ("--in-flight", "3"), ("--connect-only",)], ids=str)
async def test_our_server_passes(how: tuple[str, ...], serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    status, out, err = await loadtest(await serve(**QUIET), *SMALL, *how, "--json", str(file))
    assert (status, err) == (0, ""), out
    found = json.loads(file.read_text())
    assert found["passed"]
    assert found["connections"] == 12
    assert found["errors"] == {}
    if "--connect-only" not in how:
        assert found["messages"] > 0
        assert found["delivery_ms"]["p50"] <= found["delivery_ms"]["p99"]


async def test_the_cost_of_a_server_on_this_machine_is_told(tmp_path: Path) -> None:
    async with processes.ServerProcess(**QUIET) as server:
        file = tmp_path / "found.json"
        _, out, _ = await loadtest(server.url, *SMALL, "--pid", str(server.pid), "--json", str(file))
    costs = json.loads(file.read_text())["server"]
    assert costs["cpu_us_per_message"] > costs["cpu_us_per_delivery"] > 0
    assert "cpu us per message" in out


async def test_long_messages_and_a_spirit_that_answers_are_no_fault(serve: Serve) -> None:
    url = await serve(RATE_LIMITS="off", SPIRIT_PROVIDER="ouija")
    status, out, _ = await loadtest(url, *SMALL, "--spirit", "--text-chars", "8000")
    assert status == 0, out


async def test_a_lying_server_makes_the_command_fail() -> None:
    runner, url = await lying.serve_app(lying.LyingServer("double").app())
    try:
        status, out, _ = await loadtest(url, *SMALL)
    finally:
        await runner.cleanup()
    assert status == 1
    assert "doubled" in out


async def test_a_service_token_opens_a_closed_server(serve: Serve) -> None:
    url = await serve(**QUIET | CLOSED)
    token, _ = Tokens(SECRET).issue(Role.SERVICE, lifetime_seconds=60)
    status, out, err = await loadtest(url, *SMALL, "--token", token)
    assert (status, err) == (0, "")
    assert token not in out


async def refused(*arguments: str) -> str:
    """The one line that says why there was no test."""
    status, out, err = await loadtest(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    return err


async def test_a_closed_server_is_told_apart(serve: Serve) -> None:
    url = await serve(**QUIET | CLOSED)
    assert "it asks for tokens" in await refused(url)
    assert "refuses this --token" in await refused(url, "--token", "x")


@pytest.mark.parametrize("how", [("--in-flight", "30", "--rooms", "1"), ("--rooms", "60", "--people", "6")], ids=str)
async def test_rate_limits_in_the_way_are_told(how: tuple[str, ...], serve: Serve) -> None:
    assert "RATE_LIMITS=off" in await refused(await serve(SPIRIT_PROVIDER="none"), *how)


async def test_slow_connects_and_messages_stay_within_the_limits(serve: Serve) -> None:
    url = await serve(SPIRIT_PROVIDER="none")
    status, out, _ = await loadtest(url, *SMALL, "--connect-rate", "50", "--rate", "10", "--warmup", "1")
    assert status == 0, out


async def test_a_wrong_address_nobody_there_and_somebody_else_there_are_told_apart() -> None:
    assert "is no address" in await refused("localhost:8000")
    assert "nobody answers" in await refused(f"http://127.0.0.1:{free_port()}")
    runner, url = await lying.serve_app(web.Application())
    try:
        assert "is no Séance server" in await refused(url)
    finally:
        await runner.cleanup()
