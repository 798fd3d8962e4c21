"""Clients on no network: everything of the server's but the database and the kernel, in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from server.assembly import Parts, assemble
from server.config import Config
from server.domain import SessionId
from server.engine import Accept
from server.engine.connection import Connection
from server.engine.upgrade import Guard
from server.engine.websocket import WebSocket
from server.moments import new_id
from server.realtime.gateway import SocketIoDoor, SocketIoLine
from server.realtime.visitor import Visitor

if TYPE_CHECKING:
    from pathlib import Path

    from server.engine import SocketServer


class NullTransport(asyncio.Transport):
    """Takes everything and sends nothing: what is left is our own work."""

    def write(self, data: object) -> None: ...

    def is_closing(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0


async def accept(_: object) -> Accept:
    return Accept()


async def connect(sio: SocketServer) -> str:
    """The id of a client that was let in without a request; `accept` must be the server's connect handler."""
    connection = Connection(sio.eio, new_id(), "127.0.0.1")
    link = WebSocket(Guard(connection, sio.eio.receiver), frame_bytes=65_536, queued_bytes=1_048_576)
    link.attach(NullTransport())
    connection.attach(link)
    sid = new_id()
    await sio._direct.connect(connection, None, "127.0.0.1", sid)  # noqa: SLF001
    return sid


class Process:
    """The parts of a server process, none of them started."""

    def __init__(self, home: Path) -> None:
        """Take a folder for a database that is never opened."""
        settings = {"DATABASE_URL": f"sqlite:///{home / 'never.db'}", "ENVIRONMENT": "test", "SPIRIT_PROVIDER": "none"}
        self.parts: Parts = assemble(web.Application(), Config.load(settings, dotenv=home / "none"))
        (self._door,) = [door for door in self.parts.rooms._doors if isinstance(door, SocketIoDoor)]  # noqa: SLF001
        self.parts.sio.on_connect(accept)

    async def open_room(self, people: int) -> SessionId:
        """The id of a session with so many people, who joined when it was empty."""
        session_id, rooms = SessionId(new_id()), self.parts.rooms
        for _ in range(people):
            sid = await connect(self.parts.sio)
            line = SocketIoLine(self.parts.sio, sid, recovers=True)
            visitor = Visitor(sid, "127.0.0.1", line, self._door, recovers=True)
            arrival = await rooms.expect(session_id, visitor, sid)
            rooms.has_come_to(session_id, 0)
            rooms.settle(session_id, arrival, 0)
            await asyncio.sleep(0)  # what was written to them leaves now, and not while something is measured
        return session_id
