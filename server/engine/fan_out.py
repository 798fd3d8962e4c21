"""Who of a room is written to in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .encoded import Encoded
from .outgoing import NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .outgoing import Outgoing
    from .ports import Link, Peer


class FanOut:
    """A room's sockets that take frames as they are, and the ids of all others, worked out once.

    Good until somebody enters or leaves: one that ends leaves first. A room of a thousand is then one flat loop.
    """

    __slots__ = ("_changes", "_numbers", "_outgoing", "_sockets", "others")

    def __init__(self, sids: Iterable[str], find: Callable[[str], Peer | None]) -> None:
        self._sockets: list[Link] = []
        self.others: list[str] = []
        for sid in sids:
            peer = find(sid)
            if peer is not None and peer.ready is not None:
                self._sockets.append(peer.ready)
            else:
                self.others.append(sid)
        self._outgoing: Outgoing | None = self._sockets[0].outgoing if self._sockets else None
        self._numbers: list[int] = []
        self._changes = NOBODY

    def is_current(self, find: Callable[[str], Peer | None]) -> bool:
        """Whether the others are still what they were: polling clients upgrade."""
        peers = [find(sid) for sid in self.others]
        return all(peer is None or peer.ready is None for peer in peers)

    def write(self, frames: bytes, write: Callable[[str, Encoded], None]) -> None:
        """Queues frames for all of them; `write` takes those that need packets of their own kind."""
        outgoing = self._outgoing
        if outgoing is not None:
            if self._changes != outgoing.changes:
                self._changes = outgoing.changes
                self._numbers = [socket.number for socket in self._sockets if socket.number != NOBODY]
            outgoing.write(self._numbers, frames)
        if self.others:
            packet = Encoded(frames)
            for sid in self.others:
                write(sid, packet)
