"""An event encoded once: the bytes that both doors and other processes build their frames from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from server.domain import Message
from server.moments import stamp
from server.protocol.codec import dumps
from server.protocol.objects import draft_object, message_object
from server.protocol.outbound import Event, MessageReceived

_MESSAGE: Final = MessageReceived.name.encode()
_SEPARATOR: Final = b"\x00"


class Wire(Protocol):
    """An event's name and its object as JSON; `seq` is that of a message, 0 for all other events."""

    @property
    def name(self) -> bytes: ...
    @property
    def data(self) -> bytes: ...
    @property
    def seq(self) -> int: ...

    def socket_io(self, *, with_offset: bool) -> bytes:
        """Return the Engine.IO text of the event; a message may carry its `seq` as socket.io-client's offset."""


Wires = Sequence[Wire]


@dataclass(slots=True)
class WireEvent:
    """An event, encoded when it was made."""

    name: bytes
    data: bytes
    seq: int = 0

    @classmethod
    def of(cls, event: Event) -> "WireEvent":
        """Return an event, encoded now."""
        if isinstance(event, MessageReceived):
            return cls.of_message(event.message)
        return cls(event.name.encode(), dumps(event.data()))

    @classmethod
    def of_message(cls, message: Message) -> "WireEvent":
        """Return the event that tells a message which was read back."""
        return cls(_MESSAGE, dumps(message_object(message)), message.seq)

    @classmethod
    def unpack(cls, packed: bytes) -> "WireEvent":
        """Return what was `packed`; raises `ValueError` for anything else."""
        name, data = packed.split(_SEPARATOR, 1)
        return cls(name, data)

    def packed(self) -> bytes:
        """Return the bytes for another process, which has to decode nothing of the object; not of a message."""
        return self.name + _SEPARATOR + self.data

    def socket_io(self, *, with_offset: bool) -> bytes:
        """Return the Engine.IO text of the event."""
        if with_offset and self.seq:
            return b'42["%b",%b,"%d"]' % (self.name, self.data, self.seq)
        return b'42["%b",%b]' % (self.name, self.data)


class Draft(Message):
    """A message on its way into the log, and from there, with its `seq`, to the room as it is.

    Its `head` is its JSON object without the `seq` and the end, made once: the database takes the row from it, and
    the event is told with it. That is most of the work on a message, and it would be done two or three times.
    """

    __slots__ = ("head",)
    head: bytes
    name: ClassVar[bytes] = _MESSAGE

    @property
    def data(self) -> bytes:
        """Return the message as JSON; it must be committed."""
        return b'%b,"seq":%d}' % (self.head, self.seq)

    def socket_io(self, *, with_offset: bool) -> bytes:
        """Return the Engine.IO text of the event."""
        if with_offset:
            return b'42["message_received",%b,"seq":%d},"%d"]' % (self.head, self.seq, self.seq)
        return b'42["message_received",%b,"seq":%d}]' % (self.head, self.seq)

    def encode(self) -> None:
        """Make its `head`; raises `TypeError` for text that is no Unicode."""
        self.head = dumps(draft_object(self))[:-1]


def raw(wire: Wire) -> bytes:
    """Return the text of the raw door's frame, as of now."""
    return b'{"event":"%b","data":%b,"timestamp":"%b"}' % (wire.name, wire.data, stamp().encode())
