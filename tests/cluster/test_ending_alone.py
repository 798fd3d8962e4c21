"""A process that is told to end does so in time, whatever else is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.processes import DRAIN_SECONDS

if TYPE_CHECKING:
    from tests.cluster.conftest import Cluster


@pytest.mark.parametrize("away", ["postgres", "redis", "both"])
async def test_a_process_ends_in_time_while_its_services_hang(cluster: Cluster, away: str) -> None:
    postgres, redis = cluster.world.postgres, cluster.world.redis
    assert postgres is not None
    assert redis is not None
    hanging = [service for name, service in (("postgres", postgres), ("redis", redis)) if away in {name, "both"}]
    session_id = await cluster.session()
    ending = cluster.world.servers[3]
    async with cluster.guest(3, session_id, "ada") as ada:
        await ada.say("before")
        for service in hanging:
            service.freeze()
        try:
            assert await ending.terminate(seconds=DRAIN_SECONDS) == 0
        finally:
            for service in hanging:
                service.thaw()
            await ending.start()
        await ada.gone()
