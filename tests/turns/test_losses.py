"""What gets lost on the way: news of an end or of its text, an answer to a question, a process before its turn."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from server import app
from server.cluster.emitter import Emitter
from server.cluster.redis_backplane import RedisBackplane
from server.errors import DatabaseUnavailable
from server.realtime.turn_questions import ASK, TurnQuestions
from server.store.turns import TurnStore
from tests.turns.checking import ends, replies
from tests.turns.conftest import House, OpenHouse, finished

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SWEEP_SECONDS = 0.2
NEVER_SECONDS = 3_600.0
DEAD = "dead"


@pytest.fixture
async def database(shared_by: dict[str, str]) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(shared_by["DATABASE_URL"])
    yield connection
    await connection.close()


@pytest.fixture
async def emitter(shared_by: dict[str, str]) -> AsyncIterator[Emitter]:
    """Tells the rooms what a process told them that is dead now."""
    made = Emitter(shared_by["REDIS_URL"], shared_by["REDIS_PREFIX"])
    yield made
    await made.aclose()


@pytest.fixture
def sweeps(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets how often the servers that are started next look for what was lost."""
    return lambda seconds: monkeypatch.setattr(app, "TAKE_OVER_SECONDS", seconds)


@pytest.fixture
async def swept(sweeps: Callable[[float], None], open_house: OpenHouse) -> House:
    """Two servers that look often."""
    sweeps(SWEEP_SECONDS)
    return await open_house(2)


async def left_behind(database: asyncpg.Connection[Any], session_id: str, text: str, **more: Any) -> None:
    """A message as a process leaves it that dies right after the commit."""
    seq = await database.fetchval(
        "UPDATE sessions SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq", session_id
    )
    row = {"user_id": "zoe", "user_name": "Zoe", "is_spirit": False, "client_message_id": None, "age": 0.0} | more
    await database.execute(
        "INSERT INTO messages (id, session_id, seq, user_id, user_name, text, timestamp, is_spirit, client_message_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, now() - make_interval(secs => $7), $8, $9)",
        *(str(uuid.uuid4()), session_id, seq, row["user_id"], row["user_name"], text),
        *(row["age"], row["is_spirit"], row["client_message_id"]),
    )


async def left_turn(database: asyncpg.Connection[Any], session_id: str, until_seq: int) -> str:
    """The id of a turn whose process died."""
    turn_id = str(uuid.uuid4())
    await database.execute(
        "INSERT INTO turns (id, session_id, process_id, fence, until_seq, woken_by, started_at)"
        " VALUES ($1, $2, $3, 1, $4, 'zoe', now())",
        *(turn_id, session_id, DEAD, until_seq),
    )
    return turn_id


async def lost_turn(database: asyncpg.Connection[Any], emitter: Emitter, session_id: str) -> dict[str, str]:
    """A message and the turn that began to think about it, as the room was told, and whose process died then."""
    await left_behind(database, session_id, "One?")
    turn = {"turn_id": await left_turn(database, session_id, 1)}
    await emitter.emit(session_id, "spirit_thinking", turn)
    return turn


async def a_sweep_later(house: House, database: asyncpg.Connection[Any]) -> None:
    """Returns when every server has looked for unanswered messages: each has found the one that is put there."""
    for at, _ in enumerate(house.urls):
        session_id = await house.session()
        async with house.guest(session_id, at=at) as one:
            await left_behind(database, session_id, "Canary?")
            await finished(one)


async def test_a_message_whose_process_died_before_its_turn_is_answered_once(
    swept: House, database: asyncpg.Connection[Any]
) -> None:
    session_id = await swept.session()
    async with swept.guest(session_id) as ada, swept.guest(session_id, "Bo", at=1) as bo:
        await left_behind(database, session_id, "Is anybody there?")
        await finished(ada)
        await finished(bo)
        await a_sweep_later(swept, database)
        assert ends(ada) == ends(bo) == ["completed"]
        assert len(replies(ada)) == 1
        assert swept.fake.prompts()[0] == [("Zoe", "Is anybody there?")]


async def test_whoever_comes_first_after_all_processes_died_gets_the_answer(
    swept: House, database: asyncpg.Connection[Any]
) -> None:
    session_id = await swept.session()
    await left_behind(database, session_id, "Is anybody there?")
    async with swept.guest(session_id) as ada:
        await finished(ada)
        assert ends(ada) == ["completed"]


async def test_a_message_behind_a_turn_whose_process_died_at_its_end_is_answered(
    swept: House, database: asyncpg.Connection[Any]
) -> None:
    session_id = await swept.session()
    async with swept.guest(session_id) as ada:
        await ada.say("One?")
        await finished(ada)
        await a_sweep_later(swept, database)  # whoever ran the turn has looked behind it
        await left_behind(database, session_id, "Two?")
        await left_behind(database, session_id, "Yes.", user_id="spirit", user_name="Spirit", is_spirit=True)
        await finished(ada, 2)
        assert swept.fake.prompts()[-1][-1] == ("Zoe", "Two?")
        ada.told = [told for told in ada.told if told.said.get("message") != "Yes."]  # no turn of ours said it


async def test_a_turn_that_could_not_begin_begins_when_the_database_is_back(
    swept: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await swept.session()
    tries = 0

    async def away(*_: object, **__: object) -> None:
        nonlocal tries
        tries += 1
        raise DatabaseUnavailable

    async with swept.guest(session_id) as ada:
        with monkeypatch.context() as patch:
            patch.setattr(TurnStore, "begin", away)
            await ada.say("One?")
            async with asyncio.timeout(10):
                while tries < 2:  # at once, and by a sweep
                    await asyncio.sleep(0.02)
        await finished(ada)
        assert ends(ada) == ["completed"]


async def test_a_turn_whose_scene_could_not_be_read_at_once_is_not_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await house.session()
    summary, tries = TurnStore.summary, 0

    async def away_twice(self: TurnStore, room: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise DatabaseUnavailable
        return await summary(self, room)

    monkeypatch.setattr(TurnStore, "summary", away_twice)
    async with house.guest(session_id) as ada:
        await ada.say("One?")
        assert (await finished(ada))["reason"] == "completed"


@pytest.mark.parametrize("rule", ["mention", "summon", "never", "every"])
async def test_what_is_not_for_the_spirit_or_long_past_is_left_alone(
    swept: House, database: asyncpg.Connection[Any], rule: str
) -> None:
    session_id = await swept.session(answers=rule, name="Morwen")
    async with swept.guest(session_id) as ada:
        await left_behind(database, session_id, "Nobody?", age=400.0 if rule == "every" else 0.0)
        await a_sweep_later(swept, database)
        assert ends(ada) == []
        if rule == "mention":
            await left_behind(database, session_id, "And you, Morwen?")
            await finished(ada)


async def test_what_was_dropped_while_the_spirit_spoke_stays_dropped(
    swept: House, database: asyncpg.Connection[Any]
) -> None:
    swept.fake.hold_at(1)
    session_id = await swept.session(overlap="drop")
    async with swept.guest(session_id) as ada:
        await ada.say("One?")
        await ada.wait("spirit_delta")
        await ada.say("Two?")
        swept.fake.go()
        await finished(ada)
        await a_sweep_later(swept, database)
        assert ends(ada) == ["completed"]


async def test_what_was_stopped_with_all_behind_it_stays_unanswered(
    swept: House, database: asyncpg.Connection[Any]
) -> None:
    swept.fake.hold_at(1)
    session_id = await swept.session()
    async with swept.guest(session_id) as ada:
        await ada.say("One?")
        await ada.wait("spirit_delta")
        await ada.say("Two?")
        await ada.call("stop_spirit", {"scope": "all"})
        await finished(ada)
        swept.fake.go()
        await a_sweep_later(swept, database)
        assert ends(ada) == ["stopped"]


def lose(monkeypatch: pytest.MonkeyPatch, *marks: bytes) -> None:
    """Lets news with all of these marks get lost between processes."""
    publish = RedisBackplane.publish

    def lossy(self: RedisBackplane, session_id: Any, news: bytes) -> None:
        if not all(mark in news for mark in marks):
            publish(self, session_id, news)

    monkeypatch.setattr(RedisBackplane, "publish", lossy)


async def test_an_end_whose_news_was_lost_is_told_by_a_sweep(swept: House, monkeypatch: pytest.MonkeyPatch) -> None:
    session_id = await swept.session()
    async with swept.guest(session_id) as ada, swept.guest(session_id, "Bo", at=1) as bo:
        with monkeypatch.context() as patch:
            lose(patch, b"spirit_finished")
            await ada.say("One?")
            await finished(ada)
            end = await finished(bo)
        assert (end["reason"], end["message_id"]) == ("completed", ada.named("spirit_finished")[0].said["message_id"])
        await ada.say("Two?")
        await finished(bo, 2)
        assert ends(ada) == ends(bo) == ["completed"] * 2


async def test_the_text_comes_before_the_end_also_where_news_of_it_was_lost(
    two: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await two.session()
    async with two.guest(session_id) as ada, two.guest(session_id, "Bo", at=1) as bo:
        lose(monkeypatch, b"message_received", b'"is_spirit":true')
        await ada.say("One?")
        await finished(bo)
        order = [told.name for told in bo.told if told.name in {"message_received", "spirit_finished"}]
        assert order == ["message_received", "message_received", "spirit_finished"]


async def test_words_that_only_a_busy_process_heard_are_kept_by_who_takes_over(
    sweeps: Callable[[float], None],
    open_house: OpenHouse,
    database: asyncpg.Connection[Any],
    emitter: Emitter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweeps(NEVER_SECONDS)
    busy = await open_house(2)
    session_id = await busy.session(overlap="drop")
    answer, asked = TurnQuestions.hear, 0

    def late(self: TurnQuestions, room: Any, name: str, *more: Any) -> bool:
        nonlocal asked
        asked += name == ASK
        return True if name == ASK and asked < 3 else answer(self, room, name, *more)

    monkeypatch.setattr(TurnQuestions, "hear", late)
    async with busy.guest(session_id, "Bo", at=1) as bo:
        turn = await lost_turn(database, emitter, session_id)
        await emitter.emit(session_id, "spirit_delta", turn | {"index": 0, "text": "The candle"})
        await bo.wait("spirit_delta")
        sweeps(SWEEP_SECONDS)
        await open_house(2)  # it is one of these that takes over
        assert (await finished(bo))["reason"] == "interrupted"
        assert replies(bo) == ["The candle"]
        assert busy.fake.requests == []


async def test_a_turn_that_had_said_nothing_is_interrupted_and_its_message_answered_in_another(
    sweeps: Callable[[float], None],
    open_house: OpenHouse,
    database: asyncpg.Connection[Any],
    emitter: Emitter,
) -> None:
    sweeps(NEVER_SECONDS)
    house = await open_house(2)
    session_id = await house.session()
    async with house.guest(session_id, "Bo", at=1) as bo:
        turn = await lost_turn(database, emitter, session_id)
        await bo.wait("spirit_thinking")
        sweeps(SWEEP_SECONDS)
        await open_house(2)
        await finished(bo, 2)
        first, second = [told.said for told in bo.named("spirit_finished")]
        assert (first["turn_id"], first["reason"]) == (turn["turn_id"], "interrupted")
        assert (second["turn_id"] != turn["turn_id"], second["reason"]) == (True, "completed")
        assert len(replies(bo)) == 1
        assert house.fake.prompts() == [[("Zoe", "One?")]]


async def test_a_turn_that_was_told_to_be_over_does_not_begin_again(
    sweeps: Callable[[float], None],
    open_house: OpenHouse,
    database: asyncpg.Connection[Any],
    emitter: Emitter,
) -> None:
    """Its process died between telling the end and writing it down, and nothing had been said."""
    sweeps(NEVER_SECONDS)
    house = await open_house(2)
    session_id = await house.session(overlap="drop")
    async with house.guest(session_id, "Bo", at=1) as bo:
        turn = await lost_turn(database, emitter, session_id)
        await emitter.emit(session_id, "spirit_finished", turn | {"reason": "stopped"})
        await finished(bo)
        sweeps(SWEEP_SECONDS)
        await open_house(2)
        async with asyncio.timeout(10):
            while await database.fetchval("SELECT count(*) FROM turns WHERE ended_at IS NULL"):
                await asyncio.sleep(0.05)
        await bo.say("Two?")
        await finished(bo, 2)
        assert ends(bo) == ["stopped", "completed"]
        assert len(house.fake.requests) == 1
