"""Socket.IO packets made once and written to any number of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .codec import dumps
from .deflate import MIN_BYTES, deflate
from .frames import binary_frame, deflated_frame, frame, split_frames
from .packets import encode_binary, packet_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Encoded:
    """One or more packets, ready for both transports; not to be changed.

    `frames` are their WebSocket frames, joined. What only some clients take, the texts for polling and
    compressed frames, is made when the first of them asks: most packets are never wanted so.
    """

    __slots__ = ("_deflated", "_packets", "frames")

    def __init__(self, frames: bytes, packets: tuple[str, ...] | None = None) -> None:
        self.frames = frames
        self._packets = packets
        self._deflated: bytes | None = None

    @property
    def packets(self) -> tuple[str, ...]:
        """The Engine.IO texts."""
        if self._packets is None:
            self._packets = tuple([payload.decode() for payload in split_frames(self.frames)])
        return self._packets

    def deflated(self) -> bytes:
        """The frames for clients that take compressed ones."""
        if self._deflated is None:
            self._deflated = b"".join([_deflated_frame(packet) for packet in self.packets])
        return self._deflated

    @classmethod
    def joined(cls, ready: Sequence[Encoded]) -> Encoded:
        """Several as one, in order."""
        packets = tuple([text for packet in ready for text in packet.packets])
        return cls(b"".join([packet.frames for packet in ready]), packets)


def encode_event(name: str, *args: object) -> Encoded:
    """The packet of an event in namespace "/"; ValueError if an argument holds NaN."""
    return encode_text(b"42" + dumps([name, *args]))


def encode_ack(ack_id: int, *args: object) -> Encoded:
    """The packet that answers a client's event in namespace "/"."""
    return encode_text(b"43%d" % ack_id + dumps(args))


def encode_text(packet: bytes) -> Encoded:
    """One Engine.IO text packet, its type digit included."""
    return Encoded(frame(packet))


def encode_binary_message(data: bytes) -> Encoded:
    """One binary message, such as an attachment."""
    return Encoded(binary_frame(data), (encode_binary(data),))


def _deflated_frame(packet: str) -> bytes:
    payload = packet.encode()
    if len(payload) < MIN_BYTES or packet[:1] == "b":
        return packet_frame(packet)
    return deflated_frame(deflate(payload))


def merge(packets: Iterable[Encoded]) -> Encoded:
    """Several packets as one, in order: cheaper to write to many clients than one after another."""
    return Encoded.joined(list(packets))
