"""Who of a room is written to in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .outgoing import write_to_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .direct import Peer
    from .encoded import Encoded
    from .ports import Link


class FanOut:
    """A room's sockets that take frames as they are, and the ids of all others, worked out once.

    Good until somebody enters or leaves: one that ends leaves first. A room of a thousand is then one flat loop.
    """

    __slots__ = ("_others", "_sockets")

    def __init__(self, sids: Iterable[str], find: Callable[[str], Peer | None]) -> None:
        self._sockets: list[Link] = []
        self._others: list[str] = []
        for sid in sids:
            peer = find(sid)
            if peer is not None and peer.ready is not None:
                self._sockets.append(peer.ready)
            else:
                self._others.append(sid)

    def is_current(self, find: Callable[[str], Peer | None]) -> bool:
        """Whether the others are still what they were: polling clients upgrade."""
        if not self._others:
            return True
        peers = [find(sid) for sid in self._others]
        return all(peer is None or peer.ready is None for peer in peers)

    def write(self, packet: Encoded, write: Callable[[str, Encoded], None]) -> None:
        """Queues a packet for all of them; `write` takes those that need a packet of their own kind."""
        write_to_all(self._sockets, packet.frames)
        for sid in self._others:
            write(sid, packet)
