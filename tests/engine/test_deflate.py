"""Compression: off unless asked for, and without state between messages."""

from __future__ import annotations

import tracemalloc

import aiohttp
import pytest

from server.engine import encode_event
from server.engine.deflate import deflate, inflate
from server.engine.frame_parser import FrameParser
from server.engine.frames import ProtocolFault
from tests.engine.test_frames import client_frame
from tests.engine.wire import PATIENCE_SECONDS, Chat

TEXT = "an old tale told again and again, " * 100


@pytest.mark.parametrize("compression", [False, True])
async def test_it_is_negotiated_only_when_asked_for(compression: bool) -> None:
    chat = Chat(compression=compression)
    async with chat.serve() as wire, wire.http.ws_connect(wire.url(transport="websocket"), compress=15) as ws:
        assert bool(ws.compress) is compression
        await ws.receive()
        await ws.send_str("40")
        await ws.receive()
        await ws.send_str(f'42["say","{TEXT}"]')
        message = await ws.receive(PATIENCE_SECONDS)
        assert message.type is aiohttp.WSMsgType.TEXT
        assert message.data == f'42["said","{TEXT}"]'


def test_a_broadcast_is_compressed_once() -> None:
    packet = encode_event("said", TEXT)
    assert packet.deflated() is packet.deflated()
    assert len(packet.deflated()) < len(packet.frames) / 5
    assert encode_event("short").deflated() == encode_event("short").frames


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = deflate(b"0" * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolFault) as fault:
            inflate(bomb, 1_000_000)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert fault.value.code == 1009
    assert peak_bytes < 5_000_000


def test_bad_compression_is_refused() -> None:
    with pytest.raises(ProtocolFault):
        inflate(b"\xff\xff\xff", 1_000)


def test_compressed_fragments_are_joined_before_they_are_unpacked() -> None:
    packed = deflate(TEXT.encode())
    first = bytearray(client_frame(packed[:10], final=False))
    first[0] |= 0x40
    parser = FrameParser(100_000, deflates=True)
    seen = list(parser.feed(bytes(first) + client_frame(packed[10:], 0) + client_frame(b"plain")))
    assert seen == [(1, TEXT.encode()), (1, b"plain")]
