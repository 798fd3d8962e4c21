"""What a broadcast and a departure cost."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
import socketio

from server.engine import encode_event, merge
from server.engine import outgoing as outgoing_module
from server.engine.fan_out import FanOut
from server.engine.outgoing import MANY, NOBODY, outgoing
from server.engine.rooms import IndexedManager, indexed
from tests.engine.wire import UNIT_SECONDS, Chat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server.engine.outgoing import Outgoing

MEMBERS = 20


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the writes to sockets."""
    found: list[int] = []

    class Counting:
        @staticmethod
        def write(descriptor: int, frames: bytes) -> int:
            found.append(len(frames))
            return os.write(descriptor, frames)

    monkeypatch.setattr(outgoing_module, "os", Counting)
    return found


async def test_a_broadcast_makes_no_task_and_one_write_for_each_member(writes: list[int]) -> None:
    chat = Chat()
    async with chat.serve() as wire, AsyncExitStack() as stack:
        members = [await stack.enter_async_context(wire.joined()) for _ in range(MEMBERS)]
        tasks = len(asyncio.all_tasks())
        writes.clear()
        for number in range(5):
            chat.sio.broadcast("hall", encode_event("news", number))
        await chat.sio.emit("last", room="hall")
        assert len(asyncio.all_tasks()) == tasks
        for member in members:
            assert [(await member.event())[-1] for _ in range(6)] == [0, 1, 2, 3, 4, "last"]
        assert len(writes) == MEMBERS


async def test_merged_packets_arrive_as_if_written_one_by_one() -> None:
    chat = Chat()
    async with chat.serve() as wire, wire.joined() as ada:
        eio_sid = await wire.open_polling()
        await wire.post(eio_sid, "40")
        await wire.poll(eio_sid)
        chat.sio.broadcast("hall", merge([encode_event("a", 1), encode_event("b", 2)]))
        assert [await ada.event(), await ada.event()] == [["a", 1], ["b", 2]]
        assert await wire.poll(eio_sid) == (200, '42["a",1]\x1e42["b",2]')


async def test_a_packet_is_encoded_once() -> None:
    packet = encode_event("news", {"text": "x"})
    chat = Chat()
    async with chat.serve() as wire, wire.joined(), wire.joined():
        chat.sio.broadcast("hall", packet)
        sockets = [connection.link for connection in chat.sio.eio.sockets.values()]
        assert all(link.outgoing.take(link) is packet.frames for link in sockets)
        await asyncio.sleep(UNIT_SECONDS / 10)


class Sink:
    """Takes frames as a socket does; `cut` is called when it gets some."""

    def __init__(self, line: Outgoing, descriptor: int | None = None, cut: Callable[[], object] = lambda: None) -> None:
        self.number = NOBODY
        self.written: list[bytes] = []
        self._cut = cut
        line.enter(self, descriptor)

    def write_now(self, frames: bytes) -> None:
        self.written.append(frames)
        self._cut()


async def test_much_leaves_at_once_and_in_order() -> None:
    """Joining without a bound would copy what waits with every frame."""
    line = outgoing()
    sink = Sink(line)
    frames = [bytes([number]) * 1000 for number in range(100)]
    for frame in frames:
        line.write([sink.number], frame)
    assert 4 <= len(sink.written) <= 8
    await asyncio.sleep(0)
    assert b"".join(sink.written) == b"".join(frames)
    line.leave(sink)


@pytest.mark.parametrize("members", [2, 2 * MANY])
async def test_a_large_room_hears_the_same_as_a_small_one_and_in_order(members: int) -> None:
    line = outgoing()
    sinks = [Sink(line) for _ in range(members)]
    line.write_one(sinks[1].number, b"a")
    line.write([sink.number for sink in sinks], b"b")
    line.write([sink.number for sink in sinks], b"c")
    await asyncio.sleep(0)
    assert [b"".join(sink.written) for sink in sinks] == [b"bc", b"abc"] + [b"bc"] * (members - 2)
    for sink in sinks:
        line.leave(sink)


async def test_what_is_cut_off_while_others_are_written_to_is_written_no_more() -> None:
    line = outgoing()
    second = Sink(line)
    first = Sink(line, cut=lambda: line.take(second))
    line.write([first.number, second.number], b"x")
    await asyncio.sleep(0)
    assert (first.written, second.written) == ([b"x"], [])
    line.write_one(second.number, b"y")
    await asyncio.sleep(0)
    assert second.written == [b"y"]
    line.leave(first)
    line.leave(second)


async def test_what_ends_while_others_are_written_to_leaves_no_frames_for_its_descriptor() -> None:
    line = outgoing()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        second = Sink(line, ours.fileno())
        first = Sink(line, cut=lambda: line.leave(second))
        line.write_one(first.number, b"a" * 20_000)
        line.write([first.number, second.number], b"x")
        await asyncio.sleep(0)
        assert b"".join(first.written) == b"a" * 20_000 + b"x"
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
        line.leave(first)


async def test_what_the_kernel_does_not_take_is_handed_to_the_transport_in_order() -> None:
    line = outgoing()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        sink = Sink(line, ours.fileno())
        line.write_one(sink.number, b"a" * 4_000_000)
        await asyncio.sleep(0)
        (rest,) = sink.written
        assert 0 < len(rest) < 4_000_000
        line.enter(sink, None)  # as a transport does, in which something waits
        line.write_one(sink.number, b"b")
        await asyncio.sleep(0)
        assert sink.written == [rest, b"b"]
        line.leave(sink)


async def test_a_number_that_changes_keeps_what_waits() -> None:
    line = outgoing()
    sink = Sink(line)
    before = sink.number
    line.write_one(before, b"a")
    line.enter(sink, None)
    assert sink.number != before
    line.write_one(sink.number, b"b")
    line.write_one(before, b"lost: nobody has this number")
    await asyncio.sleep(0)
    assert sink.written == [b"ab"]
    line.leave(sink)


async def stranger_hears(*, looks_again: bool) -> bytes:
    """What a connection is sent that got the descriptor of one that has ended, by a room in which that one was."""
    line = outgoing()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        member = FakeMember(line, ours.fileno())
        peers: dict[str, Any] = {"member": member}
        room = FanOut(peers, peers.get)
        room.write(encode_event("before").frames, lambda *_: None)
        await asyncio.sleep(0)
        theirs.recv(1_000)
        line.leave(member)
        if not looks_again:
            room._changes = line.changes
        stranger = FakeMember(line, ours.fileno())
        room.write(encode_event("not for strangers").frames, lambda *_: None)
        await asyncio.sleep(0)
        line.leave(stranger)
        theirs.setblocking(False)
        try:
            return theirs.recv(1_000)
        except BlockingIOError:
            return b""


class FakeMember(Sink):
    """A peer that is its own link."""

    deflates = False

    def __init__(self, line: Outgoing, descriptor: int) -> None:
        super().__init__(line, descriptor)
        self.outgoing = line

    @property
    def ready(self) -> Any:
        return self


async def test_a_descriptor_that_is_somebody_else_s_now_is_not_written_to() -> None:
    assert await stranger_hears(looks_again=True) == b""


async def test_without_looking_at_the_numbers_again_a_stranger_would_hear_the_room() -> None:
    assert b"not for strangers" in await stranger_hears(looks_again=False)


def manager_with(clients: int) -> IndexedManager:
    rooms: IndexedManager = indexed(None)
    for number in range(clients):
        rooms.add(f"s{number}", "/", f"e{number}")
        rooms.basic_enter_room(f"s{number}", "/", f"room{number // 5}")
    return rooms


class Counting(dict[Any, Any]):
    """Counts how often it is walked through."""

    walks = 0

    def __iter__(self) -> Iterator[Any]:
        self.walks += 1
        return super().__iter__()

    def items(self) -> Any:
        self.walks += 1
        return super().items()

    def copy(self) -> Any:
        self.walks += 1
        return super().copy()


def test_a_departure_does_not_look_through_the_rooms_of_others() -> None:
    rooms = manager_with(100)
    rooms.rooms["/"] = watched = Counting(rooms.rooms["/"])
    for number in range(100):
        rooms.basic_disconnect(f"s{number}", "/")
    assert watched.walks == 0
    assert rooms.rooms == {}
    assert rooms._rooms_of == {"/": {}}
    assert rooms._sid_by_eio == {"/": {}}


def test_a_client_cannot_enter_another_s_own_room() -> None:
    rooms = manager_with(2)
    with pytest.raises(ValueError, match="sid room"):
        rooms.basic_enter_room("s0", "/", "s1")
    with pytest.raises(ValueError, match="not connected"):
        rooms.basic_enter_room("nobody", "/", "room0")
    assert rooms.members("/", "s1") == {"s1": "e1"}


def test_any_manager_is_indexed_and_keeps_its_kind() -> None:
    redis = socketio.AsyncRedisManager("redis://127.0.0.1:6379", write_only=False)
    assert isinstance(indexed(redis), IndexedManager)
    assert isinstance(indexed(redis), socketio.AsyncRedisManager)
    names = [kind.__name__ for kind in type(redis).__mro__]
    assert names.index("AsyncPubSubManager") < names.index("IndexedManager") < names.index("BaseManager")
