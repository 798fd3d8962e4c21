"""What connections have to do in time, and what becomes of those that do not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .deadlines import LOOK_SECONDS, Clock
from .ports import Reason, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from .connection import Connection
    from .limits import Limits


class Timeouts:
    """Pings connections, and ends those that do not answer, never CONNECT, or let an upgrade or their end wait.

    One timer of the loop serves them all. `on_slow_upgrade` and `on_never_polled` are called with a connection; what
    it takes to end one of the others is done here.
    """

    def __init__(
        self,
        *,
        ping_interval: float,
        ping_timeout: float,
        limits: Limits,
        on_slow_upgrade: Callable[[Connection], None],
        on_never_polled: Callable[[Connection], None],
    ) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False
        self._clock: Clock[Connection] = Clock(self._wake_at)
        self._pings = self._clock.kind(ping_interval, self._ping)
        self._pongs = self._clock.kind(ping_timeout, self._no_pong)
        self._connects = self._clock.kind(limits.connect_seconds, _no_connect)
        self._upgrades = self._clock.kind(limits.upgrade_seconds, lambda connection, _: on_slow_upgrade(connection))
        self._closes = self._clock.kind(limits.close_seconds, lambda connection, _: on_never_polled(connection))

    def now(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    # -- a connection's life

    def opened(self, connection: Connection) -> None:
        """Begins to ping it."""
        self._clock.start(self._pings, connection, self.now())

    def pong(self, connection: Connection) -> None:
        """Goes on to the next ping; an answer to no ping is ignored."""
        if self._pongs.stop(connection):
            self._clock.start(self._pings, connection, self.now())

    def await_connect(self, connection: Connection) -> None:
        """Gives it `connect_seconds` to do what the layer above expects."""
        if connection.state is State.OPEN:
            self._clock.start(self._connects, connection, self.now())

    def stop_awaiting(self, connection: Connection) -> None:
        """It has."""
        self._connects.stop(connection)

    def upgrading(self, connection: Connection) -> None:
        """Gives its upgrade `upgrade_seconds`."""
        self._clock.start(self._upgrades, connection, self.now())

    def upgraded(self, connection: Connection) -> None:
        """The upgrade is over, one way or the other."""
        self._upgrades.stop(connection)

    def closed(self, connection: Connection) -> None:
        """Expects nothing more of it, except that it fetches what is left within `close_seconds` if it is closing."""
        self._clock.stop(connection)
        if connection.state is State.CLOSING:
            self._clock.start(self._closes, connection, self.now())

    def fetched(self, connection: Connection) -> None:
        """It has."""
        self._closes.stop(connection)

    # -- time

    def catch_up(self) -> None:
        """Does now what is due, should the loop read a request before it looks at its timers."""
        self._clock.wake_if_due(self.now())

    def stop(self) -> None:
        """Sets no timer from now on."""
        self._is_over = True

    def _wake_at(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._is_over:
            self._timer = asyncio.get_running_loop().call_at(at, self._wake)

    def _wake(self) -> None:
        now = self.now()
        if self._clock.is_late(now):
            # The process stood still. Before anyone is taken for dead, what they sent meanwhile is to be read, and
            # uvloop looks at its timers first.
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._wake_late)
        else:
            self._clock.wake(now)

    def _wake_late(self) -> None:
        self._clock.wake(self.now())

    def _ping(self, connection: Connection, at: float) -> None:
        # Counted from when the ping was due, so that a busy loop does not stretch the deadline; but who was not asked
        # because the process stood still has all the time to answer.
        now = self.now()
        self._clock.start(self._pongs, connection, at if now - at <= 2 * LOOK_SECONDS else now)
        connection.ping()

    def _no_pong(self, connection: Connection, at: float) -> None:
        if connection.busy is not None and connection.busy.paused:
            # Its answer may wait behind what we do not read yet.
            self._clock.start(self._pongs, connection, at)
        else:
            connection.fail(Reason.PING_TIMEOUT)


def _no_connect(connection: Connection, _: float) -> None:
    connection.fail(Reason.NO_CONNECT)
