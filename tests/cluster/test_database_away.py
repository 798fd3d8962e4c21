"""Without the database nothing is acked, and everyone is told so in time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cluster.conftest import Cluster

ANSWER_SECONDS = 5.0
RETURN_SECONDS = 5.0
# Longer than two heartbeats of these servers.
FROZEN_SECONDS = 6.0
AT_ONCE = 50


async def test_a_frozen_postgresql_is_said_in_time_and_stops_no_heartbeat(cluster: Cluster) -> None:
    postgres = cluster.world.postgres
    assert postgres is not None
    session_id = await cluster.session()
    async with cluster.guest(0, session_id, "ada") as ada, cluster.guest(1, session_id, "bo") as bo:
        await ada.say("before")
        postgres.freeze()
        began = time.monotonic()
        try:
            calls = [ada.call("send_message", {"message": f"while away {n}"}) for n in range(AT_ONCE)]
            envelopes = await asyncio.gather(*calls)
            assert time.monotonic() - began < ANSWER_SECONDS
            assert {envelope["error"]["code"] for envelope in envelopes} <= {"DATABASE_UNAVAILABLE", "BUSY"}
            assert all(envelope["error"]["retryable"] for envelope in envelopes)
            status, error = await cluster.call("GET", f"/api/sessions/{session_id}", at=1)
            assert (status, error["code"]) == (503, "DATABASE_UNAVAILABLE")
            assert not await cluster.is_ready(at=0)
            await asyncio.sleep(max(0.0, FROZEN_SECONDS - (time.monotonic() - began)))
        finally:
            postgres.thaw()
        back = time.monotonic()
        assert [at for at in ada.pings if at > began]
        assert not ada.is_gone
        while not (await ada.call("send_message", {"message": "after", "client_message_id": "after"}))["success"]:
            assert time.monotonic() - back < RETURN_SECONDS
            await asyncio.sleep(0.1)
        assert time.monotonic() - back < RETURN_SECONDS
        for guest in (ada, bo):
            await guest.heard("after")
        heard = bo.named("message_received")
        assert [told.said["seq"] for told in heard] == list(range(1, len(heard) + 1))
        assert ada.texts() == bo.texts()
