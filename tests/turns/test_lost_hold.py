"""Turns whose owner lost hold of them: frozen, cut off from the database, or dead at the worst moment."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import asyncpg
import pytest

from server.errors import DatabaseUnavailable
from server.store.turns import TurnStore
from tests.services.processes import ServerProcess
from tests.turns.checking import ends, replies
from tests.turns.conftest import SPEAKING, House, OpenHouse, finished

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.turns.endpoint import HeldOpenAI

TAKE_OVER_SECONDS = 30.0
OPEN = "SELECT count(*) FROM turns WHERE ended_at IS NULL"


@pytest.mark.timeout(120)
async def test_an_owner_that_stood_still_for_too_long_speaks_no_more(
    http: ClientSession, fake: HeldOpenAI, endpoint_url: str, shared_by: dict[str, str]
) -> None:
    settings = SPEAKING | shared_by | {"SPIRIT_BASE_URL": endpoint_url}
    fake.hold_at(1)
    async with ServerProcess(**settings) as owner, ServerProcess(**settings) as other:
        house = House(http, (owner.url, other.url), fake)
        session_id = await house.session()
        async with house.guest(session_id, "Bo", at=1) as bo:
            await house.at(0).say(session_id, "One?")
            await bo.wait("spirit_delta")
            owner.freeze()
            try:
                end = (await bo.wait("spirit_finished", seconds=TAKE_OVER_SECONDS)).said
            finally:
                owner.thaw()
            assert end["reason"] == "interrupted"
            assert replies(bo) == ["The"]
            fake.go()
            async with asyncio.timeout(10):
                while fake.open_calls:
                    await asyncio.sleep(0.05)
            await bo.say("Two?")
            assert (await finished(bo, 2))["reason"] == "completed"
            assert len(replies(bo)) == 2


async def test_a_turn_whose_end_could_not_be_written_does_not_silence_the_spirit_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        with monkeypatch.context() as patch:
            patch.setattr(TurnStore, "end", _unreachable)
            await ada.say("One?")
            assert (await finished(ada))["reason"] == "completed"
        async with asyncio.timeout(10):
            while len(ends(ada)) < 2:
                await ada.say("Two?")
                await asyncio.sleep(0.3)
        turns = [told.said["turn_id"] for told in ada.named("spirit_finished")]
        assert len(turns) == len(set(turns))
        await ada.call("stop_spirit", {"scope": "all"})
        await asyncio.sleep(0.5)


async def _unreachable(*_: object) -> bool:
    raise DatabaseUnavailable


async def test_an_owner_that_died_between_its_message_and_its_end_does_not_speak_twice(
    open_house: OpenHouse, postgres_url: str
) -> None:
    house = await open_house()
    session_id = await house.session(overlap="drop")
    turn_id, message_id = str(uuid.uuid4()), str(uuid.uuid4())
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(
            "INSERT INTO turns (id, session_id, process_id, fence, until_seq, woken_by, started_at)"
            " VALUES ($1, $2, 'dead', 1, 0, 'ada', now())",
            turn_id,
            session_id,
        )
        await connection.execute(
            "INSERT INTO messages (id, session_id, seq, user_id, user_name, text, timestamp, is_spirit,"
            " client_message_id) VALUES ($1, $2, 1, 'spirit', 'Spirit', 'Yes.', now(), true, $3)",
            message_id,
            session_id,
            turn_id,
        )
        await connection.execute("UPDATE sessions SET last_seq = 1 WHERE id = $1", session_id)
        async with house.guest(session_id) as ada:
            end = await finished(ada)
            assert (end["reason"], end["message_id"]) == ("interrupted", message_id)
            async with asyncio.timeout(5):
                while await connection.fetchval(OPEN):
                    await asyncio.sleep(0.02)
            assert await house.api.texts(session_id) == ["Yes."]
            assert house.fake.requests == []
            ada.told.clear()  # the message came before this connection
    finally:
        await connection.close()
