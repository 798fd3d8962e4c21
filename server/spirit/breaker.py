"""When to leave an endpoint alone after it failed, and when to try it again; pure, the clock comes from outside."""

from collections.abc import Callable
from enum import StrEnum


class BreakerState(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """A circuit breaker: open after so many failures in a row, then one probe at a time."""

    def __init__(self, *, failures: int = 5, rest_seconds: float = 30.0, clock: Callable[[], float]) -> None:
        """Take how many failures open it, and how long it rests before a probe; `clock` counts seconds."""
        self._limit = failures
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._failed = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Whether the next call passes, rests, or waits for a probe's end."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.PROBING if self._probing else BreakerState.OPEN

    def admit(self) -> bool:
        """Tell whether a call may start; each one admitted must end in `succeeded`, `failed` or `abandoned`."""
        if self._opened_at is None:
            return True
        if self._probing or self._clock() - self._opened_at < self._rest_seconds:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """Close the circuit."""
        self._failed, self._opened_at, self._probing = 0, None, False

    def failed(self) -> None:
        """Count a failure; a failed probe, or one too many in a row, opens the circuit from now."""
        self._failed += 1
        if self._probing or self._failed >= self._limit:
            self._opened_at, self._probing = self._clock(), False

    def abandoned(self) -> None:
        """Forget a call that was given up before it told anything about the endpoint."""
        self._probing = False
