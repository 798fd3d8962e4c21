"""The protocol core, without a socket or a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.engine import encode_event
from server.engine.connection import Connection
from server.engine.deadlines import LOOK_SECONDS, Clock, Deadlines
from server.engine.outgoing import NOBODY
from server.engine.packets import Malformed
from server.engine.ports import Link, Reason, State

if TYPE_CHECKING:
    from server.engine.outgoing import Outgoing

HELLO = encode_event("hello")


class FakeHost:
    queued_bytes = 1_000

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.ends: list[str] = []
        self.pongs = 0

    def received(self, _: Connection, data: str | bytes) -> None:
        self.messages.append(data)

    async def drained(self, _: Connection) -> None:
        """Always."""

    def pong(self, _: Connection) -> None:
        self.pongs += 1

    def upgraded(self, _: Connection) -> None:
        """Nothing."""

    def complain(self, _: Connection, what: str) -> None:
        """Nothing."""

    def closed(self, _: Connection, reason: str) -> None:
        self.ends.append(reason)


class FakeLink:
    deflates = False
    number = NOBODY
    outgoing: Outgoing

    def __init__(self) -> None:
        self.written = b""
        self.end = ""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.end = f"closed {code}{reason}"

    def hang_up(self) -> None:
        self.end = "hung up"

    def abort(self, reason: str) -> None:
        self.end = f"aborted {reason}"

    def pause_reading(self) -> None:
        """Nothing."""

    def resume_reading(self) -> None:
        """Nothing."""

    @property
    def backlog_bytes(self) -> int:
        return len(self.written)


def polling() -> tuple[Connection, FakeHost]:
    host = FakeHost()
    return Connection(host, "sid", "address"), host


def on_websocket() -> tuple[Connection, FakeHost, FakeLink]:
    host, link = FakeHost(), FakeLink()
    typed: Link = link
    return Connection(host, "sid", "address", typed), host, link


def test_packets_wait_for_a_poll_and_wake_one_that_waits() -> None:
    connection, _ = polling()
    connection.send(HELLO)
    woken: list[int] = []
    assert connection.poll(lambda: woken.append(1))
    assert connection.take_payload() == '42["hello"]'
    assert not connection.poll(lambda: woken.append(1))
    connection.send(HELLO)
    connection.send(HELLO)
    assert woken == [1]
    assert connection.take_payload() == '42["hello"]\x1e42["hello"]'


def test_a_payload_with_a_bad_packet_is_not_taken_in_part() -> None:
    connection, host = polling()
    with pytest.raises(Malformed):
        connection.receive_payload("4one\x1ex", 10)
    assert host.messages == []


def test_an_upgrade_moves_what_waits_in_order() -> None:
    connection, _ = polling()
    connection.send(encode_event("one"))
    connection.start_upgrade()
    connection.send(encode_event("two"))
    link = FakeLink()
    connection.finish_upgrade(link)
    connection.send(encode_event("three"))
    assert [part[:1] for part in link.written.split(b'42["')[1:]] == [b"o", b"t", b"t"]
    assert connection.backlog_bytes() == len(link.written)


def test_an_upgrade_answers_polls_with_a_noop() -> None:
    connection, _ = polling()
    woken: list[int] = []
    assert not connection.poll(lambda: woken.append(1))
    connection.start_upgrade()
    assert woken == [1]
    assert connection.take_payload() == "6"
    assert connection.poll(lambda: None)


def test_too_much_that_waits_ends_the_connection() -> None:
    connection, host = polling()
    while connection.state is State.OPEN:
        connection.send(HELLO)
    assert host.ends == [Reason.SLOW]
    assert connection.take_payload() == "1"


def test_close_lets_the_next_poll_take_what_waits() -> None:
    connection, host = polling()
    connection.send(HELLO)
    connection.close()
    assert host.ends == [Reason.SERVER]
    assert connection.state is State.CLOSING
    assert connection.take_payload() == '42["hello"]'
    assert connection.take_payload() == "1"
    assert connection.closed


@given(
    st.lists(
        st.sampled_from(["close", "abort", "fail", "lost", "1", "send", "poll", "take", "upgrade", "4x"]), max_size=20
    )
)
def test_whatever_happens_the_end_is_told_once(steps: list[str]) -> None:  # noqa: C901 - a table of steps
    connection, host = polling()
    for step in steps:
        match step:
            case "close":
                connection.close()
            case "abort":
                connection.abort("aborted")
            case "fail":
                connection.fail("failed")
            case "lost":
                connection.lost("lost")
            case "send":
                connection.send(HELLO)
            case "poll":
                connection.poll(lambda: None)
            case "take":
                connection.take_payload()
            case "upgrade":
                if connection.state is State.OPEN and not connection.upgraded:
                    connection.finish_upgrade(FakeLink())
            case packet:
                connection.receive(packet)
    connection.lost("lost")
    assert len(host.ends) == 1
    assert connection.closed
    messages = len(host.messages)
    connection.receive("4late")
    connection.send(HELLO)
    assert len(host.messages) == messages


def test_the_client_s_close_hangs_up() -> None:
    connection, host, link = on_websocket()
    connection.receive("1")
    assert link.end == "hung up"
    assert host.ends == [Reason.CLIENT]


def test_pongs_are_passed_on_and_noops_ignored() -> None:
    connection, host, _ = on_websocket()
    connection.receive("3")
    connection.receive("6")
    assert (host.pongs, host.messages) == (1, [])


def test_deadlines_fall_due_in_order_and_can_be_stopped() -> None:
    deadlines: Deadlines[str] = Deadlines(10)
    for moment, key in enumerate("abc"):
        deadlines.start(key, moment)
    assert deadlines.stop("b")
    assert not deadlines.stop("b")
    assert list(deadlines.due(11.5)) == [("a", 10)]
    assert deadlines.next_at == 12
    assert len(deadlines) == 1


def test_the_clock_asks_for_the_earliest_wake_up_and_tells_the_moment_due() -> None:
    asked: list[float] = []
    told: list[tuple[str, float]] = []
    clock: Clock[str] = Clock(asked.append)
    slow = clock.kind(10, lambda key, at: told.append((key, at)))
    fast = clock.kind(2, lambda key, at: told.append((key, at)))
    clock.start(slow, "slow", 0)
    clock.start(fast, "fast", 1)
    assert asked == [10, 3]
    clock.wake(4)
    assert told == [("fast", 3)]
    assert asked == [10, 3, 10]
    clock.stop("slow")
    clock.wake(20)
    assert told == [("fast", 3)]


def test_a_request_finds_done_what_is_due_but_lets_a_late_wake_up_look_first() -> None:
    told: list[str] = []
    clock: Clock[str] = Clock(lambda _: None)
    clock.start(clock.kind(2, lambda key, _: told.append(key)), "ada", 0)
    for moment, expected in ((1.9, []), (2 + 2 * LOOK_SECONDS, []), (2 + LOOK_SECONDS / 2, ["ada"])):
        clock.wake_if_due(moment)
        assert told == expected


def test_a_million_deadlines_cost_no_more_each_than_a_thousand() -> None:
    deadlines: Deadlines[int] = Deadlines(1)
    for key in range(200_000):
        deadlines.start(key, 0)
    for key in range(199_999):
        deadlines.stop(key)
    # An ordinary dict would look through 199,999 empty places here, each time.
    assert all(deadlines.next_at == 1 for _ in range(10_000))
