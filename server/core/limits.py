"""How fast anyone may go: one table, counted in this process's memory, so that no answer waits for it."""

from collections.abc import Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from server.domain import SessionId, UserId
from server.errors import RateLimited


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second in the long run, so many at once."""

    per_second: float
    burst: int


class Meter:
    """Counts one kind of thing for everyone who does it, by the generic cell rate algorithm (ITU-T I.371).

    One number is kept for each: when all that was counted would be over at the steady rate. It takes 0.3
    microseconds where a moving window takes 4, which for each message would be a tenth of all its work.
    """

    def __init__(self, rate: Rate) -> None:
        """Start with nobody counted."""
        self._step = 1 / rate.per_second
        # A millionth more, for the sum of many steps is not exact.
        self._ahead_most = (rate.burst - 1 + 1e-6) * self._step
        self._over_at: dict[Hashable, float] = {}
        self._look_again_at = FORGET_FROM

    def wait_seconds(self, who: Hashable, now: float) -> float:
        """Count one and return 0, or count nothing and return how long to wait."""
        over_at = self._over_at.get(who, now)
        if over_at <= now:
            over_at = now
        elif over_at - now > self._ahead_most:
            return over_at - now - self._ahead_most
        self._over_at[who] = over_at + self._step
        if len(self._over_at) >= self._look_again_at:
            self._forget_idle(now)
        return 0.0

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._over_at)

    def _forget_idle(self, now: float) -> None:
        self._over_at = {who: over_at for who, over_at in self._over_at.items() if over_at > now}
        self._look_again_at = max(FORGET_FROM, 2 * len(self._over_at))


# So many are remembered before those are looked for who need not be.
FORGET_FROM: Final = 10_000
MESSAGES_OF_A_PERSON: Final = Rate(per_second=5, burst=20)
JOINS_OF_AN_ADDRESS: Final = Rate(per_second=20, burst=200)
EVENTS_OF_A_CONNECTION: Final = Rate(per_second=50, burst=500)


class Limits:
    """Raises `RateLimited`, with when to come back, for whoever is too fast."""

    def __init__(self, *, enabled: bool) -> None:
        """Start counting from nothing, or not at all."""
        self._enabled = enabled
        self._joins = Meter(JOINS_OF_AN_ADDRESS)
        self._messages = Meter(MESSAGES_OF_A_PERSON)
        self._events = Meter(EVENTS_OF_A_CONNECTION)

    def join(self, address: str) -> None:
        """Count one join from an address."""
        self._count(self._joins, address)

    def message(self, session_id: SessionId, user_id: UserId) -> None:
        """Count one message of a person."""
        self._count(self._messages, (session_id, user_id))

    def event(self, connection_id: str) -> None:
        """Count one event of a connection, whatever it is."""
        self._count(self._events, connection_id)

    def _count(self, meter: Meter, who: Hashable) -> None:
        if self._enabled and (wait := meter.wait_seconds(who, monotonic())):
            raise _too_fast(wait)


def _too_fast(wait_seconds: float) -> RateLimited:
    return RateLimited(details={"retry_after": round(max(0.1, wait_seconds), 1)})
