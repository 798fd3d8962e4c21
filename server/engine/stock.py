"""Direct handlers on python-engineio's own server, so that both engines can be compared."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from engineio import packet as eio_packet

if TYPE_CHECKING:
    from .encoded import Encoded


class StockPeer:
    """A connection of the stock engine, written to through its queue."""

    ready = None
    busy = partial = None

    def __init__(self, eio: Any, eio_sid: str, remote: str) -> None:
        self._eio = eio
        self.sid = eio_sid
        self.remote = remote
        self.namespace_sid: str | None = None

    def _socket(self) -> Any:
        found = self._eio.sockets.get(self.sid)
        return None if found is None or found.closed else found

    def send(self, packet: Encoded) -> None:
        """Queues a packet; the stock queue has no bound."""
        socket = self._socket()
        if socket is not None:
            for text in packet.packets:
                socket.queue.put_nowait(eio_packet.Packet(eio_packet.MESSAGE, text[1:]))

    def close(self) -> None:
        """Closes behind what is queued."""
        socket = self._socket()
        if socket is not None:
            task = asyncio.ensure_future(socket.close(wait=False, abort=False))
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)

    def abort(self, reason: str) -> None:  # noqa: ARG002 - the stock engine has nowhere to put it
        """Closes; the stock engine knows no harder end."""
        self.close()

    def backlog_bytes(self) -> int:
        """Bytes queued."""
        socket = self._socket()
        return 0 if socket is None else sum(len(str(item.data)) for item in socket.queue._queue)  # noqa: SLF001


_tasks: set[asyncio.Future[None]] = set()
