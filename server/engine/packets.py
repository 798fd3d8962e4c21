"""Engine.IO packets and polling payloads as text, read without trust."""

from __future__ import annotations

import base64

from .frames import binary_frame, frame

RECORD_SEPARATOR = "\x1e"


class Malformed(Exception):  # noqa: N818 - an input's state, not this code's failure
    """Raised for what no client may send; the connection is then closed."""


def decode_payload(body: str, max_packets: int) -> list[str | bytes]:
    """The packets of a polling body; Malformed if one is empty or of no known type."""
    if body.count(RECORD_SEPARATOR) >= max_packets:
        raise Malformed("too many packets")
    return [_decode(text) for text in body.split(RECORD_SEPARATOR)]


def _decode(text: str) -> str | bytes:
    if text[:1] == "b":
        try:
            return base64.b64decode(text[1:], validate=True)
        except ValueError:
            raise Malformed("bad base64") from None
    if not text or text[0] not in "0123456":
        raise Malformed("bad packet")
    return text


def encode_binary(data: bytes) -> str:
    """A binary message as polling carries it."""
    return "b" + base64.b64encode(data).decode()


def packet_frame(packet: str) -> bytes:
    """The WebSocket frame of a packet made for polling."""
    if packet[:1] == "b":
        return binary_frame(base64.b64decode(packet[1:]))
    return frame(packet.encode())
