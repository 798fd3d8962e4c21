"""A circuit breaker's states, by a clock of the test's own."""

from __future__ import annotations

from server.spirit.breaker import Breaker, BreakerState


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(failures=3, rest_seconds=30, clock=clock)
    for _ in range(3):
        assert breaker.admit()
        breaker.failed()
    return breaker, clock


def test_failures_in_a_row_open_it() -> None:
    breaker, _ = opened()
    assert not breaker.admit()
    assert breaker.state is BreakerState.OPEN


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(failures=2, clock=Clock())
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.admit()


def test_after_the_rest_one_probe_passes_at_a_time() -> None:
    breaker, clock = opened()
    clock.seconds = 30
    assert [breaker.admit(), breaker.admit()] == [True, False]
    assert breaker.state is BreakerState.PROBING


def test_a_good_probe_closes_it() -> None:
    breaker, clock = opened()
    clock.seconds = 30
    breaker.admit()
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED


def test_a_bad_probe_opens_it_for_another_rest() -> None:
    breaker, clock = opened()
    clock.seconds = 30
    breaker.admit()
    breaker.failed()
    clock.seconds = 59
    assert not breaker.admit()
    clock.seconds = 60
    assert breaker.admit()


def test_an_abandoned_probe_lets_the_next_one_pass() -> None:
    breaker, clock = opened()
    clock.seconds = 30
    breaker.admit()
    breaker.abandoned()
    assert breaker.admit()
