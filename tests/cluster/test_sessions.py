"""What one process does to a session, the others know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cluster.conftest import Cluster

CLOSE_SECONDS = 5.0
COPIES = 40


async def test_a_change_is_told_and_shown_on_every_process(cluster: Cluster) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(1, session_id, "bo") as bo:
        status, _ = await cluster.call("PATCH", f"/api/sessions/{session_id}", at=2, json={"name": "changed"})
        assert status == 200
        for guest in (ada, bo):
            assert (await guest.wait("session_updated")).said["name"] == "changed"
        for place in range(len(cluster.urls)):
            _, session = await cluster.call("GET", f"/api/sessions/{session_id}", at=place)
            assert session["name"] == "changed"


async def test_an_end_is_told_on_every_process_and_closes_every_connection(cluster: Cluster) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(1, session_id, "bo") as bo:
        status, _ = await cluster.call("DELETE", f"/api/sessions/{session_id}", at=2)
        assert status == 200
        for guest in (ada, bo):
            assert (await guest.wait("session_closed")).said == {"reason": "ended"}
            await guest.gone(seconds=CLOSE_SECONDS)
        said = {"message": "too late", "user_name": "Ada"}
        status, error = await cluster.call("POST", f"/api/sessions/{session_id}/messages", at=3, json=said)
        assert (status, error["code"]) == (410, "SESSION_CLOSED")


@pytest.mark.timeout(60)
async def test_an_end_is_told_on_every_process_even_without_redis(cluster: Cluster) -> None:
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "ada"), cluster.guest(1, session_id, "bo") as bo:
        way = cluster.world.redis_ways[1]
        way.mute()
        try:
            await cluster.call("DELETE", f"/api/sessions/{session_id}", at=0)
            await bo.wait("session_closed", seconds=CLOSE_SECONDS)
            await bo.gone(seconds=CLOSE_SECONDS)
        finally:
            way.clear()


async def test_one_message_sent_to_all_processes_at_once_is_one_message(cluster: Cluster) -> None:
    session_id = await cluster.session()
    path = f"/api/sessions/{session_id}/messages"
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(1, session_id, "eve") as eve:
        for number in range(COPIES):
            said = {"message": f"m{number}", "user_name": "ada", "user_id": "ada", "client_message_id": f"id {number}"}
            posts = [cluster.call("POST", path, at=place, json=said) for place in range(len(cluster.urls))]
            sent = ada.say(f"m{number}", client_message_id=f"id {number}")
            answers: list[Any] = await asyncio.gather(sent, *posts)
            first = answers[0]
            assert [answer["seq"] for _, answer in answers[1:]] == [first["seq"]] * len(posts)
            assert {answer["id"] for _, answer in answers[1:]} == {first["id"]}
        for guest in (ada, eve):
            await guest.heard(f"m{COPIES - 1}")
            assert guest.texts() == [f"m{number}" for number in range(COPIES)]
