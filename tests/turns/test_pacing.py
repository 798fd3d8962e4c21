"""Deltas: the first at once, then at most twenty-five a second, whatever the endpoint's rate."""

from __future__ import annotations

import pytest

from tests.spirit.fake_openai import Mode
from tests.turns.conftest import OpenHouse, finished

MOST_A_SECOND = 25


@pytest.mark.parametrize("mode", [Mode.FLOOD, Mode.BURST, Mode.ENDLESS])
async def test_at_most_25_deltas_leave_in_any_second(open_house: OpenHouse, mode: Mode) -> None:
    house = await open_house(SPIRIT_OUTPUT_CHARS="8000")
    house.fake.says, house.fake.mode = (), mode
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("Go on?")
        await finished(ada)
        times = [told.at for told in ada.named("spirit_delta")]
        assert times
        assert max(sum(start <= at < start + 1.0 for at in times) for start in times) <= MOST_A_SECOND + 1


async def test_the_first_delta_does_not_wait_for_the_second_word(open_house: OpenHouse) -> None:
    house = await open_house()
    house.fake.hold_at(1)
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("Go on?")
        assert (await ada.wait("spirit_delta")).said["text"] == "The"
        house.fake.go()
        await finished(ada)
