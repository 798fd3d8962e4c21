"""The engine on its own: messages go to the handler registered with `on("message", …)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .serial import Serial

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .connection import Connection
    from .engine import Engine


class PlainReceiver:
    """Calls python-engineio's kind of handlers, in order for each client."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._serial: Serial[str | bytes] = Serial(self._handle, engine.limits, engine.complaints)

    asks_first = True

    def opened(self, connection: Connection) -> None:
        """Nothing is expected of a client."""

    def take_event(self, connection: Connection, payload: bytes | bytearray) -> bool:  # noqa: ARG002
        """Leaves all messages to `received`."""
        return False

    def received(self, connection: Connection, data: str | bytes) -> None:
        """Has a message handled."""
        self._serial.take(connection, data, len(data))

    def closed(self, connection: Connection, reason: str) -> None:
        """Tells the handler of "disconnect"."""
        self._serial.drop(connection)
        self._serial.spawn(self._trigger("disconnect", connection, reason))

    async def drained(self, connection: Connection) -> None:
        """Returns when few enough messages wait."""
        await self._serial.drained(connection)

    def _handle(self, connection: Connection, data: str | bytes) -> Coroutine[Any, Any, None] | None:
        return self._trigger("message", connection, data)

    async def _trigger(self, event: str, connection: Connection, value: str | bytes) -> None:
        await self._engine._trigger_event(event, connection.sid, value, run_async=False)  # noqa: SLF001
