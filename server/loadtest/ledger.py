"""The books of a test: what was sent, what came back, and whether that is what the server promises."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Faults:
    """Breaches of the server's promises, counted; all zero after a good run."""

    acks_lost: int = 0
    acks_doubled: int = 0
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    contradicted: int = 0
    disconnected: int = 0

    @property
    def any(self) -> bool:
        """Tell whether there was one."""
        return any(getattr(self, name) for name in self.__slots__)


class Sent:
    """A message under way: when it was due, and what has been heard of it so far."""

    __slots__ = ("acked", "counts", "due", "heard", "number", "own_id", "sender", "seq")

    def __init__(self, sender: "Listener", number: int, own_id: str, due: float, *, counts: bool) -> None:
        """Take who sent it, as their how manyth and under which id, and whether its times are measured."""
        self.sender = sender
        self.number = number
        self.own_id = own_id
        self.due = due
        self.counts = counts
        self.seq = 0
        self.heard = 0
        self.acked = False


class Listener:
    """One connection's place in its room's order."""

    __slots__ = ("last_number", "missing", "seq")

    def __init__(self) -> None:
        """Begin before the first message."""
        self.seq = 0
        self.missing: set[int] = set()
        self.last_number = 0


class Meter:
    """What all connections saw; times in seconds."""

    def __init__(self) -> None:
        """Begin without measuring."""
        self.counting = False
        self.acked = 0
        self.delivered = 0
        self.ack_times = array("d")
        self.delivery_times = array("d")
        self.connect_times = array("d")
        self.sent_late = array("d")
        self.errors: Counter[str] = Counter()
        self.faults = Faults()
        self.on_error: Callable[[str, str], None] = lambda _code, _told: None

    def error(self, code: str, told: str) -> None:
        """Count an error that the server told."""
        self.errors[code] += 1
        self.on_error(code, told)


@dataclass(slots=True, eq=False)
class Room:
    """One session: its listeners, its messages under way, and how far they were acknowledged."""

    id: str
    meter: Meter
    listeners: set[Listener] = field(default_factory=set)
    under_way: dict[str, Sent] = field(default_factory=dict)
    head: int = 0
    # The frame heard last and what it says: the same bytes come to everyone.
    frame: bytes = b""
    said: tuple[int, str | None] = (0, None)

    def acknowledged(self, sent: Sent, seq: int, now: float) -> None:
        """Book the acknowledgement of a message."""
        meter, sent.acked = self.meter, True
        self.head = max(self.head, seq)
        if sent.seq not in {0, seq}:
            meter.faults.contradicted += 1
        sent.seq = seq
        meter.acked += meter.counting
        if sent.counts:
            meter.ack_times.append(now - sent.due)
        self._forget(sent)

    def heard(self, listener: Listener, seq: int, own_id: str | None, now: float) -> None:
        """Book one delivery to one listener."""
        meter = self.meter
        meter.delivered += meter.counting
        if seq == listener.seq + 1:
            listener.seq = seq
        elif not self._jumped(listener, seq):
            return
        sent = self.under_way.get(own_id) if own_id is not None else None
        if sent is None:
            return
        if not sent.heard:
            self._first(sent, seq)
        elif sent.seq != seq:
            meter.faults.contradicted += 1
        sent.heard += 1
        if sent.counts:
            meter.delivery_times.append(now - sent.due)
        self._forget(sent)

    def close(self) -> None:
        """Count what never came to listeners who stayed."""
        for listener in self.listeners:
            self.meter.faults.lost += len(listener.missing) + max(0, self.head - listener.seq)

    @property
    def is_quiet(self) -> bool:
        """Tell whether everyone heard everything that was acknowledged."""
        return all(listener.seq >= self.head and not listener.missing for listener in self.listeners)

    def _jumped(self, listener: Listener, seq: int) -> bool:
        """Book what is not the next message; tell whether it is new to the listener."""
        faults = self.meter.faults
        if seq > listener.seq:
            listener.missing.update(range(listener.seq + 1, seq))
            listener.seq = seq
        elif seq in listener.missing:
            listener.missing.discard(seq)
            faults.reordered += 1
        else:
            faults.doubled += 1
            return False
        return True

    def _first(self, sent: Sent, seq: int) -> None:
        faults = self.meter.faults
        if sent.seq not in {0, seq}:
            faults.contradicted += 1
        if sent.number < sent.sender.last_number:
            faults.reordered += 1
        sent.seq = seq
        sent.sender.last_number = max(sent.sender.last_number, sent.number)

    def _forget(self, sent: Sent) -> None:
        if sent.acked and sent.heard >= len(self.listeners):
            self.under_way.pop(sent.own_id, None)
