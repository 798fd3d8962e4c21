"""The meter of the hot path: what it lets through, and what it forgets."""

from hypothesis import given
from hypothesis import strategies as st

from server.core.limits import FORGET_FROM, Meter, Rate

RATE = Rate(per_second=5, burst=20)
SLACK = 1e-5


def test_a_burst_passes_and_then_the_steady_rate() -> None:
    meter = Meter(RATE)
    assert [meter.wait_seconds("ada", 0.0) for _ in range(20)] == [0.0] * 20
    wait = meter.wait_seconds("ada", 0.0)
    assert 0 < wait <= 1 / 5 + SLACK
    assert meter.wait_seconds("ben", 0.0) == 0.0
    assert meter.wait_seconds("ada", wait + SLACK) == 0.0
    assert meter.wait_seconds("ada", wait + SLACK) > 0


@given(st.lists(st.floats(min_value=0, max_value=2), max_size=200))
def test_no_stretch_of_time_lets_more_through_than_burst_and_rate(pauses: list[float]) -> None:
    meter = Meter(RATE)
    now, passed = 100.0, list[float]()
    for pause in pauses:
        now += pause
        if not meter.wait_seconds("ada", now):
            passed.append(now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            allowed = RATE.burst + (passed[last] - passed[first]) * RATE.per_second
            assert last - first + 1 <= allowed + SLACK * len(passed)


def test_who_waits_as_told_passes() -> None:
    meter = Meter(RATE)
    now = 0.0
    for _ in range(100):
        while (wait := meter.wait_seconds("ada", now)) > 0:
            now += wait + SLACK
    assert now <= (100 - 20) / 5 + 100 * SLACK * 10


def test_the_idle_are_forgotten() -> None:
    meter = Meter(RATE)
    for number in range(FORGET_FROM - 1):
        meter.wait_seconds(number, 0.0)
    assert len(meter) == FORGET_FROM - 1
    meter.wait_seconds("late", 60.0)
    assert len(meter) == 1
