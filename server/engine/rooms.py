"""Rooms as plain dictionaries, with an index from each client to its rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socketio import AsyncManager
from socketio import packet as sio_packet
from socketio.base_manager import BaseManager

from .emit import encode_for_namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .fan_out import FanOut

Members = dict[str, str]  # Socket.IO id -> Engine.IO id


class RoomIndex(BaseManager):  # type: ignore[misc]  # it ships no types
    """The room bookkeeping of a python-socketio manager, replaced.

    The original looks through every room of the server when one client leaves, and gives each
    client a room of its own (two dictionaries); here leaving costs as much as the client has rooms.
    """

    rooms: dict[str, dict[str | None, Members]]
    callbacks: dict[str, Any]
    pending_connect: dict[str, list[str]]
    pending_disconnect: dict[str, list[str]]
    server: Any

    # Dropped whenever somebody enters or leaves the room.
    fan_outs: dict[str | None, FanOut]

    _rooms_of: dict[str, dict[str, set[str]]]
    _sid_by_eio: dict[str, dict[str, str]]

    def members(self, namespace: str, room: str | None) -> Members:
        """The clients of a room here, not to be changed."""
        everyone = self.rooms.get(namespace)
        if everyone is None:
            return {}
        found = everyone.get(room)
        if found is None and room is not None:
            eio_sid = everyone.get(None, {}).get(room)
            return {} if eio_sid is None else {room: eio_sid}
        return found or {}

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """(Socket.IO id, Engine.IO id) of each client in a room or a list of rooms."""
        names = room if isinstance(room, (list, tuple)) else [room]
        found: Members = {}
        for name in names:
            found.update(self.members(namespace, name))
        yield from found.items()

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """The Socket.IO id of a connection in a namespace."""
        return self._sid_by_eio.get(namespace, {}).get(eio_sid)

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """The connection behind a Socket.IO id."""
        return self.rooms.get(namespace, {}).get(None, {}).get(sid)

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """A new Socket.IO id, not yet let in; None if the connection is in the namespace."""
        if eio_sid in self._sid_by_eio.get(namespace, {}):
            return None
        sid: str = self.server.eio.generate_id()
        self.add(sid, namespace, eio_sid)
        self.pending_connect.setdefault(namespace, []).append(sid)
        return sid

    def add(self, sid: str, namespace: str, eio_sid: str) -> None:
        """Registers a client."""
        self.rooms.setdefault(namespace, {}).setdefault(None, {})[sid] = eio_sid
        self._sid_by_eio.setdefault(namespace, {})[eio_sid] = sid

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Adds a registered client to a room; ValueError if it is not, or for another's id."""
        if room is None or room == sid:
            if room is None and eio_sid is not None:
                self.add(sid, namespace, eio_sid)
            return
        everyone = self.rooms.get(namespace, {})
        clients = everyone.get(None, {})
        if sid not in clients:
            msg = "sid is not connected to requested namespace"
            raise ValueError(msg)
        if room in clients:
            msg = "cannot enter a sid room"
            raise ValueError(msg)
        self.fan_outs.pop(room, None)
        everyone.setdefault(room, {})[sid] = clients[sid]
        self._rooms_of.setdefault(namespace, {}).setdefault(sid, set()).add(room)

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        """Removes a client from a room, if it is there."""
        rooms = self._rooms_of.get(namespace, {}).get(sid)
        if room is None or rooms is None or room not in rooms:
            return
        rooms.discard(room)
        self._drop(namespace, room, sid)

    def _drop(self, namespace: str, room: str | None, sid: str) -> None:
        self.fan_outs.pop(room, None)
        everyone = self.rooms.get(namespace, {})
        members = everyone.get(room)
        if members is None:
            return
        members.pop(sid, None)
        if not members:
            del everyone[room]
            if not everyone:
                del self.rooms[namespace]

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Forgets a client."""
        for room in self._rooms_of.get(namespace, {}).pop(sid, ()):
            self._drop(namespace, room, sid)
        eio_sid = self.eio_sid_from_sid(sid, namespace)
        if eio_sid is not None:
            self._drop(namespace, None, sid)
            self._sid_by_eio[namespace].pop(eio_sid, None)
        # Mostly empty, as what follows: a look into a dictionary of thousands costs a miss of the processor's cache.
        if self.callbacks:
            self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            waiting = pending.get(namespace) if pending else None
            if waiting is not None and sid in waiting:
                waiting.remove(sid)
                if not waiting:
                    del pending[namespace]

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """The rooms a client is in; its own id is one of them."""
        if self.eio_sid_from_sid(sid, namespace) is None:
            return []
        return [sid, *self._rooms_of.get(namespace, {}).get(sid, ())]


class IndexedManager(AsyncManager, RoomIndex):  # type: ignore[misc]  # it ships no types
    """Writes an emit to its local recipients at once: encoded once, without a task for each.

    Stands below a pub/sub manager, which calls it for the clients of its own process.
    """

    async def emit(  # noqa: PLR0917 - the signature it replaces
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Callable[..., Any] | None = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        """Emits an event to a room; see `socketio.AsyncServer.emit`."""
        sockets = self.server.direct_sockets
        if sockets is None or self.server.packet_class is not sio_packet.Packet:
            await super().emit(event, data, namespace, room, skip_sid, callback, to, **kwargs)
            return
        args = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        skipped = skip_sid if isinstance(skip_sid, list) else [skip_sid]
        packet = None
        for sid, eio_sid in self.get_participants(namespace, to or room):
            connection = sockets.get(eio_sid)
            if connection is None or sid in skipped:
                continue
            if packet is None or callback is not None:
                ack_id = None if callback is None else self._generate_ack_id(sid, callback)
                packet = encode_for_namespace([event, *args], namespace, ack_id, self.json)
            connection.send(packet)


def indexed(manager: AsyncManager | None) -> Any:
    """The manager, its room bookkeeping replaced; a new local one for None."""
    chosen = AsyncManager() if manager is None else manager
    if not isinstance(chosen, IndexedManager):
        kind = type(chosen)
        # So that any manager, a Redis one too, gets the index without a subclass of its own here;
        # IndexedManager then stands where the original AsyncManager stood.
        kinds = (IndexedManager,) if kind is AsyncManager else (kind, IndexedManager)
        chosen.__class__ = type(kind.__name__, kinds, {})
        chosen.fan_outs, chosen._rooms_of, chosen._sid_by_eio = {}, {}, {}  # noqa: SLF001
    return chosen
