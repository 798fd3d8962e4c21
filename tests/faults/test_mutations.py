"""The harness proves itself: each guard taken out of the servers is missed by the checker, at once or soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.faults import breakages
from tests.faults.mutations import MUTATIONS
from tests.faults.run import Plan, run

if TYPE_CHECKING:
    from tests.faults.breakages import Fault

# Which promises may be seen broken, and the faults that show it.
SEEN: Final[dict[str, tuple[set[str], tuple[Fault, ...]]]] = {
    "ack_before_commit": ({"acked is stored", "told is stored", "one order"}, (breakages.restart_postgres,)),
    "emit_before_commit": ({"told is stored", "one order", "no repeats"}, (breakages.restart_postgres,)),
    "no_dedupe": ({"one row", "one answer"}, (breakages.cut_slow_clients,)),
    "no_hole_filling": ({"everything arrives", "everything is acked"}, (breakages.kill_redis, breakages.part_redis)),
    "no_seat_lock": ({"seats"}, (breakages.slow_clients,)),
    "no_subscribe_first": ({"no holes", "everything arrives", "exact replay"}, (breakages.cut_clients,)),
}
QUICK: Final = {"no_subscribe_first", "no_seat_lock"}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
async def test_a_guard_that_is_taken_out_is_missed(mutation: str, request: pytest.FixtureRequest) -> None:
    if mutation not in QUICK and not request.config.getoption("--mutations", default=False):
        pytest.skip("with --mutations")
    promises, kinds = SEEN[mutation]
    outcome = await run(
        Plan(messages=1_000, faults=12, seed=1, sessions=2, js_speakers=0, mutation=mutation, kinds=kinds)
    )
    found = {violation.promise for violation in outcome.violations}
    assert found & promises, f"saw {found or 'nothing'}\n{outcome}"
