"""JSON in and out, and the packets made of it."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.engine import encode_ack, encode_event
from server.engine.codec import dumps, loads
from server.engine.messages import Packet, read_event, read_packet
from server.engine.packets import Malformed, decode_payload

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_values_survive(value: object) -> None:
    text = dumps(value) if _encodable(value) else b"null"
    assert loads(text.decode()) == (value if _encodable(value) else None)


def _encodable(value: object) -> bool:
    try:
        str(value).encode()
        repr(value).encode()
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_javascript_cannot_parse_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode_event("x", {"n": [None, value]})


@pytest.mark.parametrize(
    "text", ["NaN", "[1e999]", "[-1e999]", '["\\ud800", NaN]', '["\\ud800", 1e999]', "[" * 100_000, "{", ""]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        loads(text)


def test_a_lone_surrogate_passes_in_and_comes_out_as_an_escape() -> None:
    value = loads('["\\ud800"]')
    assert value == ["\ud800"]
    assert dumps(value) == b'["\\ud800"]'


def test_integers_over_64_bits_are_written() -> None:
    assert dumps([2**80]) == f"[{2**80}]".encode()


def test_an_event_is_one_text_and_its_frame() -> None:
    packet = encode_event("news", {"a": 1}, "7")
    assert packet.packets == ('42["news",{"a":1},"7"]',)
    assert packet.frames == b"\x81\x16" + packet.packets[0].encode()
    assert encode_ack(12, {"ok": True}).packets == ('4312[{"ok":true}]',)


@given(st.text(max_size=60))
def test_any_text_is_a_packet_or_malformed(text: str) -> None:
    for read in (lambda: read_packet(text, 10), lambda: read_event(text), lambda: decode_payload(text, 10)):
        with suppress(Malformed):
            read()


def test_a_packet_is_read_in_all_its_parts() -> None:
    packet = read_packet('51-/chat?x=1,12["file",{"a":{"_placeholder":true,"num":0}}]', 10)
    assert (packet.namespace, packet.id, packet.missing) == ("/chat", 12, 1)
    assert packet.attach(b"bytes", 100)
    assert packet.data == ["file", {"a": b"bytes"}]


def test_attachments_over_the_bound_are_refused() -> None:
    packet = Packet("5", "/", None, ["x"], missing=2)
    packet.attach(b"x" * 60, 100)
    with pytest.raises(Malformed):
        packet.attach(b"x" * 60, 100)
