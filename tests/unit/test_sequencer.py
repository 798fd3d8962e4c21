"""The sequencer against every way in which news can arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.core import sequencer
from server.core.sequencer import Sequencer

if TYPE_CHECKING:
    import pytest


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[int, list[int]]:
    """Where a room starts, and news in any order, twice or never."""
    head = draw(st.integers(0, 40))
    return draw(st.integers(0, head)), draw(st.lists(st.integers(1, head), max_size=80) if head else st.just([]))


@given(arrivals())
def test_whatever_arrives_is_handed_out_once_and_in_order(news: tuple[int, list[int]]) -> None:
    start, offered = news
    order: Sequencer[int] = Sequencer()
    handed = order.start(start)
    for seq in offered:
        handed += order.offer(seq, seq)
    assert handed == list(range(start + 1, start + 1 + len(handed)))


@given(arrivals())
def test_everything_that_arrived_is_handed_out_once_the_holes_are_filled(news: tuple[int, list[int]]) -> None:
    start, offered = news
    order: Sequencer[int] = Sequencer()
    handed = order.start(start)
    for seq in offered:
        handed += order.offer(seq, seq)
    while (after := order.lacks) is not None:
        handed += order.offer(after + 1, after + 1)
    assert handed == list(range(start + 1, max([start, *offered]) + 1))


@given(arrivals(), st.data())
def test_what_arrives_before_the_start_is_kept_for_it(news: tuple[int, list[int]], data: st.DataObject) -> None:
    start, offered = news
    early = data.draw(st.integers(0, len(offered)))
    order: Sequencer[int] = Sequencer()
    assert [item for seq in offered[:early] for item in order.offer(seq, seq)] == []
    handed = order.start(start)
    for seq in offered[early:]:
        handed += order.offer(seq, seq)
    assert handed == list(range(start + 1, start + 1 + len(handed)))


@given(arrivals(), st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3)), max_size=20))
def test_a_run_passes_only_where_each_of_its_items_would(
    news: tuple[int, list[int]], runs: list[tuple[int, int]]
) -> None:
    start, offered = news
    quick: Sequencer[int] = Sequencer()
    slow: Sequencer[int] = Sequencer()
    for seq in offered:
        quick.offer(seq, seq)
        slow.offer(seq, seq)
    if offered:
        assert not quick.passes(1, 1)
    assert quick.start(start) == slow.start(start)
    for first, more in runs:
        run = range(first, first + more + 1)
        singly = [item for seq in run for item in slow.offer(seq, seq)]
        if quick.passes(first, first + more):
            assert singly == list(run)
        else:
            assert [item for seq in run for item in quick.offer(seq, seq)] == singly
        assert (quick.delivered, quick.lacks) == (slow.delivered, slow.lacks)


def test_a_head_beyond_what_was_heard_is_a_hole_even_if_no_news_came() -> None:
    order: Sequencer[str] = Sequencer()
    order.start(3)
    assert order.lacks is None
    order.exists(4)
    assert order.lacks == 3
    assert order.offer(4, "lost") == ["lost"]
    assert order.lacks is None


def test_a_second_start_only_tells_that_a_head_exists() -> None:
    order: Sequencer[str] = Sequencer()
    order.start(3)
    assert order.start(5) == []
    assert order.lacks == 3


def test_what_is_beyond_the_bound_is_forgotten_but_known_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "HELD_MOST", 2)
    order: Sequencer[int] = Sequencer()
    order.start(0)
    for seq in (2, 3, 4, 5):
        assert order.offer(seq, seq) == []
    assert order.offer(1, 1) == [1, 2, 3]
    assert order.lacks == 3


class Room(RuleBasedStateMachine):
    """One room while a log grows: news arrives, gets lost, comes twice; heads are compared; holes are read."""

    def __init__(self) -> None:
        super().__init__()
        self.order: Sequencer[int] = Sequencer()
        self.head = 0
        self.joined_at: int | None = None
        self.handed: list[int] = []

    @rule()
    def commit(self) -> None:
        self.head += 1

    @precondition(lambda self: self.joined_at is None)
    @rule()
    def start(self) -> None:
        self.joined_at = self.head
        self.handed += self.order.start(self.head)

    @precondition(lambda self: self.head)
    @rule(data=st.data())
    def news(self, data: st.DataObject) -> None:
        seq = data.draw(st.integers(1, self.head))
        self.handed += self.order.offer(seq, seq)

    @rule()
    def compare_heads(self) -> None:
        if self.joined_at is not None:
            self.handed += self.order.start(self.head)

    @precondition(lambda self: self.order.lacks is not None)
    @rule(step=st.integers(1, 5))
    def read_the_log(self, step: int) -> None:
        after = self.order.lacks
        assert after is not None
        for seq in range(after + 1, min(after + step, self.head) + 1):
            self.handed += self.order.offer(seq, seq)

    @invariant()
    def in_order_without_holes(self) -> None:
        if self.joined_at is None:
            assert not self.handed
        else:
            assert self.handed == list(range(self.joined_at + 1, self.joined_at + 1 + len(self.handed)))
            assert len(self.handed) <= self.head - self.joined_at

    @invariant()
    def nothing_is_missing_unnoticed(self) -> None:
        """All that is known to exist is handed out, or known to be lacking."""
        if self.joined_at is not None and self.order.lacks is None:
            assert self.order.delivered == self.joined_at + len(self.handed)

    def teardown(self) -> None:
        if self.joined_at is None:
            return
        self.compare_heads()
        while self.order.lacks is not None:
            self.read_the_log(5)
        assert len(self.handed) == self.head - self.joined_at


TestRoom = Room.TestCase
TestRoom.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
