"""What the official protocol does on the wire, at the default and at fast ping settings."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import pytest

from server.engine import Limits
from tests.engine.wire import PATIENCE_SECONDS, UNIT_SECONDS, Wire, listening
from tests.interop.fixture import make_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DEFAULT_PING, FAST_PING = (25.0, 20.0), (0.3, 0.2)
PATHS = ("/engine.io/", "/socket.io/")


@pytest.fixture(params=[DEFAULT_PING, FAST_PING], ids=["default-ping", "fast-ping"])
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    limits = Limits(handshakes_per_second=0)
    async with listening(make_app("fast", limits, *request.param)) as served:
        yield served


@pytest.fixture
async def fast_wire() -> AsyncIterator[Wire]:
    limits = Limits(handshakes_per_second=0)
    async with listening(make_app("fast", limits, *FAST_PING)) as served:
        yield served


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"transport": ""}, 0),
        ({"transport": "abc"}, 0),
        ({"EIO": ""}, 5),
        ({"EIO": "3"}, 5),
        ({"EIO": "abc"}, 5),
        ({"sid": "unknown"}, 1),
        ({"transport": "websocket"}, 3),
        ({"j": "0"}, 3),
    ],
)
async def test_a_bad_query_is_refused_in_json(wire: Wire, query: dict[str, str], code: int) -> None:
    async with wire.http.get(wire.url(**query)) as response:
        assert response.status == 400
        assert (await response.json())["code"] == code


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_handshake_by_another_method_is_refused_in_json(wire: Wire, method: str) -> None:
    async with wire.http.request(method, wire.url()) as response:
        assert response.status == 400
        assert (await response.json())["code"] == 2


async def test_the_handshake_keeps_fractions_of_a_second(fast_wire: Wire) -> None:
    async with fast_wire.http.get(fast_wire.url()) as response:
        opened = json.loads((await response.text())[1:])
    assert (opened["pingInterval"], opened["pingTimeout"]) == (300, 200)
    assert opened["upgrades"] == ["websocket"]
    assert opened["maxPayload"] == 1_000_000


async def test_a_post_is_answered_ok_and_its_packets_come_back_in_order(wire: Wire) -> None:
    sid = await wire.open_polling("/engine.io/")
    assert await wire.post(sid, "4one\x1ebAQIDBA==\x1e4two", "/engine.io/") == (200, "ok")
    assert await wire.poll(sid, "/engine.io/") == (200, "4one\x1ebAQIDBA==\x1e4two")


@pytest.mark.parametrize("body", ["abc", "", "4a\x1e", "4a\x1ex", "bnot base64!", b"4\xff"])
async def test_a_bad_payload_is_refused_and_ends_the_session(wire: Wire, body: str | bytes) -> None:
    sid = await wire.open_polling("/engine.io/")
    assert (await wire.post(sid, body, "/engine.io/"))[0] == 400
    assert (await wire.poll(sid, "/engine.io/"))[0] == 400
    assert (await wire.post(sid, "4late", "/engine.io/"))[0] == 400


async def test_two_polls_at_once_end_the_session(wire: Wire) -> None:
    sid = await wire.open_polling()
    first = asyncio.create_task(wire.poll(sid))
    await asyncio.sleep(UNIT_SECONDS / 5)
    assert (await wire.poll(sid))[0] == 400
    assert await first == (200, "1")
    assert (await wire.poll(sid))[0] == 400


async def test_a_client_s_close_releases_its_poll_at_once(wire: Wire) -> None:
    sid = await wire.open_polling()
    start = time.monotonic()
    waiting = asyncio.create_task(wire.poll(sid))
    await asyncio.sleep(UNIT_SECONDS / 5)
    assert await wire.post(sid, "1") == (200, "ok")
    assert await waiting == (200, "6")
    assert time.monotonic() - start < PATIENCE_SECONDS / 5
    assert (await wire.post(sid, "4late"))[0] == 400


async def test_a_chunked_body_is_read_to_its_end(wire: Wire) -> None:
    sid = await wire.open_polling("/engine.io/")

    async def pieces() -> AsyncIterator[bytes]:
        yield b"4hel"
        await asyncio.sleep(UNIT_SECONDS / 10)
        yield b"lo"

    async with wire.http.post(wire.url("/engine.io/", sid=sid), data=pieces()) as response:
        assert response.status == 200
    assert await wire.poll(sid, "/engine.io/") == (200, "4hello")


async def test_a_body_in_two_segments_is_not_lost(wire: Wire) -> None:
    sid = await wire.open_polling("/engine.io/")
    async with await wire.tcp() as tcp:
        head = f"POST /engine.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: test\r\n"
        tcp.writer.write(head.encode() + b"Content-Length: 50001\r\n\r\n4" + b"a" * 20_000)
        await tcp.writer.drain()
        await asyncio.sleep(UNIT_SECONDS / 2)
        tcp.writer.write(b"b" * 30_000)
        assert b"200 OK" in await asyncio.wait_for(tcp.reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
    status, payload = await wire.poll(sid, "/engine.io/")
    assert (status, len(payload)) == (200, 50_001)


async def test_forty_packets_in_one_post_all_arrive(wire: Wire) -> None:
    sid = await wire.open_polling("/engine.io/")
    packets = "\x1e".join(f"4{number}" for number in range(40))
    assert await wire.post(sid, packets, "/engine.io/") == (200, "ok")
    assert await wire.poll(sid, "/engine.io/") == (200, packets)


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_oversized_post_is_answered_413_at_once(wire: Wire, chunked: bool) -> None:
    sid = await wire.open_polling("/engine.io/")
    async with await wire.tcp() as tcp:
        length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 2000000"
        head = f"POST /engine.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: test\r\n{length}\r\n\r\n"
        tcp.writer.write(head.encode())
        if chunked:
            tcp.writer.write(b"f4241\r\n" + b"4" * 1_000_001 + b"\r\n")
        start = time.monotonic()
        assert b" 413 " in await asyncio.wait_for(tcp.reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
        assert time.monotonic() - start < PATIENCE_SECONDS / 5


@pytest.mark.parametrize("path", PATHS)
async def test_an_upgrade_answers_the_probe_and_moves_what_waits(wire: Wire, path: str) -> None:
    sid = await wire.open_polling(path)
    waiting = asyncio.create_task(wire.poll(sid, path))
    await asyncio.sleep(UNIT_SECONDS / 2)
    async with wire.websocket(sid, path) as ws:
        await ws.send("2probe")
        assert await ws.receive() == "3probe"
        # The poll that waited is released by the probe, not by the next ping.
        start = time.monotonic()
        assert await waiting in {(200, "6"), (200, "2")}
        assert time.monotonic() - start < PATIENCE_SECONDS / 5
        await ws.send("5")
        if path == "/engine.io/":
            await ws.send("4hello")
            # No NOOP slips in before it.
            assert await ws.receive() == "4hello"
        assert (await wire.poll(sid, path))[0] == 400


async def test_a_second_websocket_on_an_upgraded_session_is_closed(wire: Wire) -> None:
    sid = await wire.open_polling("/engine.io/")
    async with wire.websocket(sid, "/engine.io/") as ws:
        await ws.send("2probe")
        assert await ws.receive() == "3probe"
        await ws.send("5")
        async with wire.websocket(sid, "/engine.io/") as second:
            await second.closed()
        await ws.send("4still here")
        assert await ws.receive() == "4still here"


async def test_an_upgrade_that_breaks_off_leaves_polling_alone(wire: Wire) -> None:
    sid = await wire.open_polling("/engine.io/")
    async with wire.websocket(sid, "/engine.io/") as ws:
        await ws.send("2probe")
        assert await ws.receive() == "3probe"
    assert (await wire.post(sid, "4hello", "/engine.io/"))[0] == 200
    assert await wire.poll(sid, "/engine.io/") == (200, "4hello")


async def test_an_upgrade_in_another_version_is_refused(wire: Wire) -> None:
    sid = await wire.open_polling()
    async with await wire.tcp() as tcp:
        answer = await tcp.upgrade(f"/socket.io/?EIO=3&transport=websocket&sid={sid}")
    assert b" 400 " in answer.splitlines()[0]


@pytest.mark.parametrize("packet", ["abc", "", "2", "0", "5", "7"])
async def test_a_packet_no_client_may_send_closes_within_100_ms(wire: Wire, packet: str) -> None:
    async with wire.websocket(path="/engine.io/") as ws:
        await ws.receive()
        await ws.send(packet)
        assert await ws.closed() < UNIT_SECONDS


async def test_a_close_packet_closes_tcp_at_once(wire: Wire) -> None:
    async with wire.websocket() as ws:
        await ws.receive()
        await ws.send("1")
        assert await ws.closed() < UNIT_SECONDS


async def test_polls_get_pings_and_answers_keep_the_session(fast_wire: Wire) -> None:
    sid = await fast_wire.open_polling("/engine.io/")
    for _ in range(3):
        assert await fast_wire.poll(sid, "/engine.io/") == (200, "2")
        assert (await fast_wire.post(sid, "3", "/engine.io/"))[0] == 200


async def test_the_ping_timeout_is_a_deadline(fast_wire: Wire) -> None:
    sid = await fast_wire.open_polling()
    await asyncio.sleep(sum(FAST_PING))
    assert (await fast_wire.poll(sid))[0] == 400
    async with fast_wire.websocket() as ws:
        await ws.receive()
        assert await ws.receive(pings=True) == "2"
        assert await ws.closed() < FAST_PING[1] + UNIT_SECONDS


@pytest.mark.parametrize(
    "packet",
    ["4abc", "42{}", '42abc["x"]', "42[]", "42[[[", '42["a"', "47", "44{}", "45-[", '450-["msg"', '42/,["x"', "43[]"],
)
async def test_a_malformed_packet_closes_within_100_ms(wire: Wire, packet: str) -> None:
    async with wire.joined() as ws:
        await ws.send(packet)
        assert await ws.closed() < UNIT_SECONDS


@pytest.mark.parametrize(
    "packet",
    [
        '4511-["message"]',
        '459999999999-["message",{"_placeholder":true,"num":0}]',
        '451-["message"]',
        '451-["message",{"_placeholder":true,"num":5}]',
        '451-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
        '451-["message",{"_placeholder":true,"num":"0"}]',
    ],
)
async def test_attachments_that_do_not_add_up_close_the_connection(wire: Wire, packet: str) -> None:
    async with wire.joined() as ws:
        await ws.send(packet)
        await ws.closed()


async def test_text_between_attachments_closes_the_connection(wire: Wire) -> None:
    async with wire.joined() as ws:
        await ws.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
        await ws.send(b"one")
        await ws.send('42["message","text"]')
        await ws.closed()


async def test_binary_before_connect_closes_the_connection(wire: Wire) -> None:
    async with wire.websocket() as ws:
        await ws.receive()
        await ws.send('451-["message",{"_placeholder":true,"num":0}]')
        await ws.closed()


async def test_an_event_before_connect_closes_the_connection(wire: Wire) -> None:
    async with wire.websocket() as ws:
        await ws.receive()
        await ws.send('42["message"]')
        await ws.closed()


async def test_an_unknown_namespace_is_refused_with_a_message(wire: Wire) -> None:
    async with wire.websocket() as ws:
        await ws.receive()
        await ws.send("40/random")
        assert await ws.receive() == '44/random,{"message":"Invalid namespace"}'


async def test_acks_and_binary_travel_both_ways(wire: Wire) -> None:
    async with wire.joined("/socket.io/") as ws:
        await ws.event()
        await ws.send('42456["message-with-ack",1,"2",{"3":[false]}]')
        assert await ws.receive() == '43456[1,"2",{"3":[false]}]'


async def test_a_namespace_can_be_left_and_joined_again(wire: Wire) -> None:
    async with wire.joined() as ws:
        await ws.event()
        for _ in range(2):
            await ws.send("41")
            await ws.send("40")
            assert (await ws.receive()).startswith("40{")
            assert await ws.event() == ["auth", {}]
