"""Timing rules without a clock of their own: how often deltas go out, how long the spirit waits for quiet."""

from typing import Final

DELTA_INTERVAL_SECONDS: Final = 0.04
QUIET_CAP_FACTOR: Final = 5


class DeltaPacer:
    """Gathers pieces of text so that at most 25 deltas a second leave; the first leaves at once."""

    def __init__(self, interval_seconds: float = DELTA_INTERVAL_SECONDS) -> None:
        """Take the least time between two deltas."""
        self._interval = interval_seconds
        self._gathered: list[str] = []
        self._next_at = 0.0

    def add(self, piece: str) -> None:
        """Take a piece of text."""
        self._gathered.append(piece)

    def wait_seconds(self, now: float) -> float | None:
        """Return how long until the next delta is due, 0 for now, None if nothing waits."""
        return max(0.0, self._next_at - now) if self._gathered else None

    def take(self, now: float) -> str:
        """Return all that waits as one delta, and start the next interval."""
        text = "".join(self._gathered)
        self._gathered.clear()
        self._next_at = now + self._interval
        return text


class Quiet:
    """The pause after which the spirit answers: begun anew by every message and by typing, but capped."""

    def __init__(self, pause_seconds: float, now: float) -> None:
        """Begin the pause; it never lasts longer than five times its length."""
        self._pause = pause_seconds
        self._due_at = now + pause_seconds
        self._latest_at = now + pause_seconds * QUIET_CAP_FACTOR

    def disturb(self, now: float) -> None:
        """Begin the pause anew, within the cap."""
        self._due_at = min(now + self._pause, self._latest_at)

    def wait_seconds(self, now: float) -> float:
        """Return how long is left, 0 when it is over."""
        return max(0.0, self._due_at - now)
