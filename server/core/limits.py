"""How fast anyone may go: one table, counted in this process's memory, so that no answer waits for it."""

from dataclasses import dataclass
from time import time
from typing import Final

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from server.domain import SessionId, UserId
from server.errors import RateLimited


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second in the long run, so many at once."""

    per_second: float
    burst: int

    def item(self, what: str) -> RateLimitItemPerSecond:
        """Return the window that keeps both: `burst` in the time the rate takes for them."""
        return RateLimitItemPerSecond(self.burst, max(1, round(self.burst / self.per_second)), namespace=what)


MESSAGES_OF_A_PERSON: Final = Rate(per_second=5, burst=20)
JOINS_OF_AN_ADDRESS: Final = Rate(per_second=20, burst=200)
EVENTS_OF_A_CONNECTION: Final = Rate(per_second=50, burst=500)


class Limits:
    """Raises `RateLimited`, with when to come back, for whoever is too fast."""

    def __init__(self, *, enabled: bool) -> None:
        """Start counting from nothing, or not at all."""
        self._window = MovingWindowRateLimiter(MemoryStorage()) if enabled else None
        self._messages = MESSAGES_OF_A_PERSON.item("messages")
        self._joins = JOINS_OF_AN_ADDRESS.item("joins")
        self._events = EVENTS_OF_A_CONNECTION.item("events")

    def message(self, session_id: SessionId, user_id: UserId) -> None:
        """Count one message of a person."""
        self._count(self._messages, session_id, user_id)

    def join(self, address: str) -> None:
        """Count one join from an address."""
        self._count(self._joins, address)

    def event(self, connection_id: str) -> None:
        """Count one event of a connection, whatever it is."""
        self._count(self._events, connection_id)

    def _count(self, item: RateLimitItemPerSecond, *who: str) -> None:
        if self._window is None or self._window.hit(item, *who):
            return
        wait = max(0.1, self._window.get_window_stats(item, *who).reset_time - time())
        raise RateLimited(details={"retry_after": round(wait, 1)})
