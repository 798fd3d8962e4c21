"""Deadlines of many connections, each kind of one length, without a timer for each."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

K = TypeVar("K")

# A timer that is later than this lets sockets be read for as long before anyone is taken for dead.
LOOK_SECONDS = 0.05


class Deadlines(Generic[K]):
    """Keys that fall due `seconds` after they were started.

    One length for all keeps them sorted by nature: every operation costs the same at any number.
    """

    __slots__ = ("_due", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._due: OrderedDict[K, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._due)

    def start(self, key: K, now: float) -> float:
        """Starts a key, or starts it again; returns when it falls due."""
        self._due.pop(key, None)
        at = self._due[key] = now + self.seconds
        return at

    def stop(self, key: K) -> bool:
        """Forgets a key; says whether it was there."""
        return self._due.pop(key, None) is not None

    @property
    def next_at(self) -> float | None:
        """When the next one falls due."""
        return next(iter(self._due.values()), None)

    def due(self, now: float) -> Iterator[tuple[K, float]]:
        """Takes out what is due by `now`, oldest first, each with the moment it fell due."""
        while self._due:
            key, at = next(iter(self._due.items()))
            if at > now:
                return
            del self._due[key]
            yield key, at


class Clock(Generic[K]):
    """Several kinds of deadlines behind one wake-up; `wake_at` is asked for the next one."""

    def __init__(self, wake_at: Callable[[float], None]) -> None:
        self._wake_at = wake_at
        self._kinds: list[tuple[Deadlines[K], Callable[[K, float], None]]] = []
        self._armed: float | None = None

    def kind(self, seconds: float, handler: Callable[[K, float], None]) -> Deadlines[K]:
        """A new kind; `handler` gets each key and the moment it fell due."""
        deadlines: Deadlines[K] = Deadlines(seconds)
        self._kinds.append((deadlines, handler))
        return deadlines

    def start(self, deadlines: Deadlines[K], key: K, now: float) -> None:
        """Starts a key of one kind."""
        self._arm(deadlines.start(key, now))

    def stop(self, key: K) -> None:
        """Forgets a key of every kind."""
        for deadlines, _ in self._kinds:
            if deadlines:  # most kinds are empty most of the time
                deadlines.stop(key)

    def wake(self, now: float) -> None:
        """Handles what is due and asks for the next wake-up."""
        self._armed = None
        for deadlines, handler in self._kinds:
            for key, at in deadlines.due(now):
                handler(key, at)
        for deadlines, _ in self._kinds:
            upcoming = deadlines.next_at
            if upcoming is not None:
                self._arm(upcoming)

    def wake_if_due(self, now: float) -> None:
        """Handles what is due, should the wake-up be about to come; a late one has its look first."""
        if self._armed is not None and self._armed <= now and not self.is_late(now):
            self.wake(now)

    def is_late(self, now: float) -> bool:
        """Whether the wake-up should have come so long ago that sockets are to be read first."""
        return self._armed is not None and now - self._armed > LOOK_SECONDS

    def _arm(self, at: float) -> None:
        if self._armed is None or at < self._armed:
            self._armed = at
            self._wake_at(at)
