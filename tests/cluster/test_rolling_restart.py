"""A new version goes out under load, and nobody notices more than a reconnect."""

from __future__ import annotations

import pytest

from tests.faults import breakages
from tests.faults.__main__ import report
from tests.faults.run import Plan, run


@pytest.mark.timeout(180)
async def test_a_rolling_restart_under_load_loses_and_repeats_nothing() -> None:
    plan = Plan(messages=2_000, faults=3, seed=4, sessions=3, kinds=(breakages.restart_all,))
    outcome = await run(plan)
    assert not outcome.violations, report(outcome)
    assert outcome.faults["restart_all"] == 3
    assert outcome.js_recovered
