"""What is told in one go, encoded at most once for each kind of listener, whichever process it comes from."""

from struct import Struct
from typing import Final

from server.engine.frames import frame, split_frames
from server.protocol.outbound import MessageReceived
from server.protocol.wire import WireEvent, Wires

_MESSAGE: Final = MessageReceived.name.encode()
_BEFORE: Final = b'42["%b",' % _MESSAGE
# Other pieces of news begin with the name of an event.
RUN: Final = b"\x00"
_HEAD: Final = Struct(">xQQ")


class Bundle:
    """Events of one session, in order; a run of messages, which has a `first` and a `last` seq, or others.

    A run goes to other processes as the frames that most members get, so that they can write them as they come. Who
    needs its messages one by one finds them in the frames again.
    """

    __slots__ = ("_frames", "_wires", "first", "last")

    def __init__(self, wires: Wires, frames: bytes = b"", first: int = 0, last: int = 0) -> None:
        """Take the events, or without them the frames of a run."""
        self.first = first
        self.last = last
        self._wires = wires
        self._frames = frames

    @classmethod
    def unpack(cls, packed: bytes) -> "Bundle":
        """Return the run that was `packed`; raises `struct.error` for less than its head."""
        first, last = _HEAD.unpack_from(packed)
        return cls((), packed[_HEAD.size :], first, last)

    def packed(self) -> bytes:
        """Return a run as another process takes it."""
        return _HEAD.pack(self.first, self.last) + self.frames

    @property
    def wires(self) -> Wires:
        """Return the events one by one."""
        if not self._wires:
            self._wires = [_message_in(packet) for packet in split_frames(self._frames)]
        return self._wires

    @property
    def frames(self) -> bytes:
        """Return the frames for Socket.IO clients that keep offsets."""
        if not self._frames:
            self._frames = b"".join([frame(wire.socket_io(with_offset=True)) for wire in self._wires])
        return self._frames

    @property
    def plain_frames(self) -> bytes:
        """Return the frames for the other Socket.IO clients."""
        return b"".join([frame(wire.socket_io(with_offset=False)) for wire in self.wires])


def _message_in(packet: bytes) -> WireEvent:
    """Return the message of a packet that ends with its `seq` as offset."""
    end = packet.rindex(b',"')
    return WireEvent(_MESSAGE, packet[len(_BEFORE) : end], int(packet[end + 2 : -2]))
