"""The rules of turns without clocks, sockets or a database: verdicts, pauses, pacing, what a joiner is told."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.pacing import DELTA_INTERVAL_SECONDS, QUIET_CAP_FACTOR, DeltaPacer, Quiet
from server.core.ports import Usage
from server.core.turn_account import counted_for
from server.core.turn_policy import Phase, Verdict, mentions, verdict, woken_by
from server.core.turn_speech import Speech
from server.core.turn_watch import TurnOver, TurnWatch
from server.domain import (
    MESSAGE_CHARS,
    Answers,
    Message,
    MessageId,
    Overlap,
    SessionId,
    SpiritSettings,
    TurnId,
    TurnReason,
    UserId,
)
from server.moments import stamp
from server.protocol.outbound import Event, SpiritDelta, SpiritFinished, SpiritThinking, TurnUnderWay
from server.protocol.wire import WireEvent

VERDICTS = {
    (Overlap.MERGE, Phase.THINKING): Verdict.JOIN,
    (Overlap.MERGE, Phase.SPEAKING): Verdict.LATER,
    (Overlap.QUEUE, Phase.THINKING): Verdict.LATER,
    (Overlap.QUEUE, Phase.SPEAKING): Verdict.LATER,
    (Overlap.INTERRUPT, Phase.THINKING): Verdict.JOIN,
    (Overlap.INTERRUPT, Phase.SPEAKING): Verdict.INTERRUPT,
    (Overlap.DROP, Phase.THINKING): Verdict.IGNORE,
    (Overlap.DROP, Phase.SPEAKING): Verdict.IGNORE,
}
ONE, TWO = TurnId("one"), TurnId("two")


def message(seq: int, text: str = "Hello.", *, is_spirit: bool = False) -> Message:
    return Message(MessageId(str(seq)), SessionId("s"), seq, UserId("ada"), "Ada", text, stamp(), is_spirit)


@pytest.mark.parametrize(("overlap", "phase"), VERDICTS)
def test_a_message_means_what_the_table_says(overlap: Overlap, phase: Phase) -> None:
    spirit = SpiritSettings(overlap=overlap)
    assert verdict(spirit, phase, message(1)) is VERDICTS[overlap, phase]
    assert verdict(spirit, Phase.IDLE, message(1)) is Verdict.BEGIN
    assert verdict(spirit, phase, message(1, is_spirit=True)) is Verdict.IGNORE


@pytest.mark.parametrize(
    ("text", "is_named"),
    [("Iris?", True), ("@iris", True), ("IRIS!", True), ("(iris)", True), ("irises", False), ("my-iris", True)],
)
def test_a_name_counts_as_a_word_of_its_own(text: str, is_named: bool) -> None:
    assert mentions("Iris", text) is is_named


def test_a_name_that_looks_like_a_pattern_is_only_a_name() -> None:
    assert mentions("A.C", "hello a.c")
    assert not mentions("A.C", "hello abc")


def test_merge_answers_the_last_and_queue_the_first_that_waits() -> None:
    waiting = [message(3), message(4, is_spirit=True), message(5)]
    assert woken_by(SpiritSettings(), waiting) == waiting[2]
    assert woken_by(SpiritSettings(overlap=Overlap.QUEUE), waiting) == waiting[0]
    assert woken_by(SpiritSettings(answers=Answers.NEVER), waiting) is None


@given(st.lists(st.floats(0, 0.2), max_size=200))
def test_deltas_are_never_closer_than_their_interval_and_lose_nothing(steps: list[float]) -> None:
    pacer, now, taken = DeltaPacer(), 100.0, []
    for step in steps:
        now += step
        pacer.add("x")
        if pacer.wait_seconds(now) == 0.0:
            taken.append((now, pacer.take(now)))
    rest = pacer.take(now)
    assert sum(len(text) for _, text in taken) + len(rest) == len(steps)
    assert all(b - a >= DELTA_INTERVAL_SECONDS - 1e-9 for (a, _), (b, _) in pairwise(taken))


@given(st.lists(st.floats(0.01, 0.9), max_size=40))
def test_a_pause_ends_at_its_cap_however_often_it_is_disturbed(steps: list[float]) -> None:
    quiet, now = Quiet(1.0, 0.0), 0.0
    for step in steps:
        now += step
        quiet.disturb(now)
        assert now + quiet.wait_seconds(now) <= max(now, QUIET_CAP_FACTOR)


async def test_a_late_timer_does_not_cut_the_next_interval_short() -> None:
    """The loop was busy when a delta was due: it goes with the next piece, and its timer must not fire after that."""
    told: list[float] = []

    def tell(_: int, __: str) -> bool:
        told.append(time.monotonic())
        return True

    speech = Speech(tell)
    speech.add("a")
    speech.add("b")
    until = time.monotonic() + 1.2 * DELTA_INTERVAL_SECONDS
    while time.monotonic() < until:
        pass
    speech.add("c")
    speech.add("d")
    await speech.finish()
    assert speech.said == "abcd"
    assert all(b - a >= DELTA_INTERVAL_SECONDS for a, b in pairwise(told))


async def test_a_turn_says_no_more_than_a_message_holds_and_only_what_can_be_stored() -> None:
    speech = Speech(lambda *_: True)
    speech.add("\x00a\ud800")
    speech.add("b" * MESSAGE_CHARS)
    await speech.finish()
    assert speech.said == "a" + "b" * (MESSAGE_CHARS - 1)
    assert speech.is_full


async def test_what_the_room_was_not_told_does_not_count_as_said() -> None:
    speech = Speech(lambda *_: False)
    speech.add("a")
    await speech.finish()
    assert (speech.said, speech.index) == ("", 0)


def test_only_a_failure_that_generated_nothing_is_free() -> None:
    assert counted_for(None, "rate_limited") == Usage(0, 0)
    assert counted_for(None, "timeout_first_token") is None
    assert counted_for(Usage(1, 2), "cut") == Usage(1, 2)
    assert counted_for(None, None) is None


def heard(*events: Event) -> TurnUnderWay | None:
    watch = TurnWatch()
    for event in events:
        watch.hear(WireEvent.of(event))
    return watch.under_way


def test_a_watch_knows_a_turn_as_far_as_it_heard_every_delta() -> None:
    said: list[Event] = [SpiritThinking(ONE), SpiritDelta(ONE, 0, "a"), SpiritThinking(ONE), SpiritDelta(ONE, 1, "b")]
    assert heard(*said) == TurnUnderWay(ONE, 2, "ab")
    assert heard(said[0], said[3]) is None
    assert heard(said[1]) is None
    assert heard(*said, SpiritFinished(TWO, TurnReason.COMPLETED)) == TurnUnderWay(ONE, 2, "ab")
    assert heard(*said, SpiritFinished(ONE, TurnReason.COMPLETED)) is None
    assert heard(*said, SpiritThinking(TWO)) == TurnUnderWay(TWO, 0, "")


def test_an_end_that_was_told_already_is_no_news() -> None:
    watch, end = TurnWatch(), WireEvent.of(SpiritFinished(ONE, TurnReason.COMPLETED))
    assert watch.hear(end)
    assert not watch.hear(WireEvent.of(SpiritFinished(ONE, TurnReason.INTERRUPTED)))
    assert watch.hear(WireEvent.of(SpiritThinking(TWO)))


def test_an_answer_that_is_older_than_the_end_does_not_bring_a_turn_back() -> None:
    watch = TurnWatch()
    for event in (SpiritThinking(ONE), SpiritFinished(ONE, TurnReason.COMPLETED)):
        watch.hear(WireEvent.of(event))
    watch.learn(TurnUnderWay(ONE, 1, "a"))
    assert watch.under_way is None
    assert watch.known_of(ONE) == TurnOver(ONE)
    assert watch.known_of(TWO) is None
    watch.learn(TurnUnderWay(TWO, 1, "a"))
    assert watch.known_of(None) == watch.known_of(TWO) == TurnUnderWay(TWO, 1, "a")
