"""What arrives while somebody joins, in the wrong order, or never."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from server.core.sequencer import Sequencer
from server.realtime.broadcast import Rooms
from server.realtime.bundle import Bundle
from server.realtime.heads import Heads
from server.realtime.holes import HOLE_SECONDS, Holes
from server.realtime.room import Arrival
from server.store.sessions import Head, SessionStore
from tests.races.stage import SESSION, Carrier, Door, Line, Log, message

if TYPE_CHECKING:
    from collections.abc import Collection

    import pytest

    from server.domain import SessionId

FILL_SECONDS = 5.0


class _Sessions(SessionStore):
    """The database's word on how far a session is."""

    def __init__(self, seq: int) -> None:
        self._seq = seq

    async def heads(self, session_ids: Collection[SessionId]) -> dict[SessionId, Head]:
        return {session_id: Head(self._seq) for session_id in session_ids}


class Stage:
    """One process's rooms with one client that had everything up to `start`."""

    def __init__(self, *, start: int = 0, head: int = 0) -> None:
        self.log = Log(head)
        self.carrier = Carrier()
        self.rooms = Rooms(self.carrier, self.log)
        self.door = Door()
        self.rooms.open(self.door)
        self.start = start
        self.line = Line()

    async def join(self) -> Line:
        """A client that is in, and was told nothing yet."""
        visitor, self.line = self.door.visitor("ada")
        arrival = await self.rooms.expect(SESSION, visitor, "ada")
        self.rooms.begin_at(SESSION, self.start)
        self.rooms.settle(SESSION, arrival, self.start)
        return self.line

    def news(self, seq: int) -> None:
        """News of a message from another process."""
        self.carrier.on_news(SESSION, [Bundle([message(seq)], b"", seq, seq).packed()])

    async def heard(self, *seqs: int) -> None:
        async with asyncio.timeout(FILL_SECONDS):
            while self.line.heard != list(seqs):
                await asyncio.sleep(0.01)


async def told_while_joining() -> list[int]:
    """What a joiner hears of a message that is told after its head was read and before it is in."""
    stage = Stage()
    visitor, line = stage.door.visitor("ada")
    arrival = await stage.rooms.expect(SESSION, visitor, "ada")
    stage.rooms.begin_at(SESSION, 0)
    stage.rooms.tell_messages(SESSION, [message(1)])
    stage.rooms.settle(SESSION, arrival, 0)
    stage.rooms.tell_messages(SESSION, [message(2)])
    return line.heard


async def test_a_message_told_while_somebody_joins_is_kept_for_them() -> None:
    assert await told_while_joining() == [1, 2]


async def test_without_keeping_it_the_joiner_would_have_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Arrival, "hold", lambda *_: None)
    assert await told_while_joining() == [2]


async def test_heads_compared_while_somebody_joins_make_no_hole() -> None:
    """The room begins where the joiner's seat says, not where the database has come to meanwhile."""
    stage = Stage(head=1)
    visitor, stage.line = stage.door.visitor("ada")
    arrival = await stage.rooms.expect(SESSION, visitor, "ada")
    stage.news(1)
    await Heads(_Sessions(1), stage.rooms, lambda: True).compare()
    stage.rooms.begin_at(SESSION, 0)
    stage.rooms.settle(SESSION, arrival, 0)
    stage.news(2)
    await stage.heard(1, 2)


async def test_a_head_learnt_while_somebody_joins_is_not_forgotten() -> None:
    stage = Stage(head=1)
    visitor, stage.line = stage.door.visitor("ada")
    arrival = await stage.rooms.expect(SESSION, visitor, "ada")
    await Heads(_Sessions(1), stage.rooms, lambda: True).compare()
    stage.rooms.begin_at(SESSION, 0)
    stage.rooms.settle(SESSION, arrival, 0)
    await stage.heard(1)


async def test_news_in_the_wrong_order_is_told_in_the_right_one() -> None:
    stage = Stage()
    await stage.join()
    for seq in (2, 3, 1, 2):
        stage.news(seq)
    assert stage.line.heard == [1, 2, 3]


async def test_without_the_sequencer_it_would_be_told_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sequencer, "offer", lambda _self, _seq, item: [item])
    stage = Stage()
    await stage.join()
    for seq in (2, 3, 1, 2):
        stage.news(seq)
    assert stage.line.heard == [2, 3, 1, 2]


async def test_news_that_never_came_is_read_from_the_log() -> None:
    stage = Stage(head=4)
    await stage.join()
    stage.news(1)
    stage.news(4)
    await stage.heard(1, 2, 3, 4)


async def test_without_filling_holes_the_room_would_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Holes, "fill", lambda *_: None)
    stage = Stage(head=4)
    await stage.join()
    stage.news(1)
    stage.news(4)
    await asyncio.sleep(HOLE_SECONDS * 5)
    assert stage.line.heard == [1]


async def test_the_last_message_is_noticed_though_no_news_of_it_came() -> None:
    stage = Stage(head=1)
    await stage.join()
    await Heads(_Sessions(1), stage.rooms, lambda: True).compare()
    await stage.heard(1)


async def test_without_comparing_heads_the_last_message_would_stay_away() -> None:
    stage = Stage(head=1)
    await stage.join()
    await asyncio.sleep(HOLE_SECONDS * 5)
    assert stage.line.heard == []


async def test_news_that_comes_while_its_hole_is_read_is_told_once() -> None:
    stage = Stage(head=3)
    await stage.join()
    stage.news(3)
    await asyncio.sleep(HOLE_SECONDS / 2)
    stage.news(1)
    stage.news(2)
    await stage.heard(1, 2, 3)
    await asyncio.sleep(HOLE_SECONDS * 3)
    assert stage.line.heard == [1, 2, 3]
