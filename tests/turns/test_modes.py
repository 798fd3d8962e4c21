"""Whatever the endpoint does: one visible end, what was said is kept, nothing stays stuck, the next turn works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.spirit.fake_openai import Mode
from tests.turns.checking import ends, replies
from tests.turns.conftest import House, OpenHouse, finished

if TYPE_CHECKING:
    from tests.cluster.guests import Guest

IMPATIENT = {
    "SPIRIT_FIRST_TOKEN_SECONDS": "0.6",
    "SPIRIT_BETWEEN_TOKENS_SECONDS": "0.4",
    "SPIRIT_TURN_SECONDS": "5",
    "SPIRIT_OUTPUT_CHARS": "8000",
}
WHOLE = "The candle leans towards you, and someone knocks twice."
BEGUN = "The candle leans"
ENDS = {
    Mode.FAST: ("completed", None, WHOLE),
    Mode.SLOW: ("completed", None, WHOLE),
    Mode.LETTERS: ("completed", None, WHOLE),
    Mode.NO_USAGE: ("completed", None, WHOLE),
    Mode.ENDLESS: ("completed", None, None),
    Mode.FLOOD: ("completed", None, None),
    Mode.BURST: ("completed", None, None),
    Mode.RATE_LIMITED: ("failed", "rate_limited", ""),
    Mode.SERVER_ERROR: ("failed", "upstream_error", ""),
    Mode.ERROR_EVENT: ("failed", "upstream_error", ""),
    Mode.UNAUTHORISED: ("failed", "rejected", ""),
    Mode.GARBAGE: ("failed", "garbage", ""),
    Mode.HTML: ("failed", "garbage", ""),
    Mode.EMPTY: ("failed", "empty", ""),
    Mode.HANG_BEFORE: ("failed", "timeout_first_token", ""),
    Mode.HANG_AFTER_HEADERS: ("failed", "timeout_first_token", ""),
    Mode.HANG_MIDSTREAM: ("failed", "timeout_between_tokens", BEGUN),
    Mode.CUT: ("failed", "cut", BEGUN),
    Mode.SHORT: ("failed", "cut", BEGUN),
}


def test_every_mode_of_the_endpoint_has_an_end() -> None:
    assert set(ENDS) == set(Mode)


@pytest.mark.parametrize("mode", Mode)
async def test_a_turn_has_one_end_and_the_next_message_works(open_house: OpenHouse, mode: Mode) -> None:
    house = await open_house(**IMPATIENT)
    reason, cause, text = ENDS[mode]
    house.fake.says = ()
    house.fake.mode = mode
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("Is anyone here?")
        end = await finished(ada)
        assert end["reason"] == reason
        if cause is not None:
            assert end["error"]["code"] == "SPIRIT_FAILED"
            assert end["error"]["details"] == {"cause": cause}
        assert ("error" in end) is (cause is not None)
        said = replies(ada)
        if text is None:
            assert len(said[0]) > 7_900
        else:
            assert said == ([text] if text else [])
        house.fake.mode = Mode.FAST
        await ada.say("And now?")
        assert (await finished(ada, 2))["reason"] == "completed"
        assert ends(ada) == [reason, "completed"]
        assert await house.api.texts(session_id) == ada.texts()


def turns(guest: Guest) -> list[str]:
    """The turns that a guest saw begin."""
    return [told.said["turn_id"] for told in guest.named("spirit_thinking")]


@pytest.mark.parametrize("mode", [Mode.HANG_BEFORE, Mode.HANG_MIDSTREAM, Mode.ENDLESS])
async def test_messages_are_answered_while_the_endpoint_hangs_or_never_ends(house: House, mode: Mode) -> None:
    house.fake.mode = mode
    session_id = await house.session(overlap="drop")
    async with house.guest(session_id) as ada:
        await ada.say("Is anyone here?")
        await house.fake.asked(1)
        acks = [await ada.say(f"Line {number}") for number in range(20)]
        assert [ack["seq"] for ack in acks] == sorted(ack["seq"] for ack in acks)
        await ada.call("stop_spirit")
        # On a slow machine an endless answer is full before the last line, which then wakes a turn of its own.
        await ada.wait("spirit_finished", lambda _: len(ends(ada)) >= len({*turns(ada)}))
    await house.fake.closed.wait()
    assert house.fake.open_calls == 0
