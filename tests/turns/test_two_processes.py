"""One turn that several processes share: its people, its joiners and its stop may be anywhere."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.turns.checking import ends, replies
from tests.turns.conftest import House, finished

REPLY = ("spirit", "The candle leans.")


async def test_messages_on_both_processes_join_one_prompt(two: House) -> None:
    two.fake.hold_at(0)
    session_id = await two.session()
    async with two.guest(session_id) as ada, two.guest(session_id, "Bo", at=1) as bo:
        await ada.say("One?")
        await two.fake.asked(1)
        await bo.say("Two?")
        await two.fake.asked(2)
        two.fake.go()
        await finished(ada)
        await finished(bo)
        assert two.fake.prompts()[-1] == [("Ada", "One?"), ("Bo", "Two?")]
        assert ends(ada) == ends(bo) == ["completed"]


@pytest.mark.parametrize(
    ("overlap", "turns", "last"),
    [("merge", 2, "Three?"), ("queue", 3, "Three?"), ("interrupt", 2, "Two?"), ("drop", 1, "One?")],
)
async def test_overlap_is_the_same_for_those_on_another_process(
    two: House, overlap: str, turns: int, last: str
) -> None:
    two.fake.hold_at(1)
    session_id = await two.session(overlap=overlap)
    async with two.guest(session_id) as ada, two.guest(session_id, "Bo", at=1) as bo:
        await ada.say("One?")
        await bo.wait("spirit_delta")
        await bo.say("Two?")
        if overlap == "interrupt":
            assert (await finished(bo))["reason"] == "interrupted"
        else:
            await bo.say("Three?")
        two.fake.go()
        await finished(bo, turns)
        await finished(ada, turns)
        assert two.fake.prompts()[-1][-1][1] == last
        assert len(ends(ada)) == turns


@pytest.mark.parametrize("scope", ["turn", "all"])
async def test_a_turn_is_stopped_from_the_other_process(two: House, scope: str) -> None:
    two.fake.hold_at(1)
    session_id = await two.session()
    async with two.guest(session_id) as ada, two.guest(session_id, "Bo", at=1) as bo:
        await ada.say("One?")
        await bo.wait("spirit_delta")
        await bo.say("Two?")
        await bo.call("stop_spirit", {"scope": scope})
        end = await finished(ada)
        assert (end["reason"], end["stopped_by"]["user_name"]) == ("stopped", "Bo")
        two.fake.go()
        if scope == "turn":
            await finished(bo, 2)
        await bo.say("Three?")
        await finished(bo, 3 if scope == "turn" else 2)
        await finished(ada, 3 if scope == "turn" else 2)


async def test_a_turn_is_stopped_that_runs_where_nobody_is_left(two: House) -> None:
    two.fake.hold_at(1)
    session_id = await two.session()
    async with two.guest(session_id, "Bo", at=1) as bo:
        await two.at(0).say(session_id, "One?")
        await bo.wait("spirit_delta")
        asked_at = time.monotonic()
        await bo.call("stop_spirit")
        assert (await finished(bo))["reason"] == "stopped"
        assert time.monotonic() - asked_at < 1.0
        two.fake.go()


async def test_a_message_joins_a_turn_that_runs_where_nobody_is(two: House) -> None:
    two.fake.hold_at(0)
    session_id = await two.session()
    async with two.guest(session_id, "Bo", at=1) as bo:
        await two.at(0).say(session_id, "One?")
        await two.fake.asked(1)
        await bo.say("Two?")
        await two.fake.asked(2)
        two.fake.go()
        await finished(bo)
        assert two.fake.prompts()[-1] == [("Ada", "One?"), ("Bo", "Two?")]
        assert ends(bo) == ["completed"]


@pytest.mark.parametrize(("speaker", "joiner"), [(0, 0), (0, 1)])
async def test_a_joiner_is_told_what_was_said_and_hears_the_rest(two: House, speaker: int, joiner: int) -> None:
    two.fake.hold_at(2)
    session_id = await two.session()
    async with two.guest(session_id, at=speaker) as ada:
        await ada.say("One?")
        await ada.wait("spirit_delta", lambda said: said["index"] == 1)
        async with two.guest(session_id, "Bo", at=joiner) as bo:
            turn = bo.joined["turn"]
            assert turn == {"turn_id": turn["turn_id"], "index": 2, "text": "The candle"}
            two.fake.go()
            await finished(ada)
            await finished(bo)
            rest = [told.said for told in bo.named("spirit_delta")]
            assert [said["index"] for said in rest] == list(range(2, 2 + len(rest)))
            assert turn["text"] + "".join(said["text"] for said in rest) == replies(bo)[0] == replies(ada)[0]


@pytest.mark.parametrize("joiner", [0, 1])
async def test_a_joiner_is_told_of_a_turn_that_nobody_heard_begin(two: House, joiner: int) -> None:
    """A back end posted by REST: the turn runs in a process that nobody is connected to."""
    two.fake.hold_at(2)
    session_id = await two.session()
    await two.at(0).say(session_id, "One?")
    await two.fake.asked(1)
    await asyncio.sleep(0.3)
    async with two.guest(session_id, "Bo", at=joiner) as bo:
        assert bo.joined["turn"]["text"] == "The candle"
        two.fake.go()
        await finished(bo)
        assert [told.said["index"] for told in bo.named("spirit_delta")] == [2]


async def test_typing_on_the_other_process_extends_the_pause(two: House) -> None:
    session_id = await two.session(debounce_ms=400)
    async with two.guest(session_id) as ada, two.guest(session_id, "Bo", at=1) as bo:
        began_at = time.monotonic()
        await ada.say("One?")
        await bo.wait("spirit_thinking")
        for _ in range(4):
            await asyncio.sleep(0.2)
            await bo.call("typing", {"is_typing": True})
        await finished(ada)
        await finished(bo)
        assert ada.named("spirit_delta")[0].at - began_at > 1.1


async def test_people_who_talk_over_each_other_on_both_processes_are_all_answered(two: House) -> None:
    session_id = await two.session()
    async with two.guest(session_id) as ada, two.guest(session_id, "Bo", at=1) as bo:
        for number in range(10):
            await asyncio.gather(ada.say(f"Ada {number}?"), bo.say(f"Bo {number}?"))
        texts = {f"{who} {number}?" for who in ("Ada", "Bo") for number in range(10)}

        def all_answered(_: object) -> bool:
            last = two.fake.prompts()[-1]
            return {said for _, said in last} >= texts

        await ada.wait("spirit_finished", all_answered)
        await asyncio.sleep(0.3)
        assert all_answered(None)
        assert len(ends(ada)) == len(replies(ada))
