"""The rules of seating, with hypothesis as the people and the processes."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.domain import Participant, ProcessId, UserId
from server.errors import SessionClosed, SessionFull
from server.store.seating import Seat, Seating
from tests.store.making import a_person, a_session

HERE, THERE = ProcessId("here"), ProcessId("there")
ADA, BOB, CYD = a_person("Ada"), a_person("Bob"), a_person("Cyd")


def seating(*seats: Seat, max_users: int = 2) -> Seating:
    return Seating(a_session(max_users=max_users), list(seats))


def test_two_processes_seat_one_person_on_one_place() -> None:
    room = seating()
    assert room.take(ADA, HERE).came
    assert not room.take(ADA, THERE).came
    assert room.take(BOB, HERE).users == (ADA, BOB)


def test_a_full_session_says_how_many_it_takes_and_still_takes_who_is_there() -> None:
    room = seating()
    room.take(ADA, HERE)
    room.take(BOB, HERE)
    with pytest.raises(SessionFull) as caught:
        room.take(CYD, HERE)
    assert caught.value.details == {"max_users": 2}
    assert not room.take(ADA, THERE).came


def test_an_ended_session_seats_nobody() -> None:
    with pytest.raises(SessionClosed):
        Seating(a_session(is_active=False), []).take(ADA, HERE)


def test_another_name_renames() -> None:
    room = seating(Seat(ADA, HERE, is_live=True))
    renamed = Participant(ADA.user_id, "Lady A")
    assert room.take(renamed, HERE).users == (renamed,)
    assert room.changes.people == {ADA.user_id: renamed}


def test_a_person_who_is_known_as_such_is_not_stored_again() -> None:
    room = seating(Seat(ADA, HERE, is_live=True))
    room.take(ADA, THERE)
    assert room.changes.people == {}


def test_only_the_last_seat_makes_a_person_gone() -> None:
    room = seating(Seat(ADA, HERE, is_live=True), Seat(ADA, THERE, is_live=True))
    assert not room.free(ADA.user_id, HERE)
    assert room.free(ADA.user_id, THERE)
    assert not room.free(ADA.user_id, THERE)


def test_a_dead_seat_holds_no_place() -> None:
    room = seating(Seat(ADA, HERE, is_live=False), Seat(BOB, HERE, is_live=True))
    assert room.take(CYD, HERE).users == (BOB, CYD)


def test_who_returns_before_the_sweep_did_not_come_anew() -> None:
    room = seating(Seat(ADA, HERE, is_live=False))
    assert not room.take(ADA, THERE).came
    assert room.sweep() == []
    assert room.changes.removed == {(ADA.user_id, HERE)}


def test_a_sweep_names_everyone_once_who_has_no_live_seat_left() -> None:
    room = seating(
        Seat(ADA, HERE, is_live=False), Seat(ADA, THERE, is_live=False), Seat(BOB, HERE, is_live=False), max_users=9
    )
    room.take(BOB, THERE)
    assert room.sweep() == [ADA]
    assert room.sweep() == []


def test_a_dropped_seat_is_kept_for_its_grace_and_taken_up_again() -> None:
    room = seating(Seat(ADA, HERE, is_live=True))
    room.drop(ADA.user_id, HERE, 30)
    assert room.changes.kept == {(ADA.user_id, HERE): 30}
    room.take(ADA, HERE)
    assert room.changes.kept == {(ADA.user_id, HERE): None}
    room.drop(BOB.user_id, HERE, 30)
    assert (BOB.user_id, HERE) not in room.changes.kept


PEOPLE = st.sampled_from([a_person(name) for name in ("Ada", "Bob", "Cyd", "Dee", "Eve")])
PROCESSES = st.sampled_from([ProcessId(name) for name in ("one", "two", "three")])
MAX_USERS = 3


class Evening(RuleBasedStateMachine):
    """Whatever happens, those who were told of are those who are there or have yet to be swept."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[tuple[UserId, ProcessId], bool] = {}
        self.names: dict[UserId, Participant] = {}
        self.announced: set[UserId] = set()

    def load(self) -> Seating:
        seats = [Seat(self.names[user], process, live) for (user, process), live in self.rows.items()]
        return Seating(a_session(max_users=MAX_USERS), seats)

    def store(self, room: Seating) -> None:
        self.names |= room.changes.people
        for key in room.changes.removed:
            self.rows.pop(key, None)
        self.rows |= dict.fromkeys(room.changes.kept, True)

    @rule(person=PEOPLE, process=PROCESSES)
    def take(self, person: Participant, process: ProcessId) -> None:
        room = self.load()
        try:
            taken = room.take(person, process)
        except SessionFull:
            assert len(self.present()) == MAX_USERS
            return
        self.store(room)
        assert taken.came == (person.user_id not in self.announced)
        assert {user.user_id for user in taken.users} == self.present()
        self.announced.add(person.user_id)

    @rule(person=PEOPLE, process=PROCESSES)
    def free(self, person: Participant, process: ProcessId) -> None:
        room = self.load()
        gone = room.free(person.user_id, process)
        self.store(room)
        if gone:
            self.announced.remove(person.user_id)

    @precondition(lambda self: self.rows)
    @rule(process=PROCESSES)
    def die(self, process: ProcessId) -> None:
        self.rows = {key: live and key[1] != process for key, live in self.rows.items()}

    @rule()
    def sweep(self) -> None:
        room = self.load()
        for person in room.sweep():
            self.announced.remove(person.user_id)
        self.store(room)
        assert all(self.rows.values())

    def present(self) -> set[UserId]:
        return {user for (user, _), live in self.rows.items() if live}

    @invariant()
    def nobody_is_there_unannounced_and_nobody_is_announced_for_ever(self) -> None:
        assert self.present() <= self.announced == {user for user, _ in self.rows}
        assert len(self.present()) <= MAX_USERS


TestEvening = Evening.TestCase
TestEvening.settings = settings(max_examples=60, deadline=None)
