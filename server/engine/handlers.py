"""The values that pass between the engine and an application's handlers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .encoded import encode_ack, encode_text
from .frames import frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .ports import Peer
    from .recovery import RecoveredState


@dataclass(slots=True)
class Handshake:
    """A client's request to join namespace "/".

    `auth` is the object sent with CONNECT, without the keys of recovery; None when there was none.
    `sid` is final: with `recovered` set it is the id the client had before.
    """

    sid: str
    auth: object
    remote: str
    recovered: RecoveredState | None = None


class Inbound:
    """One event from a client, in the order it was sent, and the way to answer it.

    `size_bytes` is the length of the event's text as received; `ack_id` is None for who wants no answer, or has got it.
    """

    __slots__ = ("_peer", "ack_id", "args", "name", "sid", "size_bytes")

    def __init__(
        self, sid: str, name: str, args: Sequence[Any], size_bytes: int, peer: Peer, ack_id: int | None
    ) -> None:
        self.sid = sid
        self.name = name
        self.args = args
        self.size_bytes = size_bytes
        self._peer = peer
        self.ack_id = ack_id

    def answer(self, *args: object) -> None:
        """Answers the event; nothing happens the second time, or if the client asked for no answer."""
        if self.ack_id is not None:
            self._peer.send(encode_ack(self.ack_id, *args))
            self.ack_id = None

    def answer_json(self, value: bytes) -> None:
        """Answers with one argument that is JSON already."""
        if self.ack_id is None:
            return
        packet = b"43%d[%b]" % (self.ack_id, value)
        self.ack_id = None
        link = self._peer.ready
        if link is not None:  # as nearly always: nothing but the frame is wanted
            link.outgoing.write_one(link.number, frame(packet))
        else:
            self._peer.send(encode_text(packet))


@dataclass(slots=True)
class Accept:
    """The answer that lets a client in.

    `after` runs when CONNECT has been written and before any other packet to this client.
    `recovery` is put, signed, into the client's `pid`; None gives no `pid`. The `recovered` object
    of the handshake keeps the `pid` as it was, which a JavaScript client reads as `recovered`.
    """

    after: Callable[[], None] | None = None
    recovery: object | None = None


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """Raised by a connect handler to refuse a client; `data` becomes `err.data` in JavaScript."""

    def __init__(self, data: object = None) -> None:
        super().__init__("refused")
        self.data = data
