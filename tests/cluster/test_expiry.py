"""Sessions that nobody uses end by themselves, once, on every process; and at last they are gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.cluster.conftest import Cluster, client
from tests.faults.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

IDLE_SECONDS = 4
RETENTION_SECONDS = 5
JOB_SECONDS = 90.0


@pytest.fixture(scope="module")
async def short_lived() -> AsyncIterator[Cluster]:
    """Two processes that end what is idle and remove what is old."""
    settings = {"SESSION_IDLE_TTL": str(IDLE_SECONDS), "SESSION_RETENTION": str(RETENTION_SECONDS), "LOG_LEVEL": "info"}
    async with World(processes=2, settings=settings) as world, client() as http:
        yield Cluster(world, http)


@pytest.mark.timeout(240)
async def test_an_idle_session_expires_once_and_is_removed_later(short_lived: Cluster) -> None:
    session_id = await short_lived.session()
    async with short_lived.guest(0, session_id, "ada") as ada, short_lived.guest(1, session_id, "bo") as bo:
        for guest in (ada, bo):
            assert (await guest.wait("session_closed", seconds=JOB_SECONDS)).said == {"reason": "expired"}
            await guest.gone()
            assert len(guest.named("session_closed")) == 1
    said = {"message": "too late", "user_name": "Ada"}
    path = f"/api/sessions/{session_id}"
    async with asyncio.timeout(JOB_SECONDS):
        status, error = await short_lived.call("POST", f"{path}/messages", at=1, json=said)
        assert (status, error["code"]) in {(410, "SESSION_CLOSED"), (404, "SESSION_NOT_FOUND")}
        while (await short_lived.call("GET", path, at=1))[0] != 404:
            await asyncio.sleep(0.2)
