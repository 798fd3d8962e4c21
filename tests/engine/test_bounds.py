"""Every bound, each seen to hold."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from server.engine import Limits, encode_event
from server.engine.link import WebSocket
from tests.engine.wire import PATIENCE_SECONDS, QUIET, UNIT_SECONDS, Chat, listening
from tests.interop.fixture import make_app

if TYPE_CHECKING:
    from server.engine import Inbound


async def test_a_client_that_does_not_read_is_cut_at_the_bound() -> None:
    chat = Chat(limits=replace(QUIET, queued_bytes=200_000))
    packet = encode_event("news", "x" * 50_000)
    async with chat.serve() as wire, await wire.tcp() as tcp, wire.joined() as reader:
        await tcp.upgrade("/socket.io/?EIO=4&transport=websocket")
        tcp.writer.write(b"\x81\x82\x00\x00\x00\x0040")
        while len(chat.handshakes) < 2:
            await asyncio.sleep(0)
        mute = chat.handshakes[1].sid if chat.handshakes[0].sid == reader.sid else chat.handshakes[0].sid
        highest = 0
        for _ in range(2_000):
            chat.sio.broadcast("hall", packet)
            await reader.event()
            highest = max(highest, chat.sio.backlog_bytes(mute))
            if chat.gone:
                break
        assert chat.gone == [(mute, "slow consumer")]
        assert highest <= 200_000 + len(packet.frames)


async def numbers_read_late(chat: Chat) -> list[int]:
    """What a client reads that lets much wait, first in the kernel and then in the transport, then reads all."""
    async with chat.serve() as wire, wire.joined() as ada:
        (connection,) = chat.sio.eio.sockets.values()
        ada.raw._reader._protocol.pause_reading()
        for number in range(400):
            chat.sio.broadcast("hall", encode_event("news", number, "x" * 20_000))
            await asyncio.sleep(0)
        assert chat.sio.backlog_bytes(ada.sid) > 1_000_000
        ada.raw._reader._protocol.resume_reading()
        numbers = []
        for number in range(400, 800):
            chat.sio.broadcast("hall", encode_event("news", number))
            numbers.append((await ada.event())[1])
        numbers += [(await ada.event())[1] for _ in range(400)]
        assert connection.link.number >= 0, "written to directly again"
        return numbers


async def test_what_waits_in_the_transport_is_not_overtaken() -> None:
    assert await numbers_read_late(Chat(limits=replace(QUIET, queued_bytes=50_000_000))) == list(range(800))


async def test_without_going_through_the_transport_meanwhile_it_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebSocket, "pause_writing", lambda _: None)
    with pytest.raises((AssertionError, ValueError)):  # a frame cut in two by another is none
        await numbers_read_late(Chat(limits=replace(QUIET, queued_bytes=50_000_000)))


async def test_a_polling_client_that_does_not_poll_is_cut_at_the_bound() -> None:
    chat = Chat(limits=replace(QUIET, queued_bytes=200_000))
    async with chat.serve() as wire:
        eio_sid = await wire.open_polling()
        await wire.post(eio_sid, "40")
        while not chat.handshakes:
            await asyncio.sleep(0)
        for _ in range(10):
            chat.sio.broadcast("hall", encode_event("news", "x" * 50_000))
        assert chat.gone == [(chat.handshakes[0].sid, "slow consumer")]
        assert (await wire.poll(eio_sid))[0] == 400


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_transport_without_connect_is_closed_in_time(transport: str) -> None:
    chat = Chat(limits=replace(QUIET, connect_seconds=2 * UNIT_SECONDS))
    async with chat.serve() as wire:
        if transport == "websocket":
            async with wire.websocket() as ws:
                await ws.receive()
                assert await ws.closed() < 10 * UNIT_SECONDS
        else:
            sid = await wire.open_polling()
            assert await wire.poll(sid) == (200, "1")
        assert not chat.sio.eio.sockets


async def test_a_refused_client_is_closed_when_it_does_not_try_again() -> None:
    chat = Chat(limits=replace(QUIET, connect_seconds=2 * UNIT_SECONDS))
    async with chat.serve() as wire, wire.joined() as ada:
        await ada.send("41")
        await ada.closed()


async def test_handshakes_of_one_address_are_limited() -> None:
    chat = Chat(limits=Limits(handshakes_per_second=1, handshake_burst=3))
    async with chat.serve() as wire:
        for _ in range(3):
            await wire.open_polling()
        async with wire.http.get(wire.url()) as response:
            assert response.status == 429


async def test_a_server_that_is_shut_lets_nobody_new_in_and_keeps_who_is_there() -> None:
    chat = Chat()
    async with chat.serve() as wire, wire.joined() as ada:
        sid = await wire.open_polling()
        chat.sio.shut()
        async with wire.http.get(wire.url()) as response:
            assert response.status == 503
            assert 1 <= int(response.headers["Retry-After"]) <= 5
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await wire.http.ws_connect(wire.url(transport="websocket"))
        assert (await wire.post(sid, "40"))[0] == 200
        async with wire.websocket(sid=sid) as upgrading:
            await upgrading.send("2probe")
            assert await upgrading.receive() == "3probe"
        await ada.send('42["say","still here"]')
        assert await ada.event() == ["said", "still here"]


async def test_too_many_packets_in_a_payload_are_refused() -> None:
    chat = Chat(limits=replace(QUIET, payload_packets=10))
    async with chat.serve() as wire:
        sid = await wire.open_polling()
        assert (await wire.post(sid, "\x1e".join(["6"] * 11)))[0] == 400


async def test_a_body_that_never_ends_is_given_up() -> None:
    chat = Chat(limits=replace(QUIET, body_seconds=2 * UNIT_SECONDS))
    async with chat.serve() as wire, await wire.tcp() as tcp:
        sid = await wire.open_polling()
        head = (
            f"POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\n4"
        )
        tcp.writer.write(head.encode())
        start = time.monotonic()
        assert (await tcp.until_closed()).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - start < 10 * UNIT_SECONDS
        assert not chat.sio.eio.sockets


async def test_an_upgrade_that_never_ends_is_given_up() -> None:
    chat = Chat(limits=replace(QUIET, upgrade_seconds=2 * UNIT_SECONDS))
    async with chat.serve() as wire:
        sid = await wire.open_polling()
        async with wire.websocket(sid) as ws:
            await ws.send("2probe")
            assert await ws.receive() == "3probe"
            await ws.closed()
        assert (await wire.post(sid, "40"))[0] == 200


async def test_attachments_are_bounded_in_number_and_size() -> None:
    limits = replace(QUIET, attachments=2, attachment_bytes=1_000)
    async with listening(make_app("fast", limits, 25, 20)) as wire:
        places = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(3))
        sequences: list[list[str | bytes]] = [
            [f'453-["message",{places}]'],
            ['451-["message",{"_placeholder":true,"num":0}]', b"x" * 1_001],
        ]
        for packets in sequences:
            async with wire.joined() as ws:
                await ws.event()
                for packet in packets:
                    await ws.send(packet)
                await ws.closed()


async def test_attachments_nobody_announced_and_those_that_do_not_come_end_the_connection() -> None:
    chat = Chat()
    async with chat.serve() as wire:
        unheard = '451-["say",{"_placeholder":true,"num":0}]'
        for packets in ([b"bytes"], [unheard, "42[]"]):
            async with wire.joined() as ws:
                for packet in packets:
                    await ws.send(packet)
                assert await ws.closed() < UNIT_SECONDS
        await chat.until_gone(2)


@pytest.mark.parametrize("namespace", ["", "/,"])
async def test_attachments_come_to_direct_handlers_as_bytes(namespace: str) -> None:
    chat = Chat(limits=replace(QUIET, event_bytes=1_000))
    async with chat.serve() as wire, wire.joined() as ws:
        for size in (3, 1_000):
            await ws.send(f'451-{namespace}7["unheard",{{"_placeholder":true,"num":0}}]')
            await ws.send(b"x" * size)
        await ws.send(f'42{namespace}["unheard",1]')
        await chat.until_seen(3)
    small, big, plain = chat.seen
    assert (small.name, small.args, small.ack_id) == ("unheard", [b"xxx"], 7)
    assert big.size_bytes > 1_000
    assert list(plain.args) == [1]


async def test_a_slow_handler_pauses_reading_and_loses_nothing() -> None:
    limits = replace(QUIET, waiting_packets=10)
    chat = Chat(limits=limits)
    go, done = asyncio.Event(), []

    async def slow(_: str, number: int) -> None:
        await go.wait()
        done.append(number)

    chat.sio.on("slow", slow, namespace="/stock")
    async with chat.serve() as wire, wire.websocket() as ws:
        await ws.receive()
        await ws.send("40/stock,")
        await ws.receive()
        for number in range(500):
            await ws.send(f'42/stock,["slow",{number}]')
        await asyncio.sleep(UNIT_SECONDS)
        connection = next(iter(chat.sio.eio.sockets.values()))
        assert connection.busy.paused
        go.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(done) < 500:
                await asyncio.sleep(UNIT_SECONDS / 10)
        assert done == list(range(500))
        assert connection.busy is None


async def test_five_thousand_slow_events_make_one_task_that_ends_with_the_client() -> None:
    chat = Chat()
    go = asyncio.Event()

    async def slow(_: str) -> None:
        await go.wait()

    chat.sio.on("slow", slow, namespace="/stock")
    async with chat.serve() as wire:
        before = len(asyncio.all_tasks())
        async with wire.websocket() as ws:
            await ws.receive()
            await ws.send("40/stock,")
            await ws.receive()
            for _ in range(5_000):
                await ws.send('42/stock,["slow"]')
            assert len(asyncio.all_tasks()) <= before + 5
        go.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while chat.sio.eio.sockets or len(asyncio.all_tasks()) > before:
                await asyncio.sleep(UNIT_SECONDS / 10)


async def test_a_thousand_hostile_frames_cost_few_short_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    chat = Chat()
    with caplog.at_level(logging.DEBUG):
        async with chat.serve() as wire:
            start = time.monotonic()
            for _ in range(200):
                async with wire.joined() as ws:
                    await ws.send("4" + "[" * 500)
                    await ws.closed()
            seconds = time.monotonic() - start
        lines = [record.getMessage() for record in caplog.records if record.name == "engine"]
    assert 1 <= len(lines) <= 10 * max(1, seconds)
    assert max(map(len, lines)) <= 200


async def test_a_poll_whose_client_vanishes_ends_the_session_at_once() -> None:
    chat = Chat()
    async with chat.serve() as wire:
        eio_sid = await wire.open_polling()
        await wire.post(eio_sid, "40")
        await wire.poll(eio_sid)
        async with await wire.tcp() as tcp:
            tcp.writer.write(
                f"GET /socket.io/?EIO=4&transport=polling&sid={eio_sid} HTTP/1.1\r\nHost: t\r\n\r\n".encode()
            )
            await asyncio.sleep(UNIT_SECONDS)
        start = time.monotonic()
        await chat.until_gone()
        assert time.monotonic() - start < 1


async def test_closing_while_a_handler_floods_drops_what_waits() -> None:
    chat = Chat()
    seen: list[Inbound] = []

    def bye(inbound: Inbound) -> None:
        seen.append(inbound)
        chat.sio.abort(inbound.sid, "enough")

    chat.sio.on_packet("bye", bye)
    async with chat.serve() as wire, wire.joined() as ada:
        frame = b'\x81\x89\x00\x00\x00\x0042["bye"]'
        connection = ada.raw._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.write(frame * 100)
        await ada.closed()
    assert len(seen) == 1
    assert chat.gone == [(seen[0].sid, "enough")]


async def test_environ_is_dropped_once_nobody_can_ask_for_it() -> None:
    chat = Chat()
    async with chat.serve() as wire, wire.joined():
        assert chat.sio.environ == {}


async def test_the_address_is_the_client_s_behind_trusted_proxies_only() -> None:
    for trusted, expected in ((("127.0.0.0/8",), "192.0.2.7"), ((), "127.0.0.1")):
        chat = Chat(limits=replace(QUIET, trusted_proxies=trusted))
        async with chat.serve() as wire:
            headers = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}
            async with wire.http.get(wire.url(), headers=headers) as response:
                sid = json.loads((await response.text())[1:])["sid"]
            await wire.post(sid, "40")
            await wire.poll(sid)
            assert chat.handshakes[0].remote == expected


@pytest.mark.parametrize(
    ("allowed", "origin", "status"),
    [
        ([], "https://evil.example", 403),
        (["https://good.example"], "https://good.example", 200),
        (["https://good.example"], "https://evil.example", 403),
        (None, "https://evil.example", 403),
        (None, "own", 200),
        ("*", "https://any.example", 200),
    ],
)
async def test_origins(allowed: object, origin: str, status: int) -> None:
    chat = Chat(cors_allowed_origins=allowed)
    async with chat.serve() as wire:
        sent = wire.base if origin == "own" else origin
        async with wire.http.get(wire.url(), headers={"Origin": sent}) as response:
            assert response.status == status
            told = response.headers.get("Access-Control-Allow-Origin")
            credentials = response.headers.get("Access-Control-Allow-Credentials")
    assert told == (None if status == 403 else "*" if allowed == "*" else sent)
    assert credentials == ("true" if told not in {None, "*"} else None)


async def test_a_server_that_shuts_down_tells_everyone_and_takes_nobody() -> None:
    chat = Chat()
    async with chat.serve() as wire, wire.joined() as ada:
        await chat.sio.shutdown()
        await ada.closed()
        async with wire.http.get(wire.url()) as response:
            assert response.status == 503
    assert [reason for _, reason in chat.gone] == ["server disconnect"]


async def test_a_handler_waits_for_an_answer_of_its_own_client() -> None:
    chat = Chat()

    async def ask(sid: str) -> object:
        return await chat.sio.call("question", to=sid, namespace="/stock", timeout=PATIENCE_SECONDS)

    chat.sio.on("ask", ask, namespace="/stock")
    async with chat.serve() as wire, wire.websocket() as ws:
        await ws.receive()
        await ws.send("40/stock,")
        await ws.receive()
        await ws.send('42/stock,1["ask"]')
        assert await ws.receive() == '42/stock,1["question"]'
        await ws.send('43/stock,1["answer"]')
        assert await ws.receive() == '43/stock,1["answer"]'
