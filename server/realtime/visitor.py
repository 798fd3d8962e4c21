"""One live connection, whichever door it came through."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sized
from dataclasses import dataclass
from typing import Final, Protocol

from server.auth import Identity
from server.domain import Participant, SessionId
from server.errors import Busy, InternalError, SeanceError
from server.logs import logger
from server.protocol.outbound import Event
from server.protocol.wire import Wire, WireEvent
from server.realtime.bundle import Bundle

log = logger()

WAITING_EVENTS_MOST: Final = 256

# Takes what there is to answer: a committed message, a JSON value, or an error.
Answer = Callable[[object | SeanceError], None]
Work = Coroutine[None, None, object]


class Line(Protocol):
    """The way to one client; never blocks, and does nothing once the client is gone."""

    def tell(self, wire: Wire) -> None:
        """Write one event."""

    def refuse(self, error: SeanceError) -> None:
        """Write an error that ends the connection, and end it."""

    def hang_up(self) -> None:
        """End the connection in the ordinary way, after what was written."""

    def send_away(self) -> None:
        """End the connection because this process goes: the client is to come back."""

    def abort(self, reason: str) -> None:
        """Cut the connection off."""

    def backlog_bytes(self) -> int:
        """Return how much waits to be read by the client."""


class Audience(Protocol):
    """The connections of a session that are written the same bytes; an event is encoded once for all of them."""

    @property
    def members(self) -> Sized: ...

    def tell(self, bundle: Bundle, deaf: str = "") -> None:
        """Write events to all of them but the connection `deaf`, in order."""


class Door(Protocol):
    """All connections of one kind, session by session."""

    def add(self, session_id: SessionId, visitor: "Visitor") -> Audience:
        """Let a connection hear a session; returns those who hear it in the same way."""

    def remove(self, session_id: SessionId, visitor: "Visitor") -> None:
        """Let it hear the session no more."""

    def forget(self, visitor: "Visitor") -> None:
        """Learn that a connection left by its own will: nothing is to bring it back to where it was."""

    def shut(self) -> None:
        """Let nobody new in from now on: this process goes."""

    def visitors(self) -> "list[Visitor]":
        """Return all connections, those that are in no session too."""


@dataclass(slots=True)
class Place:
    """Where a visitor sits, and as whom."""

    session_id: SessionId
    user: Participant
    identity: Identity | None


@dataclass(slots=True, eq=False)
class Visitor:
    """A connection and where it sits.

    Its events are handled in the order they came: while one that takes time is under way (`work`), the others wait.
    """

    id: str
    address: str
    line: Line
    door: Door
    place: Place | None = None
    recovers: bool = False
    wants_joined: bool = True
    has_joined: bool = False
    gone: bool = False
    work: asyncio.Task[None] | None = None
    # Made when something waits: an empty one would be an eighth of what an idle connection takes.
    _waiting: deque[Callable[[], None]] | None = None

    def tell(self, event: Event) -> None:
        """Tell this connection alone."""
        self.line.tell(WireEvent.of(event))

    def wait(self, handle: Callable[[], None]) -> None:
        """Handle an event after those before it; raises `Busy` when too many wait."""
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) >= WAITING_EVENTS_MOST:
            raise Busy
        self._waiting.append(handle)

    def in_order(self, handle: Callable[[], None]) -> None:
        """Handle something now, or after what came before it; raises `Busy` when too much waits."""
        if self.work is None:
            handle()
        else:
            self.wait(handle)

    def begin(self, work: Work, answer: Answer) -> None:
        """Run what takes time and answer with its result; later events wait for it."""
        self.work = asyncio.create_task(self._run(work, answer))

    @staticmethod
    def ignore(_: object) -> None:
        """Answer nothing."""

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while (work := self.work) is not None:
            await asyncio.wait([work])

    async def _run(self, work: Work, answer: Answer) -> None:
        try:
            answer(await work)
        except SeanceError as error:
            answer(error)
        except Exception:
            log.exception("event.failed", connection_id=self.id)
            answer(InternalError())
        finally:
            if self.work is asyncio.current_task():  # else what it began goes on in its place
                self.work = None
            while self._waiting and self.work is None:
                self._waiting.popleft()()
            if not self._waiting:
                self._waiting = None
