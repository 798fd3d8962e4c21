"""Who is there, the same on every process."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.guests import RefusedError, connect

if TYPE_CHECKING:
    from tests.cluster.conftest import Cluster
    from tests.cluster.guests import Guest

CRASH_SECONDS = 30.0
RACERS = 100
SEATS = 6
# Longer than a sweep: what would be told twice would have been told by then.
SECOND_TELLING_SECONDS = 3.0


async def test_everyone_is_known_on_every_process(cluster: Cluster) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(1, session_id, "bo") as bo:
        assert [user["user_id"] for user in bo.joined["users"]] == ["ada", "bo"]
        await ada.wait("user_joined", lambda said: said["user_id"] == "bo")
        for place in range(len(cluster.urls)):
            assert await cluster.users(session_id, at=place) == ["ada", "bo"]
        await bo.disconnect()
        await ada.wait("user_left", lambda said: said["user_id"] == "bo", seconds=1.5)
        for place in range(len(cluster.urls)):
            assert await cluster.users(session_id, at=place) == ["ada"]


async def test_two_tabs_on_two_processes_are_one_person(cluster: Cluster) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "eve") as eve:
        async with cluster.guest(1, session_id, "ada") as one, cluster.guest(2, session_id, "ada") as two:
            assert await cluster.users(session_id, at=3) == ["ada", "eve"]
            await one.disconnect()
            await two.say("still here")
            await eve.heard("still here")
            assert not eve.named("user_left")
            await two.disconnect()
            await eve.wait("user_left")
        assert [told.said["user_id"] for told in eve.named("user_joined")] == ["ada"]
        assert [told.said["user_id"] for told in eve.named("user_left")] == ["ada"]


async def test_a_tab_on_another_process_renames_the_first(cluster: Cluster) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "eve") as eve, cluster.guest(1, session_id, "ada") as one:
        async with cluster.guest(2, session_id, "ada", user_name="Lady Ada"):
            async with asyncio.timeout(5):
                while not any(told.said["user_name"] == "Lady Ada" for told in eve.named("message_received")):
                    await one.say("Who am I?")  # until the news has come
        await one.disconnect()
        assert (await eve.wait("user_left")).said["user_name"] == "Lady Ada"


async def test_a_hundred_who_race_on_four_processes_get_six_seats(cluster: Cluster) -> None:
    session_id = await cluster.session(max_users=SEATS)

    async def race(number: int) -> Guest | str:
        url = cluster.urls[number % len(cluster.urls)]
        try:
            return await connect(cluster.http, url, session_id=session_id, user_id=f"racer {number}")
        except RefusedError as error:
            return str(error.code)

    outcomes = await asyncio.gather(*(race(number) for number in range(RACERS)))
    seated = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    try:
        assert len(seated) == SEATS
        assert {outcome for outcome in outcomes if isinstance(outcome, str)} == {"SESSION_FULL"}
        assert len(await cluster.users(session_id, at=1)) == SEATS
    finally:
        for guest in seated:
            await guest.disconnect()


@pytest.mark.timeout(180)
async def test_the_seat_of_a_killed_process_is_free_in_time_and_told_once(cluster: Cluster) -> None:
    session_id = await cluster.session(max_users=3)
    victim = cluster.world.servers[1]
    async with cluster.guest(0, session_id, "eve") as eve, cluster.guest(2, session_id, "bo") as bo:
        async with cluster.guest(1, session_id, "ada"):
            killed = time.monotonic()
            await victim.kill()
        try:
            with pytest.raises(RefusedError):
                await connect(cluster.http, cluster.urls[3], session_id=session_id, user_id="late")
            told = await eve.wait("user_left", seconds=CRASH_SECONDS)
            assert told.at - killed < CRASH_SECONDS
            late = await connect(cluster.http, cluster.urls[3], session_id=session_id, user_id="late")
            await late.disconnect()
        finally:
            await victim.start()
        await bo.wait("user_left", lambda said: said["user_id"] == "late")
        await asyncio.sleep(SECOND_TELLING_SECONDS)
        for guest in (eve, bo):
            assert [told.said["user_id"] for told in guest.named("user_left")] == ["ada", "late"]


async def test_a_drop_and_a_return_on_another_process_are_silent(cluster: Cluster) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "eve") as eve:
        async with cluster.guest(1, session_id, "ada") as ada:
            ada.socket._response.connection.transport.abort()  # type: ignore[union-attr]
            await ada.gone()
        async with cluster.guest(2, session_id, "ada") as ada:
            await asyncio.sleep(SECOND_TELLING_SECONDS)
            await ada.say("back")
            await eve.heard("back")
            assert len(eve.named("user_joined")) == 1
            assert not eve.named("user_left")
            assert await cluster.users(session_id, at=3) == ["ada", "eve"]
