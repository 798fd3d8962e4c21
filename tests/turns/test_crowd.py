"""A short run of `python -m tests.turns.crowd`."""

from __future__ import annotations

import pytest

from tests.turns.crowd import Plan, run


@pytest.mark.timeout(180)
async def test_no_turn_runs_twice_or_for_ever_while_owners_are_killed() -> None:
    outcome = await run(Plan(sessions=40, seconds=12, kills=2, every_seconds=4))
    assert outcome.faults == []
    assert outcome.figures["kills"] == 2
    assert outcome.figures["ends seen"] > 40
