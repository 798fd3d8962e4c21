"""The server as a process: what it logs, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from server.auth import Tokens
from server.domain import Role, SessionId
from tests.realtime.joining import POLLING, UPGRADE, WEBSOCKET, acked, connected, faulted, heard, refused, said, seated
from tests.realtime.raw_client import raw_door, raw_guest
from tests.rest.api import Api
from tests.services.processes import START_SECONDS, ServerProcess, environment

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import ClientSession

    from tests.services.js_client import JsClient

SECRET = "the-secret-that-must-not-be-logged-0123"
SPOKEN = "these words are nobody's business"
GOING_SECONDS = 10.0
ENDLESS = """
import asyncio, sys, time
from server import serving
from server.app import create_app
from server.config import Config
from server.logs import configure_logs

async def hang(_):
    {hangs}

serving.GONE_SECONDS = 1.0
configure_logs("info", "json")
config = Config.load({{"DATABASE_URL": "{url}", "PORT": "0", "DRAIN_SECONDS": "0"}})
app = create_app(config)
app.on_shutdown.append(hang)
sys.exit(asyncio.run(serving.serve_until_stopped(config, app)))
"""


async def exchange(js: JsClient, api: Api, tokens: Tokens) -> list[str]:
    """Everything a session may hold, good and bad; returns what must not be found in the log."""
    service, _ = tokens.issue(Role.SERVICE, lifetime_seconds=60)
    backend = api.bearing(service)
    made = (await backend.post("/api/sessions", {"name": "Tuesday", "spirit": {"persona": SPOKEN}})).data
    session_id = made["id"]
    await backend.get(f"/api/sessions/{session_id}")
    await backend.get("/api/sessions/missing")
    token, _ = tokens.issue(Role.MEMBER, lifetime_seconds=60, session_id=SessionId(session_id), user_name="Ada")
    await api.bearing(token).say(session_id, SPOKEN)
    await api.bearing(f"{token}x").say(session_id, SPOKEN)
    await api.bearing(token).post(f"/api/sessions/{session_id}/messages", {"message": SPOKEN, "colour": SPOKEN})
    ada = await seated(js, api, session_id, "Ada", token=token, user_id=tokens.verify(token).user_id)
    await said(ada, SPOKEN)
    await ada.wait("spirit_finished", seconds=10)
    await faulted(ada, "send_message", {"message": SPOKEN, "colour": SPOKEN})
    await faulted(ada, SPOKEN, SPOKEN)
    await refused(js, api, {"session_id": session_id, "token": f"{token}x", "user_name": SPOKEN[:20]})
    async with raw_door(api, session_id) as raw:
        await raw.send({"token": token, "last_seq": 0})
        await raw.say("send_message", {"message": SPOKEN})
        await raw.send(SPOKEN)
        await raw.until("error")
    await ada.drop()
    await ada.wait("disconnect")
    await ada.wait("connect")
    await backend.call("DELETE", f"/api/sessions/{session_id}")
    return [
        SECRET,
        SPOKEN,
        SPOKEN[:20],
        service,
        token,
        made["host_token"],
        service.rpartition(".")[2],
        token.rpartition(".")[2],
    ]


@pytest.mark.parametrize("style", ["json", "console"])
async def test_a_whole_evening_leaves_no_word_and_no_secret_in_the_log(
    js: JsClient, http: ClientSession, style: str
) -> None:
    async with ServerProcess(JWT_SECRET=SECRET, AUTH_REQUIRED="on", LOG_LEVEL="debug", LOG_FORMAT=style) as server:
        hidden = await exchange(js, Api(http, server.url), Tokens(SECRET))
        assert await server.terminate() == 0
        text = server.log_text
        logs: list[dict[str, Any]] = server.logs
    for secret in hidden:
        assert secret not in text
    assert "Traceback" not in text
    for event in ("application.startup", "session.created", "session.retrieved", "session.not_found"):
        assert event in text
    if style == "json":
        assert len(logs) == len(text.splitlines())
        assert all({"event", "level", "timestamp"} <= entry.keys() for entry in logs)
        assert {entry["level"] for entry in logs if entry["event"] == "session.not_found"} == {"warning"}


async def test_sigterm_says_goodbye_on_every_transport_and_ends_with_zero(js: JsClient, http: ClientSession) -> None:
    async with ServerProcess(SPIRIT_PROVIDER="none", DRAIN_SECONDS="1") as server:
        api = Api(http, server.url)
        session_id = await api.session()
        people = [
            await seated(js, api, session_id, f"P{number}", transports=how)
            for number, how in enumerate((WEBSOCKET, POLLING, UPGRADE))
        ]
        idle = await connected(js, api)
        async with raw_guest(api, session_id, "Ada") as ada, raw_door(api, session_id) as unnamed:
            sending = [person.call("send_message", {"message": str(number)}) for number, person in enumerate(people)]
            acks = asyncio.gather(*sending)
            began = time.monotonic()
            ending = asyncio.create_task(server.terminate(seconds=GOING_SECONDS))
            told = (await ada.until("server_draining"))["data"]
            assert 0 < told["retry_after"] <= 10
            assert await ada.closed() == 1012
            assert await unnamed.closed() == 1012
            assert all(ack["success"] for ack in await acks)
            for person in people:
                await person.wait("server_draining")
                await person.wait("disconnect")
            await idle.wait("disconnect")
            assert await ending == 0
        assert time.monotonic() - began < GOING_SECONDS


async def test_sigterm_cuts_the_spirit_short_and_keeps_what_it_said(js: JsClient, http: ClientSession) -> None:
    async with ServerProcess() as server:
        api = Api(http, server.url)
        session_id = await api.session()
        ada = await seated(js, api, session_id)
        await said(ada, "Tell me a long story about the lighthouse")
        await ada.wait("spirit_delta")
        assert await server.terminate() == 0
        assert (await ada.wait("spirit_finished")).args[0]["reason"] == "interrupted"


async def test_more_signals_than_one_change_nothing(http: ClientSession) -> None:
    """A supervisor and its process group may both get one; the last ones come when the loop is closed already."""
    async with ServerProcess(SPIRIT_PROVIDER="none", DRAIN_SECONDS="0.2") as server:
        await Api(http, server.url).session()

        async def insist() -> None:
            while True:
                await asyncio.sleep(0.002)
                os.kill(server.pid, signal.SIGTERM)

        insisting = asyncio.create_task(insist())
        try:
            assert await server.terminate(seconds=GOING_SECONDS) == 0
        finally:
            insisting.cancel()
        assert "Exception" not in server.log_text


@pytest.mark.parametrize("hangs", ["await asyncio.Event().wait()", "time.sleep(60)", "raise RuntimeError"])
async def test_a_process_that_cannot_close_is_gone_all_the_same(hangs: str, tmp_path: Path) -> None:
    code = ENDLESS.format(hangs=hangs, url=f"sqlite:///{tmp_path / 'seance.db'}")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=tmp_path, env=environment(), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(START_SECONDS):
        while b"application.listening" not in await process.stderr.readline():
            pass
    process.terminate()
    async with asyncio.timeout(GOING_SECONDS):
        _, log = await process.communicate()
    assert process.returncode == 0
    assert (b"application.not_closed" if "raise" in hangs else b"application.cut_short") in log


async def test_what_was_acked_is_there_after_a_kill(js: JsClient, http: ClientSession, database_url: str) -> None:
    settings = {"SPIRIT_PROVIDER": "none", "RATE_LIMITS": "off", "DATABASE_URL": database_url}
    async with ServerProcess(**settings) as server:
        api = Api(http, server.url)
        session_id = await api.session()
        ada = await seated(js, api, session_id)
        for number in range(20):
            await said(ada, str(number))
        await server.kill()
    async with ServerProcess(**settings, PORT=str(server.port)) as again:
        assert await Api(http, again.url).texts(session_id) == [str(number) for number in range(20)]
        await ada.wait("disconnect")
        while not (await ada.wait("connect", seconds=15)).args[0]["connected"]:
            pass
        assert await said(ada, "and on") == 21
        await heard(ada, "and on")


async def test_an_id_of_ten_kilobytes_is_not_found(http: ClientSession) -> None:
    async with ServerProcess(SPIRIT_PROVIDER="none") as server:
        refused_id = await Api(http, server.url).get(f"/api/sessions/{'x' * 10_000}")
        assert (refused_id.status, refused_id.code) == (404, "SESSION_NOT_FOUND")


async def test_leaving_is_acked_by_every_transport(js: JsClient, http: ClientSession) -> None:
    async with ServerProcess(SPIRIT_PROVIDER="none") as server:
        api = Api(http, server.url)
        session_id = await api.session()
        for how in (WEBSOCKET, POLLING, UPGRADE):
            person = await seated(js, api, session_id, transports=how)
            await acked(person, "leave_session")
        assert await api.names(session_id) == set()
