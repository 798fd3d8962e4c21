"""A program that serves nobody tells a session something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.cluster.emitter import Emitter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.cluster.conftest import Cluster

TYPING: dict[str, Any] = {"user_id": "job", "user_name": "Job", "is_typing": True}


@pytest.fixture
async def emitter(cluster: Cluster) -> AsyncIterator[Emitter]:
    assert cluster.world.redis is not None
    made = Emitter(cluster.world.redis.url)
    yield made
    await made.aclose()


async def test_an_event_from_outside_reaches_the_members_on_every_process(cluster: Cluster, emitter: Emitter) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(1, session_id, "bo") as bo:
        assert await emitter.emit(session_id, "typing", TYPING) == 2
        for guest in (ada, bo):
            assert (await guest.wait("typing")).said == TYPING


async def test_no_other_session_hears_it(cluster: Cluster, emitter: Emitter) -> None:
    session_id, other_id = await cluster.session(), await cluster.session()
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(0, other_id, "eve") as eve:
        await emitter.emit(session_id, "typing", TYPING)
        await ada.wait("typing")
        await eve.say("after")
        await eve.heard("after")
        assert not eve.named("typing")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("message_received", {"message": "without a place"}),
        ("session_closed", {"reason": "ended"}),
        ("typing", {"user_id": "job"}),
        ("disconnect", {}),
    ],
)
async def test_what_is_no_event_of_ours_or_belongs_to_the_database_is_refused(
    cluster: Cluster, emitter: Emitter, event: str, said: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        await emitter.emit(await cluster.session(), event, said)
