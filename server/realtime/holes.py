"""Fills a room's holes from the log: what was committed elsewhere and of which no news came."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from server.domain import Message, SessionId
from server.errors import SeanceError
from server.logs import logger
from server.protocol.wire import WireEvent, Wires
from server.realtime.room import Room

log = logger()

# News of a smaller `seq` is mostly just behind: look into the log only when it does not come.
HOLE_SECONDS: Final = 0.02
RETRY_SECONDS: Final = 0.5
STEP: Final = 200

Deliver = Callable[[SessionId, Room, Wires], None]


class Log(Protocol):
    """The messages of a session, to fill holes from."""

    async def after(self, session_id: SessionId, seq: int, limit: int) -> list[Message]:
        """Return up to `limit` messages that follow `seq`, ascending."""


class Holes:
    """Reads what rooms lack, one task for each room that lacks something."""

    def __init__(self, messages: Log, deliver: Deliver) -> None:
        """Take the log, and who tells a room what was found."""
        self._messages = messages
        self._deliver = deliver
        self._fillings: set[asyncio.Task[None]] = set()

    def fill(self, session_id: SessionId, room: Room) -> None:
        """Begin to fill a room's holes, if it has any and nobody does so already."""
        if room.order.lacks is None or room.is_filling:
            return
        room.is_filling = True
        filling = asyncio.create_task(self._fill(session_id, room))
        self._fillings.add(filling)
        filling.add_done_callback(self._fillings.discard)

    async def _fill(self, session_id: SessionId, room: Room) -> None:
        await asyncio.sleep(HOLE_SECONDS)
        try:
            while (seq := room.order.lacks) is not None and not room.is_empty:
                try:
                    found = await self._messages.after(session_id, seq, STEP)
                except SeanceError:
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                for message in found:
                    wire = WireEvent.of_message(message)
                    self._deliver(session_id, room, room.order.offer(wire.seq, wire))
                if not found:
                    log.error("order.broken", session_id=session_id, seq=seq)
                    return
        except Exception:
            log.exception("order.not_filled", session_id=session_id)  # the next comparison of heads tries again
        finally:
            room.is_filling = False
