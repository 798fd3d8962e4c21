"""The checker on histories made by hand: silent on a good one, loud on each way to break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.checker import Checker, Row

SESSION = "s"
CLIENTS = ("ada", "bo")


@dataclass
class Story:
    """A good history of `count` messages by two clients, to be spoiled before it is told."""

    count: int = 6
    rows: list[Row] = field(default_factory=list)
    acks: dict[int, tuple[int, str]] = field(default_factory=dict)
    hears: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for seq in range(1, self.count + 1):
            self.rows.append(Row(SESSION, seq, f"id{seq}", CLIENTS[seq % 2], f"k{seq}"))
            self.acks[seq] = (seq, f"id{seq}")
        for client in CLIENTS:
            self.hears[client] = [(row.seq, row.id) for row in self.rows]

    def promises(self) -> set[str]:
        """The promises the checker finds broken."""
        checker = Checker()
        for client in CLIENTS:
            checker.begins(client, SESSION)
            checker.joined(0, client, 0, 0, complete=True)
        for seq in range(1, self.count + 1):
            checker.sent(seq, CLIENTS[seq % 2], f"k{seq}")
        for key in self.refused:
            checker.refused(0, CLIENTS[int(key[1:]) % 2], key, "BUSY")
        for seq, (told, id_) in self.acks.items():
            checker.acked(seq, CLIENTS[seq % 2], f"k{seq}", told, id_)
        for client, heard in self.hears.items():
            for seq, id_ in heard:
                checker.heard(seq, client, seq, id_)
        return {violation.promise for violation in checker.finish(self.rows)}


def test_a_history_in_which_nothing_went_wrong_is_silent() -> None:
    assert Story().promises() == set()


Spoil = Callable[[Story], object]


@pytest.mark.parametrize(
    ("spoil", "promise"),
    [
        (lambda story: story.rows.pop(), "acked is stored"),
        (lambda story: story.rows.pop(2), "seq without holes"),
        (lambda story: story.rows.append(story.rows[0]._replace(seq=7, id="id7")), "one row"),
        (lambda story: story.rows.append(Row(SESSION, 7, "id7", "ada", "k7")), "stored was sent"),
        (lambda story: story.acks.pop(3), "everything is acked"),
        (lambda story: story.acks.update({3: (4, "id4")}), "acked is stored"),
        (lambda story: story.hears["ada"].pop(), "everything arrives"),
        (lambda story: story.hears["ada"].pop(2), "no holes"),
        (lambda story: story.hears["ada"].insert(2, (2, "id2")), "no repeats"),
        (lambda story: story.hears["ada"].append((7, "id7")), "told is stored"),
        (lambda story: story.hears["ada"].__setitem__(3, (4, "idX")), "one order"),
    ],
)
def test_each_broken_promise_has_a_name(spoil: Spoil, promise: str) -> None:
    story = Story()
    spoil(story)
    assert promise in story.promises()


def swapped(story: Story) -> Story:
    """Two messages of one sender change places, in the database and for everyone."""
    first, second = story.rows[0], story.rows[2]
    story.rows[0], story.rows[2] = second._replace(seq=1), first._replace(seq=3)
    story.acks[1], story.acks[3] = (3, "id1"), (1, "id3")
    for heard in story.hears.values():
        heard[0], heard[2] = (1, "id3"), (3, "id1")
    return story


def test_a_senders_messages_that_change_places_are_seen() -> None:
    assert swapped(Story()).promises() == {"sender's order"}


def test_a_message_that_was_refused_once_may_come_later() -> None:
    assert swapped(Story(refused={"k1"})).promises() == set()


def test_an_ack_that_changes_is_seen() -> None:
    checker = Checker()
    checker.begins("ada", SESSION)
    checker.sent(0, "ada", "k")
    checker.acked(1, "ada", "k", 1, "id1")
    checker.acked(2, "ada", "k", 2, "id2")
    assert [violation.promise for violation in checker.violations] == ["one answer"]


def test_a_replay_from_elsewhere_than_the_last_message_is_seen() -> None:
    checker = Checker()
    checker.begins("ada", SESSION)
    checker.joined(0, "ada", 0, 2, complete=True)
    checker.heard(1, "ada", 1, "id1")
    checker.joined(2, "ada", 2, 2, complete=True)
    assert [violation.promise for violation in checker.violations] == ["exact replay"]


def test_a_gap_that_the_client_was_told_of_is_no_hole() -> None:
    checker = Checker()
    checker.begins("ada", SESSION)
    checker.joined(0, "ada", 0, 9_000, complete=False)
    checker.heard(1, "ada", 9_001, "id9001")
    assert not checker.violations
    assert checker.gaps_told == 1


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans())), st.integers(1, 3))
def test_people_beyond_the_seats_are_seen_the_moment_they_sit(moves: list[tuple[str, bool]], max_users: int) -> None:
    checker, there, over = Checker(), set[str](), 0
    for at, (user, sits) in enumerate(moves):
        if sits:
            there.add(user)
            checker.seated(at, user, SESSION, max_users)
            over += len(there) > max_users
        else:
            there.discard(user)
            checker.leaves(at, user, SESSION)
    assert len(checker.violations) == over


def test_a_violation_shows_what_happened_around_it_and_in_no_other_session() -> None:
    checker = Checker()
    checker.begins("ada", SESSION)
    checker.noted(1, "fault", "", "redis_kill")
    checker.noted(2, "eve", "other", "joined")
    checker.joined(3, "ada", 0, 0, complete=True)
    checker.heard(4, "ada", 2, "id2")
    text = str(checker.violations[0])
    assert "redis_kill" in text
    assert "heard 2" in text
    assert "eve" not in text
