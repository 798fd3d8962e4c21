"""The signed `pid`, alone and on the wire."""

from __future__ import annotations

import json

import pytest

from server.engine import Accept, Handshake, RecoveredState, Recovery, encode_event
from tests.engine.wire import Chat

SECRET = b"0123456789abcdef0123456789abcdef"


class Now:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_pid_gives_back_what_was_signed_on_any_process() -> None:
    pid = Recovery(SECRET, 60).issue("sid", {"user": "ada"})
    found = Recovery(SECRET, 60).verify(pid, "17")
    assert found == ("sid", RecoveredState({"user": "ada"}, "17", pid))


def test_a_pid_expires() -> None:
    now = Now()
    recovery = Recovery(SECRET, 60, clock=now)
    pid = recovery.issue("sid", None)
    now.seconds += 59
    assert recovery.verify(pid, None) is not None
    now.seconds += 2
    assert recovery.verify(pid, None) is None


@pytest.mark.parametrize("pid", ["", ".", "a.b", "a.b.c", 7, None, "x" * 3_000, "é.é", "bnVsbA.bnVsbA"])
def test_what_is_no_pid_is_refused(pid: object) -> None:
    assert Recovery(SECRET, 60).verify(pid, None) is None


def test_a_changed_pid_and_another_secret_are_refused() -> None:
    pid = Recovery(SECRET, 60).issue("sid", {"role": "member"})
    forged = ("A" if pid[0] != "A" else "B") + pid[1:]
    assert Recovery(SECRET, 60).verify(forged, None) is None
    assert Recovery(SECRET[::-1], 60).verify(pid, None) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Recovery(b"short", 60)


class LogChat(Chat):
    """Keeps a log and replays it to those who come back."""

    def __init__(self) -> None:
        super().__init__(recovery=Recovery(SECRET, 60))
        self.log: list[str] = []

    async def connect(self, handshake: Handshake) -> Accept:
        self.handshakes.append(handshake)
        sid, back = handshake.sid, handshake.recovered
        self.sio.enter(sid, "hall")
        if back is None:
            return Accept(recovery={"room": "hall"})
        return Accept(after=lambda: self.replay(sid, int(back.offset or 0)), recovery=back)

    def replay(self, sid: str, offset: int) -> None:
        for number in range(offset, len(self.log)):
            self.sio.write(sid, encode_event("news", self.log[number], str(number + 1)))

    def publish(self, text: str) -> None:
        self.log.append(text)
        self.sio.broadcast("hall", encode_event("news", text, str(len(self.log))))


async def test_a_client_returns_with_its_id_and_gets_what_it_missed() -> None:
    chat = LogChat()
    async with chat.serve() as wire:
        async with wire.joined() as ada:
            chat.publish("one")
            assert await ada.event() == ["news", "one", "1"]
        await chat.until_gone()
        chat.publish("two")
        auth = {"pid": ada.welcome["pid"], "offset": "1", "token": "t"}
        async with wire.joined(auth=auth) as back:
            assert back.welcome == ada.welcome
            assert await back.event() == ["news", "two", "2"]
            chat.publish("three")
            assert await back.event() == ["news", "three", "3"]
        assert chat.handshakes[1].auth == {"token": "t"}


async def test_a_connection_that_still_holds_the_id_is_ended_first() -> None:
    chat = LogChat()
    async with chat.serve() as wire, wire.joined() as ada:  # noqa: SIM117 - the second needs the first's answer
        async with wire.joined(auth={"pid": ada.welcome["pid"], "offset": "0"}) as back:
            assert back.sid == ada.sid
            assert chat.gone == [(ada.sid, "replaced")]
            await ada.closed()
            chat.publish("one")
            assert await back.event() == ["news", "one", "1"]
            assert len(chat.gone) == 1


async def test_a_forged_pid_is_a_new_client() -> None:
    chat = LogChat()
    async with chat.serve() as wire, wire.joined(auth={"pid": "forged", "offset": "0"}) as ada:
        assert chat.handshakes[0].recovered is None
        assert chat.handshakes[0].auth == {}
        assert json.dumps(ada.welcome["pid"])
