"""Who sits where in one session: the rules, without a database."""

from dataclasses import dataclass, field

from server.domain import Participant, ProcessId, Session, UserId
from server.errors import SessionClosed, SessionFull


@dataclass(frozen=True, slots=True)
class SeatTaken:
    """A seat for a person; `users` are all who are there, in the order they came.

    `came` is False when nobody was ever told that the person had left.
    """

    session: Session
    users: tuple[Participant, ...]
    came: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """One person's seat by one process; it is dead once its process, or its grace, is over."""

    person: Participant
    process_id: ProcessId
    is_live: bool


@dataclass(slots=True)
class Changes:
    """What a session's seating wants stored."""

    people: dict[UserId, Participant] = field(default_factory=dict)
    kept: dict[tuple[UserId, ProcessId], float | None] = field(default_factory=dict)
    removed: set[tuple[UserId, ProcessId]] = field(default_factory=set)


class Seating:
    """The seats of one session, changed by operations and remembering what to store.

    People hold one place together, however many processes seat them. A dead seat holds no place, but until it
    is swept its person counts as not yet gone.
    """

    def __init__(self, session: Session, seats: list[Seat]) -> None:
        """Begin with the stored seats, in the order their people came."""
        self.changes = Changes()
        self._session = session
        self._known = {seat.person.user_id: seat.person for seat in seats}
        self._seats: dict[UserId, dict[ProcessId, bool]] = {}
        for seat in seats:
            self._seats.setdefault(seat.person.user_id, {})[seat.process_id] = seat.is_live
        self._present = {id_: person for id_, person in self._known.items() if self._is_present(id_)}

    def take(self, person: Participant, process_id: ProcessId) -> SeatTaken:
        """Seat a person, under the name given now; raises `SessionClosed` and `SessionFull`."""
        if not self._session.is_active:
            raise SessionClosed
        if person.user_id not in self._present and len(self._present) >= self._session.max_users:
            raise SessionFull(details={"max_users": self._session.max_users})
        came = person.user_id not in self._seats
        self._keep(person.user_id, process_id, None)
        self._present[person.user_id] = person
        if self._known.get(person.user_id) != person:
            self._known[person.user_id] = self.changes.people[person.user_id] = person
        return SeatTaken(self._session, tuple(self._present.values()), came)

    def drop(self, user_id: UserId, process_id: ProcessId, grace_seconds: float) -> None:
        """Let a seat end by itself unless its person is back in time."""
        if process_id in self._seats.get(user_id, {}):
            self._keep(user_id, process_id, grace_seconds)

    def free(self, user_id: UserId, process_id: ProcessId) -> bool:
        """Give a seat up; tell whether that was the person's last, so that others have to be told."""
        if process_id not in self._seats.get(user_id, {}):
            return False
        self._remove(user_id, process_id)
        return self._gone(user_id)

    def sweep(self) -> list[Participant]:
        """Remove dead seats, and return the people who have none left."""
        dead = [(id_, process) for id_, seats in self._seats.items() for process, live in seats.items() if not live]
        for user_id, process_id in dead:
            self._remove(user_id, process_id)
        return [self._known[user_id] for user_id in dict(dead) if self._gone(user_id)]

    def _is_present(self, user_id: UserId) -> bool:
        return any(self._seats.get(user_id, {}).values())

    def _gone(self, user_id: UserId) -> bool:
        """Tell whether no live seat is left; the dead ones go too, lest the person be missed twice."""
        if self._is_present(user_id):
            return False
        for process_id in list(self._seats.get(user_id, {})):
            self._remove(user_id, process_id)
        self._seats.pop(user_id, None)
        self._present.pop(user_id, None)
        return True

    def _keep(self, user_id: UserId, process_id: ProcessId, grace_seconds: float | None) -> None:
        self._seats.setdefault(user_id, {})[process_id] = True
        self.changes.kept[user_id, process_id] = grace_seconds
        self.changes.removed.discard((user_id, process_id))

    def _remove(self, user_id: UserId, process_id: ProcessId) -> None:
        del self._seats[user_id][process_id]
        self.changes.kept.pop((user_id, process_id), None)
        self.changes.removed.add((user_id, process_id))
