"""The Node and the Python terminal chat, each run as its README line says, against a real server."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from typing import TYPE_CHECKING, Self

import aiohttp
import pytest

from tests.clients.conftest import EXAMPLES, Ran, Run, python, run_program
from tests.services.processes import ServerProcess
from tests.services.spawn import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.node import Node

Command = list["str | Path"]


@pytest.fixture(params=["node", "python"])
def chat(request: pytest.FixtureRequest, tmp_path: Path) -> Command:
    """The command that starts a chat."""
    if request.param == "python":
        return python("chat.py")
    node: Node = request.getfixturevalue("node")
    for name in ("chat.mjs", "package.json"):
        shutil.copy(EXAMPLES / "node" / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(node.modules / "node_modules")
    return [node.program, tmp_path / "chat.mjs"]


async def create(server: ServerProcess, **body: object) -> str:
    async with (
        aiohttp.ClientSession(server.url) as http_client,
        http_client.post("/api/sessions", json={"name": "From a test"} | body) as answer,
    ):
        return str((await answer.json())["data"]["id"])


async def said(server: ServerProcess, session: str) -> list[str]:
    async with (
        aiohttp.ClientSession(server.url) as http_client,
        http_client.get(f"/api/sessions/{session}/messages") as answer,
    ):
        return [f"{one['user_name']}: {one['message']}" for one in (await answer.json())["data"]]


def acked(ran: Ran) -> dict[str, object]:
    (line,) = ran.lines("ack ")
    return dict(json.loads(line.removeprefix("ack ")))


async def test_once_prints_the_ack_and_the_answer(chat: Command, server: ServerProcess, run: Run) -> None:
    session = await create(server)
    ran = await run(*chat, "--url", server.url, "--session", session, "--once", "Is anybody there?")
    assert ran.status == 0, ran.err
    assert acked(ran).keys() == {"id", "seq", "timestamp"}
    assert acked(ran)["seq"] == 1
    question, answer = await said(server, session)
    assert question in ran.lines()
    assert answer.startswith("Spirit: ")
    assert answer in ran.out


async def test_without_a_session_one_is_made(chat: Command, server: ServerProcess, run: Run) -> None:
    ran = await run(*chat, "--url", server.url, "--name", "Mina", "--once", "Hello?")
    assert ran.status == 0, ran.err
    (line,) = ran.lines("session ")
    assert re.fullmatch(r"session [0-9a-f-]{36}", line)
    assert (await said(server, line.split()[1]))[0] == "Mina: Hello?"


async def test_a_silent_room_is_told_from_a_slow_one(chat: Command, server: ServerProcess, run: Run) -> None:
    session = await create(server, spirit={"answers": "never"})
    ran = await run(*chat, "--url", server.url, "--session", session, "--once", "Hello?")
    assert ran.status == 0, ran.err
    assert "(no answer)" in ran.lines()


async def test_an_unknown_session_is_a_plain_error(chat: Command, server: ServerProcess, run: Run) -> None:
    ran = await run(*chat, "--url", server.url, "--session", "nowhere", "--once", "Hello?")
    assert ran.status == 1
    assert ran.err.splitlines()[-1] == "SESSION_NOT_FOUND: Session with id 'nowhere' not found"


async def test_typed_lines_are_sent_and_what_was_missed_in_a_restart_comes_once(chat: Command) -> None:
    async with ServerProcess(RATE_LIMITS="off", PORT=str(free_port())) as server:
        session = await create(server, spirit={"answers": "never"})
        async with Conversation([*chat, "--url", server.url, "--session", session]) as ada:
            await ada.hears("joined as Ada")
            ada.types("before")
            await ada.hears("Ada: before")
            await server.kill()
            ada.types("into the dark")
            await server.start()
            await ada.hears("Ada: into the dark")
            ran = await run_program(
                *chat, "--url", server.url, "--session", session, "--name", "Ben", "--once", "after"
            )
            assert ran.status == 0, ran.err
            await ada.hears("Ben: after")
        assert [line for line in ada.heard if ": " in line and "joined" not in line] == await said(server, session)


# python-socketio waits up to five seconds between two tries to come back, and tries polling first.
HEARS_SECONDS = 60


class Conversation:
    """A chat that runs while a test types and listens."""

    def __init__(self, command: Command) -> None:
        self.heard: list[str] = []
        self._command = command

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(10):
            assert await self._process.wait() == 0

    def types(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())

    async def hears(self, text: str) -> None:
        assert self._process.stdout is not None
        async with asyncio.timeout(HEARS_SECONDS):
            while not any(text in line for line in self.heard):
                line = await self._process.stdout.readline()
                assert line, f"ended without {text!r}: {self.heard}"
                self.heard.append(line.decode().rstrip())
