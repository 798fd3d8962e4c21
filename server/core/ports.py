"""What the core asks of the layers above it: someone to tell, and someone to speak."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from server.core.turn_watch import TurnOver
from server.domain import Message, Participant, Session, SessionId, TurnId, TurnReason
from server.errors import SeanceError
from server.protocol.outbound import Event, TurnUnderWay
from server.protocol.wire import Draft


class Broadcaster(Protocol):
    """Tells a session's connections, whichever door they came through.

    Delivery is at most once and in the order of the calls for each connection that stays; what must not be
    lost is in the log and is replayed from there. Calls never block and never raise for a connection's sake.
    """

    def tell(self, session_id: SessionId, event: Event) -> None:
        """Tell everyone in the session."""

    def tell_others(self, session_id: SessionId, event: Event, besides: str) -> None:
        """Tell everyone in the session but the connections of one user id."""

    def rename(self, session_id: SessionId, user_id: str, name: str) -> None:
        """Let a person's connections on this process speak under another name from now on."""

    def evict(self, session_id: SessionId, connection_ids: Collection[str], error: SeanceError) -> None:
        """Tell some connections of this process why they may not stay, and close them."""

    def signal(self, session_id: SessionId, name: str, said: Mapping[str, object]) -> None:
        """Say something to the other processes only; they hear it through `on_elsewhere`."""

    def turns_under_way(self) -> dict[SessionId, TurnId]:
        """Return the turns whose end the members here still wait for."""

    def heads(self) -> dict[SessionId, int]:
        """Return how far the members here have heard the messages of their sessions."""

    async def attend(self, session_id: SessionId) -> None:
        """Hear what is said of a session on other processes even if nobody is in it here; `unattend` must follow."""

    def unattend(self, session_id: SessionId) -> None:
        """Hear it only for its members again."""

    async def turn_elsewhere(self, session_id: SessionId, turn_id: TurnId | None) -> TurnUnderWay | TurnOver | None:
        """Return a turn as far as the members on any process heard it; None if nobody did, or Redis is away."""

    def tell_messages(self, session_id: SessionId, messages: Sequence[Draft]) -> None:
        """Tell everyone of messages that are committed now, in ascending `seq`."""


class Backplane(Protocol):
    """Carries news of sessions between processes.

    Delivery is at most once, in any order, and may lose: the database is the truth, this is only the fast way.
    `publish` never blocks and never raises; what does not fit is dropped.
    """

    reaches_others: bool
    on_news: Callable[[SessionId, Sequence[bytes]], None]

    async def start(self) -> None:
        """Begin; does not wait until the others can be reached."""

    async def aclose(self) -> None:
        """End."""

    async def listen(self, session_id: SessionId) -> None:
        """Return once news of a session arrives here, or soon, if the backplane is away."""

    def ignore(self, session_id: SessionId) -> None:
        """Hear of the session no more."""

    def publish(self, session_id: SessionId, news: bytes) -> None:
        """Tell the other processes that listen; they hear all of one turn of the loop together, in this order."""

    async def ping(self, timeout_seconds: float) -> bool:
        """Tell whether news published here comes back here within the time."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the spirit may know for one turn; `messages` ascend by `seq` and end with what woke it."""

    turn_id: TurnId
    session: Session
    people: tuple[Participant, ...]
    messages: tuple[Message, ...]
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a turn cost, as the provider counted it, in tokens."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Outline:
    """What would be sent for a scene: roles and texts, what it may cost at most, and what did not fit."""

    messages: tuple[tuple[str, str], ...]
    at_most: Usage
    left_out: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """New notes for a session; `left_out` are the messages that did not fit the request for them."""

    text: str
    usage: Usage
    left_out: tuple[Message, ...] = ()


class ProviderFailedError(Exception):
    """The provider gave up; `code` is a short constant for logs and clients, never the provider's own text."""

    def __init__(self, code: str, *, retryable: bool) -> None:
        """Keep why, and whether a later turn may succeed."""
        self.code = code
        self.retryable = retryable
        super().__init__(code)


class Provider(Protocol):
    """A voice for the spirit; one that `takes_notes` can summarise what no longer fits."""

    name: str
    takes_notes: bool

    def speak(self, scene: Scene) -> AsyncIterator[str | Usage]:
        """Yield pieces of text as they come, none empty, and at most one `Usage`.

        Raises `ProviderFailedError` after its own retries, which end with the first piece. Closing or
        cancelling the iterator ends the call upstream within a second.
        """

    def outline(self, scene: Scene) -> Outline:
        """Return what `speak` would send; pure."""

    async def summarise(self, session: Session, summary: str, messages: Sequence[Message]) -> Summary:
        """Return notes that replace the old ones and take in messages that no longer fit; raises as `speak`."""

    async def aclose(self) -> None:
        """Free connections; no call may be under way."""


class Purse(Protocol):
    """Keeps the spirit within its budgets, over all processes."""

    async def reserve(self, session_id: SessionId, user_id: str, at_most: Usage, at: datetime) -> str | None:
        """Set aside what a turn may cost; returns the code of the bound it would pass, None to go ahead."""

    async def settle(
        self, session_id: SessionId, user_id: str, at_most: Usage, counted: Usage | None, at: datetime
    ) -> None:
        """Correct what was set aside `at` that moment by what the provider counted, if it counted."""


class TurnObserver(Protocol):
    """Counts turns."""

    def turn_ended(self, reason: TurnReason, usage: Usage | None, first_delta_seconds: float | None) -> None:
        """Learn how a turn ended, what it cost and how long the room waited for its first letter."""
