"""Puts what arrives in any order into the one order of a session, without holes; knows no clock and no I/O."""

from typing import Final, Generic, TypeVar

T = TypeVar("T")

HELD_MOST: Final = 1_000


class Sequencer(Generic[T]):
    """Hands items out by `seq`, each once, none before those with a smaller one.

    Items come from the own process's commits, from other processes in any order, twice or never, and from the
    log when a hole has to be filled. Before `start` nothing is handed out: it is not known yet what is new.
    """

    __slots__ = ("_held", "_known", "delivered")

    def __init__(self) -> None:
        """Begin without knowing where."""
        self.delivered: int | None = None
        self._known = 0
        self._held: dict[int, T] = {}

    def start(self, seq: int) -> list[T]:
        """Take `seq` as delivered and return what follows it; later calls only tell that `seq` exists."""
        if self.delivered is not None:
            self.exists(seq)
            return []
        self.delivered = seq
        self._held = {held: item for held, item in self._held.items() if held > seq}
        return self._ready()

    def offer(self, seq: int, item: T) -> list[T]:
        """Take an item and return all that can be handed out now, ascending; often just this one."""
        if self.passes(seq, seq):
            return [item]
        self.exists(seq)
        if self.delivered is not None and seq <= self.delivered:
            return []
        if len(self._held) < HELD_MOST or seq < max(self._held):
            self._held.setdefault(seq, item)  # past the bound it is forgotten: the log still has it
        return self._ready()

    def passes(self, first: int, last: int) -> bool:
        """Take items `first` to `last`, which the caller has in order, if nothing is missing before or held beyond.

        The caller hands them out. It is what nearly always happens, at no cost for each.
        """
        if first - 1 != self.delivered or self._held:
            return False
        self.delivered = last
        return True

    def exists(self, seq: int) -> None:
        """Learn that the session has come to `seq`, as a head read from the database tells."""
        self._known = max(self._known, seq)

    @property
    def lacks(self) -> int | None:
        """Return the `seq` after which something is missing, None if nothing is."""
        if self.delivered is None or self._known <= self.delivered:
            return None
        return self.delivered

    def _ready(self) -> list[T]:
        ready: list[T] = []
        if self.delivered is None:
            return ready
        while (item := self._held.pop(self.delivered + 1, None)) is not None:
            self.delivered += 1
            ready.append(item)
        return ready
