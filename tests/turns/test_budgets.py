"""What the spirit may cost, through a whole server: bounds, races, corrections, and what leaves them alone."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from server.core import notes, turn_account
from server.store.spendings import Sum
from tests.spirit.fake_openai import Mode
from tests.turns.checking import ends
from tests.turns.conftest import House, OpenHouse, finished

if TYPE_CHECKING:
    from tests.cluster.guests import Guest

COUNTED = 330  # what the endpoint says that an answer has cost
SHORT = {"SPIRIT_OUTPUT_TOKENS": "50"}
UNBOUND = "1000000"
PRICES = {"SPIRIT_PRICES": "gpt-4o-mini=1000/1000"}


async def sums(url: str) -> dict[str, Sum]:
    """What is written down as spent, by key."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT key, tokens, micros FROM spendings")
    finally:
        await connection.close()
    return {row["key"]: Sum(row["tokens"], row["micros"]) for row in rows}


async def settled(url: str, key: str, tokens: int) -> None:
    """Returns once the sum whose key ends so is that high."""
    async with asyncio.timeout(5):
        while {found.tokens for name, found in (await sums(url)).items() if key in name} != {tokens}:
            await asyncio.sleep(0.02)


async def spent_out(one: Guest) -> tuple[int, str]:
    """How many turns a person got before one was skipped, and why that was."""
    for count in range(10):
        await one.say(f"Question {count}?")
        end = await finished(one, count + 1)
        if end["reason"] == "skipped":
            assert "message_id" not in end
            return count, end["error"]["details"]["cause"]
    raise AssertionError("no turn was skipped")


@pytest.mark.parametrize("scope", ["session", "person", "day"])
@pytest.mark.parametrize("unit", ["tokens", "money"])
async def test_a_turn_that_would_pass_a_bound_is_skipped(
    open_house: OpenHouse, postgres_url: str, scope: str, unit: str
) -> None:
    bound = "1500" if unit == "tokens" else "1.5"
    house = await open_house(**SHORT, **PRICES, **{f"SPIRIT_{scope.upper()}_{unit.upper()}": bound})
    session_id = await house.session()
    async with house.guest(session_id) as ada, house.guest(session_id, "Bo") as bo:
        count, cause = await spent_out(ada)
        assert count >= 1
        assert cause == f"budget_{scope}_{unit}"
        await settled(postgres_url, "day/", COUNTED * count)
        assert (await sums(postgres_url))[f"session/{session_id}"] == Sum(COUNTED * count, COUNTED * count * 1_000)
        await bo.say("And I?")
        assert ((await finished(ada, count + 2))["reason"] == "completed") is (scope == "person")
    other = await house.session()
    async with house.guest(other) as ada:
        again, _ = await spent_out(ada)
        assert (again == count) is (scope == "session")


async def test_turns_that_race_never_pass_a_bound_together(open_house: OpenHouse, postgres_url: str) -> None:
    house = await open_house(2, **SHORT, SPIRIT_DAY_TOKENS="3000")
    house.fake.hold_at(0)
    rooms = [await house.session() for _ in range(20)]
    for number, session_id in enumerate(rooms):
        assert (await house.at(number % 2).say(session_id, "Now?")).status == 201
    async with asyncio.timeout(15):
        while len(house.fake.requests) + await turns_of(house, "skipped") < len(rooms):
            await asyncio.sleep(0.05)
    admitted = len(house.fake.requests)
    held = next(found.tokens for key, found in (await sums(postgres_url)).items() if key.startswith("day/"))
    assert 0 < admitted < len(rooms)
    assert admitted * 300 < held <= 3_000
    house.fake.go()
    await settled(postgres_url, "day/", COUNTED * admitted)


async def turns_of(house: House, reason: str) -> int:
    """How many turns all servers have counted that ended so."""
    name = f'seance_spirit_turns_total{{reason="{reason}"}}'
    return sum([await metric(house, name, at=at) for at, _ in enumerate(house.urls)])


async def metric(house: House, name: str, *, at: int = 0) -> int:
    async with house.http.get(f"{house.urls[at]}/metrics") as answer:
        found = re.search(rf"^{re.escape(name)} (\S+)", await answer.text(), re.MULTILINE)
    return int(float(found[1])) if found else 0


async def test_who_joined_last_pays_and_nobody_gets_money_back(open_house: OpenHouse, postgres_url: str) -> None:
    house = await open_house(SPIRIT_PERSON_TOKENS=UNBOUND)
    house.fake.hold_at(0)
    session_id = await house.session()
    async with house.guest(session_id) as ada, house.guest(session_id, "Bo") as bo:
        await ada.say("One?")
        await house.fake.asked(1)
        await bo.say("Two?")
        await house.fake.asked(2)
        house.fake.go()
        await finished(ada)
        await settled(postgres_url, "/bo", COUNTED)
        await finished(bo)
    of_ada = next(found.tokens for key, found in (await sums(postgres_url)).items() if key.endswith("/ada"))
    assert 200 < of_ada < 1_000  # the prompt of the call that was given up, and no answer


@pytest.mark.parametrize("mode", [Mode.SERVER_ERROR, Mode.UNAUTHORISED])
async def test_an_endpoint_that_is_down_uses_up_no_budget(open_house: OpenHouse, postgres_url: str, mode: Mode) -> None:
    house = await open_house(SPIRIT_DAY_TOKENS=UNBOUND)
    house.fake.mode = mode
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("Is anyone here?")
        assert (await finished(ada))["reason"] == "failed"
        await settled(postgres_url, "day/", 0)


async def test_a_turn_that_was_stopped_keeps_its_reservation(open_house: OpenHouse, postgres_url: str) -> None:
    house = await open_house(SPIRIT_DAY_TOKENS=UNBOUND)
    house.fake.hold_at(1)
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("Is anyone here?")
        await ada.wait("spirit_delta")
        held = await sums(postgres_url)
        await ada.call("stop_spirit")
        await finished(ada)
        house.fake.go()
        assert await sums(postgres_url) == held


async def test_a_call_over_midnight_is_settled_with_the_day_that_it_was_set_aside_on(
    open_house: OpenHouse, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
    for module in (turn_account, notes):
        monkeypatch.setattr(module, "now", lambda: clock)
    house = await open_house(SPIRIT_DAY_TOKENS=UNBOUND, SPIRIT_PERSON_TOKENS=UNBOUND)
    house.fake.hold_at(1)
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("Is anyone here?")
        await ada.wait("spirit_delta")
        clock += timedelta(seconds=2)
        house.fake.go()
        await finished(ada)
        await settled(postgres_url, "day/", COUNTED)
    assert {key for key in await sums(postgres_url) if not key.startswith("session/")} == {
        "day/2026-10-31",
        "person/2026-10-31/ada",
    }


async def test_the_fallback_answers_when_the_first_model_is_refused(open_house: OpenHouse) -> None:
    house = await open_house(SPIRIT_MODEL="401", SPIRIT_FALLBACK_MODEL="fast")
    house.fake.says = ()
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("Is anyone here?")
        assert (await finished(ada))["reason"] == "completed"
        assert [request["model"] for request in house.fake.requests] == ["401", "fast"]


async def test_an_endpoint_that_failed_five_times_is_left_alone(open_house: OpenHouse) -> None:
    house = await open_house()
    house.fake.mode = Mode.SERVER_ERROR
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        causes = []
        for count in range(1, 4):
            await ada.say("Is anyone here?")
            causes.append((await finished(ada, count))["error"]["details"]["cause"])
        assert causes == ["upstream_error", "upstream_error", "circuit_open"]
        assert len(house.fake.requests) == 5


async def test_turns_tokens_and_waits_are_counted(open_house: OpenHouse) -> None:
    house = await open_house(SPIRIT_OUTPUT_TOKENS="50")
    session_id = await house.session()
    async with house.guest(session_id) as ada:
        await ada.say("One?")
        await finished(ada)
        house.fake.mode = Mode.UNAUTHORISED
        await ada.say("Two?")
        await finished(ada, 2)
        assert ends(ada) == ["completed", "failed"]
    assert await turns_of(house, "completed") == 1
    assert await turns_of(house, "failed") == 1
    assert await metric(house, 'seance_spirit_tokens_total{direction="prompt"}') == 321
    assert await metric(house, 'seance_spirit_tokens_total{direction="completion"}') == 9
    assert await metric(house, "seance_spirit_first_delta_seconds_count") == 1
