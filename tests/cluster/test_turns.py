"""One turn of the spirit at a time, whichever process it runs on and whatever becomes of that process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.conftest import Cluster, client
from tests.faults.world import World
from tests.spirit.fake_openai import FakeOpenAI, Mode, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.cluster.guests import Guest

SPEAKS: Any = {"answers": "every"}
TAKE_OVER_SECONDS = 30.0
# As often as a turn's words are saved: what is said for longer is known to who takes over.
SAVED_SECONDS = 2.5


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[tuple[FakeOpenAI, str]]:
    fake = FakeOpenAI(pause_seconds=0.4)
    async with serving(fake) as url:
        yield fake, url


@pytest.fixture(scope="module")
async def speaking(provider: tuple[FakeOpenAI, str]) -> AsyncIterator[Cluster]:
    """Two processes with a spirit that speaks as slowly as the test wants."""
    settings = {"SPIRIT_PROVIDER": "openai", "SPIRIT_BASE_URL": provider[1], "SPIRIT_API_KEY": "none"}
    async with World(processes=2, settings=settings) as world, client() as http:
        yield Cluster(world, http)


@pytest.fixture
def fake(provider: tuple[FakeOpenAI, str]) -> FakeOpenAI:
    return provider[0]


def ends(guest: Guest) -> list[tuple[str, str]]:
    """The turns that the guest saw end, and how."""
    return [(told.said["turn_id"], told.said["reason"]) for told in guest.named("spirit_finished")]


def replies(guest: Guest) -> list[str]:
    return [told.said["message"] for told in guest.named("message_received") if told.said["is_spirit"]]


async def test_a_turn_is_stopped_from_another_process(speaking: Cluster, fake: FakeOpenAI) -> None:
    fake.mode = Mode.SLOW
    session_id = await speaking.session(spirit=SPEAKS)
    async with speaking.guest(0, session_id, "ada") as ada, speaking.guest(1, session_id, "bo") as bo:
        await ada.say("Is anyone here?")
        await bo.wait("spirit_delta")
        assert (await bo.call("stop_spirit"))["success"]
        for guest in (ada, bo):
            assert (await guest.wait("spirit_finished")).said["reason"] == "stopped"
            assert len(replies(guest)) == 1


async def test_messages_on_two_processes_at_once_wake_one_turn(speaking: Cluster, fake: FakeOpenAI) -> None:
    fake.mode = Mode.FAST
    session_id = await speaking.session(spirit=SPEAKS)
    async with speaking.guest(0, session_id, "ada") as ada, speaking.guest(1, session_id, "bo") as bo:
        await asyncio.gather(ada.say("One?"), bo.say("Two?"))
        await ada.wait("spirit_finished")
        order = [told.name for told in ada.told if told.name in {"spirit_thinking", "spirit_finished"}]
        turns = [told.said["turn_id"] for told in ada.told if told.name == "spirit_thinking"]
        assert order[0] == "spirit_thinking"
        assert len(set(turns)) <= 2
        running = 0
        for told in ada.told:
            if told.name == "spirit_finished":
                running = 0
            elif told.name == "spirit_delta":
                running = running or 1
        assert running in {0, 1}


@pytest.mark.timeout(120)
async def test_a_turn_that_spoke_ends_interrupted_once_when_its_process_is_killed(
    speaking: Cluster, fake: FakeOpenAI
) -> None:
    fake.mode = Mode.HANG_MIDSTREAM
    session_id = await speaking.session(spirit=SPEAKS)
    victim = speaking.world.servers[0]
    async with speaking.guest(1, session_id, "bo") as bo:
        async with speaking.guest(0, session_id, "ada") as ada:
            await ada.say("Is anyone here?")
            begun = await bo.wait("spirit_thinking")
            await bo.wait("spirit_delta")
            await asyncio.sleep(SAVED_SECONDS)
            await victim.kill()
        try:
            finished = await bo.wait("spirit_finished", seconds=TAKE_OVER_SECONDS)
            assert ends(bo) == [(begun.said["turn_id"], "interrupted")]
            assert finished.said["message_id"] == bo.named("message_received")[-1].said["id"]
            assert len(replies(bo)) == 1
        finally:
            await victim.start()
        async with speaking.guest(0, session_id, "ada", last_seq=0) as ada:
            await ada.wait("message_received", lambda said: said["is_spirit"])
            assert replies(ada) == replies(bo)
        assert len(ends(bo)) == 1


@pytest.mark.timeout(120)
async def test_what_a_turn_had_not_begun_to_answer_is_answered_by_another_process(
    speaking: Cluster, fake: FakeOpenAI
) -> None:
    fake.mode = Mode.HANG_BEFORE
    session_id = await speaking.session(spirit=SPEAKS)
    victim = speaking.world.servers[0]
    async with speaking.guest(1, session_id, "bo") as bo:
        async with speaking.guest(0, session_id, "ada") as ada:
            await ada.say("Is anyone here?")
            begun = await bo.wait("spirit_thinking")
            await victim.kill()
        fake.mode = Mode.FAST
        try:
            lost = begun.said["turn_id"]
            await bo.wait("spirit_finished", lambda said: said["turn_id"] != lost, seconds=TAKE_OVER_SECONDS)
            (first, why), (second, how) = ends(bo)
            assert (first, why, second != lost, how) == (lost, "interrupted", True, "completed")
            assert len(replies(bo)) == 1
        finally:
            await victim.start()


@pytest.mark.timeout(120)
async def test_a_turn_that_runs_out_of_process_on_sigterm_ends_interrupted(speaking: Cluster, fake: FakeOpenAI) -> None:
    fake.mode = Mode.HANG_MIDSTREAM
    session_id = await speaking.session(spirit=SPEAKS)
    victim = speaking.world.servers[0]
    async with speaking.guest(1, session_id, "bo") as bo:
        async with speaking.guest(0, session_id, "ada") as ada:
            await ada.say("Is anyone here?")
            await bo.wait("spirit_delta")
            assert await victim.terminate() == 0
        try:
            await bo.wait("spirit_finished")
            assert [reason for _, reason in ends(bo)] == ["interrupted"]
            assert len(replies(bo)) == 1
        finally:
            await victim.start()
