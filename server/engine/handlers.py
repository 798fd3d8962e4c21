"""The values that pass between the engine and an application's handlers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .direct import Ack
    from .recovery import RecoveredState


@dataclass(frozen=True, slots=True)
class Handshake:
    """A client's request to join namespace "/".

    `auth` is the object sent with CONNECT, without the keys of recovery; None when there was none.
    `sid` is final: with `recovered` set it is the id the client had before.
    """

    sid: str
    auth: object
    remote: str
    recovered: RecoveredState | None = None


@dataclass(slots=True)
class Inbound:
    """One event from a client, in the order it was sent.

    `ack` answers the event once; it is None when the client asked for no answer.
    `size_bytes` is the length of the event's text as received.
    """

    sid: str
    name: str
    args: tuple[Any, ...]
    ack: Ack | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
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
