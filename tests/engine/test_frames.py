"""Frames, read in any pieces; what is no WebSocket stream is named by its close code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.engine.frame_parser import BINARY, PING, TEXT, FrameParser, read_close, read_text
from server.engine.frames import ProtocolFault, close_frame, frame, unmask, unmask_slowly

LIMIT = 100_000
MASK = b"\x01\x02\x03\x04"


def client_frame(payload: bytes, opcode: int = TEXT, *, final: bool = True, mask: bytes = MASK) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes([opcode | (0x80 if final else 0), 0x80 | size])
    elif size < 65_536:
        head = bytes([opcode | (0x80 if final else 0), 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([opcode | (0x80 if final else 0), 0x80 | 127]) + size.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def read(parser: FrameParser, data: bytes) -> list[tuple[int, bytes]]:
    """What a connection hears of some bytes."""
    texts, rest = parser.take_texts(data)
    return [*((TEXT, text) for text in texts), *(parser.feed(rest) if rest else ())]


@given(st.binary(max_size=400))
def test_taking_texts_first_changes_nothing(stream: bytes) -> None:
    """The short way must neither accept nor refuse what the long one would not."""
    outcomes = []
    for way in (read, lambda parser, data: list(parser.feed(data))):
        try:
            outcomes.append(way(FrameParser(LIMIT), b"\x81" + stream))
        except ProtocolFault as fault:
            outcomes.append([(fault.code, b"")])
    assert outcomes[0] == outcomes[1]


@given(
    messages=st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=300)), max_size=8),
    cuts=st.lists(st.integers(0, 3_000), max_size=12),
)
def test_messages_survive_any_cut_of_the_stream(messages: list[tuple[int, bytes]], cuts: list[int]) -> None:
    stream = b"".join(client_frame(payload, opcode) for opcode, payload in messages)
    parser, start = FrameParser(LIMIT), 0
    seen: list[tuple[int, bytes]] = []
    for end in [*sorted(cuts), len(stream)]:
        seen += read(parser, stream[start:end])
        start = max(start, min(end, len(stream)))
    assert seen == messages


@given(st.binary(max_size=2_000), st.binary(min_size=4, max_size=4))
def test_unmasking_is_the_plain_xor(payload: bytes, mask: bytes) -> None:
    plain = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    assert unmask(payload, mask) == unmask_slowly(payload, mask) == plain


@given(st.binary(max_size=400), st.lists(st.integers(1, 50), max_size=10))
def test_garbage_is_refused_or_waits_but_never_breaks(stream: bytes, steps: list[int]) -> None:
    parser, start = FrameParser(LIMIT), 0
    try:
        for step in [*steps, len(stream)]:
            read(parser, stream[start : start + step])
            start += step
    except ProtocolFault as fault:
        assert fault.code in {1002, 1009}  # noqa: PT017 - a fault is allowed, not required


def test_fragments_are_joined_around_control_frames() -> None:
    stream = client_frame(b"Hel", final=False) + client_frame(b"!", PING) + client_frame(b"lo", 0)
    assert read(FrameParser(LIMIT), stream) == [(PING, b"!"), (TEXT, b"Hello")]


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (frame(b"unmasked"), 1002),
        (b"\xc1\x80" + MASK, 1002),
        (client_frame(b"x", 3), 1002),
        (client_frame(b"x" * 126, PING), 1002),
        (client_frame(b"x", PING, final=False), 1002),
        (client_frame(b"x", 0), 1002),
        (client_frame(b"a", final=False) + client_frame(b"b"), 1002),
        (b"\x81\xff" + (LIMIT + 1).to_bytes(8, "big") + MASK, 1009),
        (client_frame(b"x" * LIMIT, final=False) + client_frame(b"y", 0)[:6], 1009),
    ],
)
def test_a_breach_is_named_by_its_close_code(stream: bytes, code: int) -> None:
    with pytest.raises(ProtocolFault) as fault:
        read(FrameParser(LIMIT), stream)
    assert fault.value.code == code


def test_a_large_message_in_many_pieces_is_joined_once() -> None:
    payload = bytes(range(256)) * 300
    stream = client_frame(payload, BINARY)
    parser = FrameParser(LIMIT)
    seen = [item for start in range(0, len(stream), 100) for item in read(parser, stream[start : start + 100])]
    assert seen == [(BINARY, payload)]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [(b"", (None, "")), (b"\x03\xe8", (1000, "")), (b"\x11\x31bye", (4401, "bye"))],
)
def test_a_close_frame_is_read(payload: bytes, expected: tuple[int | None, str]) -> None:
    assert read_close(payload) == expected


@pytest.mark.parametrize("payload", [b"\x03", b"\x03\xed", b"\x00\x01", b"\xff\xff", b"\x03\xe8\xff"])
def test_a_bad_close_frame_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolFault):
        read_close(payload)


def test_text_must_be_utf8() -> None:
    with pytest.raises(ProtocolFault) as fault:
        read_text(b"\xc3\x28")
    assert fault.value.code == 1007


def test_a_long_close_reason_is_cut_to_a_control_frame() -> None:
    sent = close_frame(4401, "é" * 200)
    assert len(sent) <= 127
    sent[4:].decode()
