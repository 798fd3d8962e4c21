"""What must hold whatever breaks, checked event by event; knows no server, no clock and no I/O.

Every event costs the same however long the run is, so a run of a million messages is checked as it goes.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# How many events are kept to show what happened around a violation, and how many of them are shown.
REMEMBERED = 50_000
SHOWN = 40


class Row(NamedTuple):
    """A stored message; `key` is what its sender called it."""

    session_id: str
    seq: int
    id: str
    sender: str
    key: str


class Event(NamedTuple):
    at: float
    who: str
    session_id: str
    what: str


@dataclass(frozen=True)
class Violation:
    """A broken promise and the events around it."""

    promise: str
    detail: str
    session_id: str
    around: tuple[Event, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.promise}: {self.detail} (session {self.session_id})"]
        lines += [f"  {event.at:9.3f} {event.who:<12} {event.what}" for event in self.around]
        return "\n".join(lines)


@dataclass
class Sender:
    """What one client said and was told about it, in one session."""

    session_id: str
    sent: dict[str, int] = field(default_factory=dict)
    acked: dict[str, tuple[int, str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    has_come_to: int | None = None


class Checker:
    """Collects violations; `at` grows from call to call."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.acked_total = 0
        self.heard_total = 0
        self.gaps_told = 0
        self.clients: dict[str, Sender] = {}
        self._places: defaultdict[str, dict[int, str]] = defaultdict(dict)
        self._seated: defaultdict[str, set[str]] = defaultdict(set)
        self._events: deque[Event] = deque(maxlen=REMEMBERED)

    # -- what clients and the harness report

    def begins(self, client: str, session_id: str) -> None:
        """A client of a session that hears everything from `seq` 1 on."""
        self.clients[client] = Sender(session_id)

    def noted(self, at: float, who: str, session_id: str, what: str) -> None:
        """Something worth knowing when a violation is read: a fault, a connection."""
        self._events.append(Event(at, who, session_id, what))

    def sent(self, at: float, client: str, key: str) -> None:
        """A first send; sending again is not reported."""
        sender = self.clients[client]
        sender.sent[key] = len(sender.sent)
        self.noted(at, client, sender.session_id, f"sent {key}")

    def refused(self, at: float, client: str, key: str, code: str) -> None:
        """An error as the answer: from now on the sender's later messages may come before this one."""
        sender = self.clients[client]
        sender.refused.add(key)
        self.noted(at, client, sender.session_id, f"refused {key} {code}")

    def acked(self, at: float, client: str, key: str, seq: int, id_: str) -> None:
        sender = self.clients[client]
        self.acked_total += 1
        self.noted(at, client, sender.session_id, f"acked {key} as {seq}")
        earlier = sender.acked.setdefault(key, (seq, id_))
        if earlier != (seq, id_):
            self._broken("one answer", f"{client}'s {key} was acked as {earlier[0]}, then as {seq}", sender.session_id)
        self._agrees(client, sender.session_id, seq, id_)

    def joined(self, at: float, client: str, after: int, head: int, *, complete: bool) -> None:
        """A client is in, having had everything up to `after`; what it is not going to get, it was told."""
        sender = self.clients[client]
        self.noted(at, client, sender.session_id, f"joined after {after}, head {head}, complete {complete}")
        if not complete:
            self.gaps_told += 1
            sender.has_come_to = head
        elif sender.has_come_to is not None and after != sender.has_come_to:
            self._broken(
                "exact replay", f"{client} had {sender.has_come_to}, replay is after {after}", sender.session_id
            )
        else:
            sender.has_come_to = after

    def heard(self, at: float, client: str, seq: int, id_: str) -> None:
        sender = self.clients[client]
        self.heard_total += 1
        self.noted(at, client, sender.session_id, f"heard {seq}")
        expected = None if sender.has_come_to is None else sender.has_come_to + 1
        if seq != expected:
            promise = "no holes" if expected is None or seq > expected else "no repeats"
            self._broken(promise, f"{client} heard {seq} where {expected} was due", sender.session_id)
        sender.has_come_to = max(seq, sender.has_come_to or 0)
        self._agrees(client, sender.session_id, seq, id_)

    def seated(self, at: float, user: str, session_id: str, max_users: int) -> None:
        """A person was told to have a seat."""
        seated = self._seated[session_id]
        seated.add(user)
        self.noted(at, user, session_id, f"seated, {len(seated)} there")
        if len(seated) > max_users:
            self._broken("seats", f"{len(seated)} people in {max_users} seats", session_id)

    def leaves(self, at: float, user: str, session_id: str) -> None:
        """A person is about to give the seat up, or may have lost it."""
        self._seated[session_id].discard(user)
        self.noted(at, user, session_id, "leaves")

    # -- the end

    def finish(self, rows: Iterable[Row]) -> list[Violation]:
        """All violations, the rows of the database compared with what everyone was told."""
        stored: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            stored[row.session_id].append(row)
        by_session: defaultdict[str, list[str]] = defaultdict(list)
        for client, sender in self.clients.items():
            by_session[sender.session_id].append(client)
        for session_id, clients in by_session.items():
            self._compare(session_id, clients, sorted(stored[session_id], key=lambda row: row.seq))
        return self.violations

    def _compare(self, session_id: str, clients: list[str], rows: list[Row]) -> None:
        if [row.seq for row in rows] != list(range(1, len(rows) + 1)):
            self._broken("seq without holes", f"rows are {_holes([row.seq for row in rows])}", session_id)
        by_seq = {row.seq: row for row in rows}
        for seq, id_ in self._places[session_id].items():
            if seq not in by_seq or by_seq[seq].id != id_:
                self._broken("told is stored", f"someone was told of {seq}, which is not stored so", session_id)
        keys: dict[tuple[str, str], int] = {}
        for row in rows:
            if (row.sender, row.key) in keys:
                self._broken("one row", f"{row.key} of {row.sender} is stored twice", session_id)
            keys.setdefault((row.sender, row.key), row.seq)
        for client in clients:
            self._compare_sender(client, {key: seq for (sender, key), seq in keys.items() if sender == client})
            if self.clients[client].has_come_to != len(rows):
                detail = f"{client} has come to {self.clients[client].has_come_to} of {len(rows)}"
                self._broken("everything arrives", detail, session_id)

    def _compare_sender(self, client: str, stored: dict[str, int]) -> None:
        sender = self.clients[client]
        for key, (seq, _) in sender.acked.items():
            if stored.get(key) != seq:
                self._broken("acked is stored", f"{client}'s {key}, acked as {seq}", sender.session_id)
        for key in stored.keys() - sender.sent.keys():
            self._broken("stored was sent", f"{key} of {client}", sender.session_id)
        for key in sender.sent.keys() - sender.acked.keys():
            self._broken("everything is acked", f"{client}'s {key}", sender.session_id)
        highest = 0
        for key in (key for key in sender.sent if key in stored and key not in sender.refused):
            if stored[key] < highest:
                self._broken("sender's order", f"{client}'s {key} at {stored[key]}", sender.session_id)
            highest = max(highest, stored[key])

    def _agrees(self, client: str, session_id: str, seq: int, id_: str) -> None:
        """The same message at the same place for everyone, senders included."""
        if self._places[session_id].setdefault(seq, id_) != id_:
            self._broken("one order", f"{client} was told another message at {seq}", session_id)

    def _broken(self, promise: str, detail: str, session_id: str) -> None:
        around = [event for event in self._events if event.session_id in {session_id, ""}][-SHOWN:]
        self.violations.append(Violation(promise, detail, session_id, tuple(around)))


def _holes(seqs: list[int]) -> str:
    wrong = [seq for place, seq in enumerate(seqs, 1) if seq != place]
    return f"{len(seqs)} rows, the first wrong one at {wrong[0]}"
