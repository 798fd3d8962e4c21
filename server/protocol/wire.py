"""An event encoded once: the bytes that both doors and other processes build their frames from."""

from dataclasses import dataclass
from typing import Final

from server.domain import Message, stamp
from server.protocol.codec import dumps
from server.protocol.objects import draft_object, message_object
from server.protocol.outbound import Event, MessageReceived

_MESSAGE: Final = MessageReceived.name.encode()
_SEPARATOR: Final = b"\x00"


@dataclass(slots=True)  # one for every message: not frozen, which would take three times as long
class WireEvent:
    """An event's name and its object as JSON; `seq` is that of a message, 0 for all other events."""

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
        """Return the event that tells a message; one just committed has nearly all of it in its `head`."""
        if message.head:
            return cls(_MESSAGE, b'%b,"seq":%d}' % (message.head, message.seq), message.seq)
        return cls(_MESSAGE, dumps(message_object(message)), message.seq)

    @classmethod
    def unpack(cls, packed: bytes) -> "WireEvent":
        """Return what `pack` packed; raises `ValueError` for anything else."""
        name, seq, data = packed.split(_SEPARATOR, 2)
        return cls(name, data, int(seq))

    def pack(self) -> bytes:
        """Return the bytes for another process, which has to decode nothing of the object."""
        return b"%b\x00%d\x00%b" % (self.name, self.seq, self.data)

    def socket_io(self, *, with_offset: bool) -> bytes:
        """Return the Engine.IO text of the event; a message may carry its `seq` as socket.io-client's offset."""
        if with_offset and self.seq:
            return b'42["%b",%b,"%d"]' % (self.name, self.data, self.seq)
        return b'42["%b",%b]' % (self.name, self.data)

    def raw(self) -> bytes:
        """Return the text of the raw door's frame, as of now."""
        return b'{"event":"%b","data":%b,"timestamp":"%b"}' % (self.name, self.data, stamp().encode())


def head_of(draft: Message) -> bytes:
    """Return a draft's JSON object without its end, to which the `seq` is added once the log has given it.

    The database takes the row from the same bytes: writing them is done once, for what is most of the work twice.
    """
    return dumps(draft_object(draft))[:-1]
