"""When the spirit speaks, and what becomes of messages meanwhile: through one server."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.turns.checking import ends, replies
from tests.turns.conftest import END_SECONDS, House, finished

if TYPE_CHECKING:
    from tests.cluster.guests import Guest

REPLY = ("spirit", "The candle leans.")


def thinking(guest: Guest) -> list[str]:
    """The turns of all `spirit_thinking` that a guest saw."""
    return [told.said["turn_id"] for told in guest.named("spirit_thinking")]


@pytest.mark.parametrize(
    ("answers", "text", "wakes"),
    [
        ("every", "Hello.", True),
        ("mention", "Hello.", False),
        ("mention", "Are you there, @morwen?", True),
        ("mention", "MORWEN!", True),
        ("mention", "Morwenna is not her.", False),
        ("summon", "Morwen?", False),
        ("never", "Morwen?", False),
    ],
)
async def test_a_message_wakes_the_spirit_by_the_rule_of_the_session(
    house: House, answers: str, text: str, wakes: bool
) -> None:
    session_id = await house.session(answers=answers, name="Morwen")
    async with house.guest(session_id) as ada:
        await ada.say(text)
        if wakes:
            await finished(ada)
        summoned = await ada.call("summon_spirit")
        assert summoned["success"] is (answers != "never")
        if answers == "never":
            assert summoned["error"]["code"] == "SPIRIT_DISABLED"
        elif not wakes:
            await finished(ada)
        assert len(house.fake.requests) == (answers != "never") + (0 if not wakes else len(ends(ada)) - 1)


async def test_a_summoned_spirit_speaks_in_a_room_where_nobody_has_spoken(house: House) -> None:
    session_id = await house.session(answers="summon")
    async with house.guest(session_id) as ada:
        await ada.call("summon_spirit")
        assert (await finished(ada))["reason"] == "completed"
        assert house.fake.prompts() == [[]]


async def test_messages_before_the_first_delta_join_the_prompt(house: House) -> None:
    house.fake.hold_at(0)
    session_id = await house.session()
    async with house.guest(session_id) as ada, house.guest(session_id, "Bo") as bo:
        await ada.say("One?")
        await house.fake.asked(1)
        await bo.say("Two?")
        await house.fake.asked(2)
        house.fake.go()
        await finished(ada)
        assert house.fake.prompts()[-1] == [("Ada", "One?"), ("Bo", "Two?")]
        assert len(set(thinking(ada))) == 1
        assert len(thinking(ada)) == 2
        assert ends(ada) == ["completed"]
    assert house.fake.open_calls == 0


async def test_merge_answers_what_came_while_it_spoke_together_in_one_turn(house: House) -> None:
    house.fake.hold_at(1)
    session_id = await house.session(overlap="merge")
    async with house.guest(session_id) as ada, house.guest(session_id, "Bo") as bo:
        await ada.say("One?")
        await ada.wait("spirit_delta")
        await bo.say("Two?")
        await ada.say("Three?")
        house.fake.go()
        await finished(ada, 2)
        await bo.say("Four?")
        await finished(ada, 3)
        assert house.fake.prompts()[1] == [("Ada", "One?"), REPLY, ("Bo", "Two?"), ("Ada", "Three?")]
        assert [said for _, said in house.fake.prompts()[2]][-1] == "Four?"
        assert len(house.fake.requests) == 3


async def test_queue_answers_each_message_alone(house: House) -> None:
    house.fake.hold_at(1)
    session_id = await house.session(overlap="queue")
    async with house.guest(session_id) as ada, house.guest(session_id, "Bo") as bo:
        await ada.say("One?")
        await ada.wait("spirit_delta")
        await bo.say("Two?")
        await ada.say("Three?")
        house.fake.go()
        await finished(ada, 3)
        assert house.fake.prompts() == [
            [("Ada", "One?")],
            [("Ada", "One?"), REPLY, ("Bo", "Two?")],
            [("Ada", "One?"), ("Bo", "Two?"), REPLY, REPLY, ("Ada", "Three?")],
        ]
        assert replies(ada) == [REPLY[1]] * 3


async def test_queue_answers_messages_alone_that_came_before_the_first_delta(house: House) -> None:
    house.fake.hold_at(0)
    session_id = await house.session(overlap="queue")
    async with house.guest(session_id) as ada:
        await ada.say("One?")
        await house.fake.asked(1)
        await ada.say("Two?")
        house.fake.go()
        await finished(ada, 2)
        assert [prompt[-1] for prompt in house.fake.prompts()] == [("Ada", "One?"), ("Ada", "Two?")]


async def test_interrupt_ends_the_turn_and_answers_the_newer_message(house: House) -> None:
    house.fake.hold_at(1)
    session_id = await house.session(overlap="interrupt")
    async with house.guest(session_id) as ada:
        await ada.say("One?")
        await ada.wait("spirit_delta")
        await ada.say("Two?")
        assert (await finished(ada))["reason"] == "interrupted"
        house.fake.go()
        await finished(ada, 2)
        assert replies(ada) == ["The", REPLY[1]]
        assert house.fake.prompts()[1] == [("Ada", "One?"), ("spirit", "The"), ("Ada", "Two?")]


async def test_drop_ignores_what_came_while_it_was_busy(house: House) -> None:
    house.fake.hold_at(1)
    session_id = await house.session(overlap="drop")
    async with house.guest(session_id) as ada:
        await ada.say("One?")
        await ada.wait("spirit_delta")
        await ada.say("Two?")
        house.fake.go()
        await finished(ada)
        await ada.say("Three?")
        await finished(ada, 2)
        assert [prompt[-1] for prompt in house.fake.prompts()] == [("Ada", "One?"), ("Ada", "Three?")]


async def test_a_room_that_never_pauses_is_answered_all_the_same(house: House) -> None:
    """An endpoint slower than the talk would else be called anew for ever, and paid for."""
    house.fake.hold_at(0)
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        for number in range(1, 30):
            await ada.say(f"Line {number}")
            await asyncio.sleep(0.01)
        await house.fake.asked(1)
        assert len(house.fake.requests) < 10
        house.fake.go()
        await finished(ada, 2)
        assert house.fake.prompts()[-1][-1] == ("Ada", "Line 29")


@pytest.mark.parametrize("scope", ["turn", "all"])
async def test_stopping_ends_the_call_and_keeps_what_was_said(house: House, scope: str) -> None:
    house.fake.hold_at(1)
    session_id = await house.session()
    async with house.guest(session_id) as ada, house.guest(session_id, "Bo") as bo:
        await ada.say("One?")
        await ada.wait("spirit_delta")
        await ada.say("Two?")
        asked_at = time.monotonic()
        assert (await bo.call("stop_spirit", {"scope": scope}))["success"]
        end = await finished(ada)
        await house.fake.closed.wait()
        assert time.monotonic() - asked_at < 1.0
        assert end["reason"] == "stopped"
        assert end["stopped_by"] == {"user_id": "bo", "user_name": "Bo"}
        assert replies(ada)[0] == "The"
        house.fake.go()
        if scope == "turn":
            await finished(ada, 2)
            assert house.fake.prompts()[1][-1] == ("Ada", "Two?")
        await ada.say("Three?")
        await finished(ada, 3 if scope == "turn" else 2)
        assert house.fake.prompts()[-1][-1] == ("Ada", "Three?")
        assert len(house.fake.requests) == (3 if scope == "turn" else 2)


async def test_a_turn_stopped_before_a_word_leaves_no_message(house: House) -> None:
    house.fake.hold_at(0)
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("One?")
        await house.fake.asked(1)
        await ada.call("stop_spirit")
        end = await finished(ada)
        assert end["reason"] == "stopped"
        assert "message_id" not in end
        assert replies(ada) == []


async def test_a_message_that_comes_while_a_turn_ends_is_answered(house: House) -> None:
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        for number in range(10):
            house.fake.hold_at(0)
            await ada.say(f"One of {number}?")
            await house.fake.asked(len(house.fake.requests) or 1)
            await asyncio.gather(ada.call("stop_spirit"), ada.say(f"Two of {number}?"))
            house.fake.go()
            async with asyncio.timeout(END_SECONDS):
                while ("Ada", f"Two of {number}?") not in house.fake.prompts()[-1]:
                    await house.fake.asked(len(house.fake.requests) + 1)
            await finished(ada, len(set(thinking(ada))))


async def test_the_spirit_waits_for_quiet_but_not_for_ever(house: House) -> None:
    session_id = await house.session(debounce_ms=200)
    async with house.guest(session_id) as ada, house.guest(session_id, "Bo") as bo:
        began_at = time.monotonic()
        await ada.say("One?")
        while not house.fake.requests and time.monotonic() < began_at + 5:
            await bo.call("typing", {"is_typing": True})
            await asyncio.sleep(0.05)
        waited = time.monotonic() - began_at
        assert 0.9 < waited < 2.0  # five times the pause
        await finished(ada)


async def test_typing_and_messages_extend_the_pause(house: House) -> None:
    session_id = await house.session(debounce_ms=300)
    async with house.guest(session_id) as ada, house.guest(session_id, "Bo") as bo:
        await ada.say("One?")
        await asyncio.sleep(0.2)
        await bo.call("typing", {"is_typing": True})
        await asyncio.sleep(0.2)
        assert house.fake.requests == []
        await bo.say("Two?")
        await asyncio.sleep(0.2)
        assert house.fake.requests == []
        await finished(ada)
        assert house.fake.prompts() == [[("Ada", "One?"), ("Bo", "Two?")]]


async def test_a_session_that_ends_takes_its_turn_along(house: House) -> None:
    house.fake.hold_at(1)
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("One?")
        await ada.wait("spirit_delta")
        ada.told.clear()
        await house.api.call("DELETE", f"/api/sessions/{session_id}")
        async with asyncio.timeout(5):
            await house.fake.closed.wait()
        ada.told.clear()
