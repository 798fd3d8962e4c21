"""One turn of the spirit: thinking, deltas, one final message, always an end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from server.core.messages import Messages, drafted
from server.core.notes import Notes
from server.core.pacing import Quiet
from server.core.ports import Broadcaster, Provider, ProviderFailedError, Purse, Scene, TurnObserver, Usage
from server.core.scenes import Past, Scenes
from server.core.turn_account import Account, OverBudgetError, counted_for
from server.core.turn_lease import TurnLease
from server.core.turn_policy import Phase
from server.core.turn_speech import Speech
from server.domain import SPIRIT_USER_ID, Message, Overlap, Participant, Session, SessionId, TurnId, TurnReason
from server.errors import SeanceError, SpiritFailed
from server.logs import logger
from server.protocol.commands import HistoryRange
from server.protocol.outbound import SpiritDelta, SpiritFinished, SpiritThinking
from server.store.turns import TurnStore

log = logger()

T = TypeVar("T")

COMMIT_PATIENCE_SECONDS: Final = 20.0
PREPARE_PATIENCE_SECONDS: Final = 10.0
ASK_AGAIN_SECONDS: Final = 0.5
# Messages that join begin the call anew; in a room that never pauses, later ones wait for the next turn.
RESTARTS_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """What every turn of a process shares."""

    provider: Provider
    purse: Purse
    observer: TurnObserver
    broadcaster: Broadcaster
    messages: Messages
    store: TurnStore
    notes: Notes
    scenes: Scenes


@dataclass(slots=True)
class Turn:
    """A turn that this process holds the lease of; `until_seq` is the newest message it answers."""

    stage: Stage
    id: TurnId
    session: Session
    fence: int
    until_seq: int
    woken_by: str
    since_seq: int = 0
    phase: Phase = Phase.THINKING
    usage: Usage | None = None
    is_last: bool = False
    is_ended: bool = False
    is_told: bool = False
    speech: Speech = field(init=False)
    _lease: TurnLease = field(init=False)
    _account: Account = field(init=False)
    _quiet: Quiet | None = None
    _call: asyncio.Task[None] | None = None
    _again: bool = False
    _restarts: int = 0
    _reason: TurnReason | None = None
    _stopped_by: Participant | None = None
    _scene: Scene | None = None
    _began_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.speech = Speech(self._tell)
        self._account = Account(self.stage.purse, self.session_id)
        self._lease = TurnLease(
            self.stage.store,
            self.id,
            self.fence,
            lambda: (self.speech.said, self.until_seq),
            lambda: self.cut(TurnReason.INTERRUPTED),
        )

    @property
    def session_id(self) -> SessionId:
        """Return whose turn it is."""
        return self.session.id

    def has_said(self, text: str, index: int) -> None:
        """Take over what an owner before us said, as far as the room heard it, and end there."""
        self.speech = Speech(self._tell, text, index)
        self.cut(TurnReason.INTERRUPTED)

    def show_thinking(self) -> None:
        """Tell the room that the spirit is going to answer."""
        self.stage.broadcaster.tell(self.session_id, SpiritThinking(self.id))

    def join(self, message: Message) -> None:
        """Take a message into the prompt; only while nothing was said. One that comes too late is left for later."""
        if self._restarts >= RESTARTS_MOST:
            return
        self.show_thinking()
        if message.seq <= self.until_seq:
            return  # news of it came late: a newer one has joined, and the prompt holds both
        self.until_seq, self.woken_by = message.seq, message.user_id
        self.disturb()
        self._again = True
        if self._quiet is None:
            self._restarts += 1
        if self._call is not None:
            self._call.cancel()

    def disturb(self) -> None:
        """Wait longer before answering: somebody writes."""
        if self._quiet is not None:
            self._quiet.disturb(time.monotonic())

    def cut(self, reason: TurnReason, by: Participant | None = None) -> None:
        """End the turn here; what was said is kept."""
        self.phase = Phase.IDLE
        if self._reason is None:
            self._reason, self._stopped_by = reason, by
            if self._call is not None:
                self._call.cancel()

    async def run(self) -> TurnReason:
        """Speak, commit what was said, tell the end; returns how it ended. Never raises but `CancelledError`."""
        if self._reason is None:
            self.show_thinking()
        keeping = asyncio.create_task(self._lease.keep(self.speech.began))
        failure: str | None = None
        error: SeanceError | None = None
        try:
            reason = await self._speak()
        except OverBudgetError as over:
            reason, error = TurnReason.SKIPPED, SpiritFailed("The spirit's budget is used up", {"cause": over.code})
        except ProviderFailedError as fault:
            log.warning("spirit.failed", session_id=self.session_id, turn_id=self.id, cause=fault.code)
            reason, failure = TurnReason.FAILED, fault.code
        except SeanceError as fault:
            reason, error = TurnReason.FAILED, fault
        except Exception:
            log.exception("spirit.crashed", session_id=self.session_id, turn_id=self.id)
            reason, failure = TurnReason.FAILED, "internal"
        finally:
            self.phase = Phase.IDLE  # from here on nothing joins: what comes is answered by the next turn
            self._lease.rest()
        if reason is TurnReason.COMPLETED and not self.speech.said.strip():
            reason, failure = TurnReason.FAILED, "empty"
        await self._finish(reason, SpiritFailed(details={"cause": failure}) if failure else error)
        await self._settle(failure)
        await keeping
        return reason

    async def _speak(self) -> TurnReason:
        """Call the provider, anew for as long as messages join the prompt; returns how the turn ended."""
        while True:
            await self._wait_for_quiet()
            self._again = False
            if (reason := self._reason) is not None:
                return reason
            scene = await patiently(self._prepared, PREPARE_PATIENCE_SECONDS, lambda: self._reason is None)
            if self._is_to_begin_anew():
                continue
            await self._called(scene)
            if not self._again:
                return self._reason or TurnReason.COMPLETED

    def _is_to_begin_anew(self) -> bool:
        return self._again or self._reason is not None

    async def _prepared(self) -> Scene:
        """Return what the spirit may know; what the call may cost is set aside."""
        scene = await self.stage.scenes.of(self.id, self.session, Past(self.since_seq, self.until_seq))
        await self._account.reserve(self.woken_by, self.stage.provider.outline(scene).at_most)
        self._scene = scene
        return scene

    async def _called(self, scene: Scene) -> None:
        self._call = asyncio.create_task(self._listen(scene))
        try:
            await self._call
        except asyncio.CancelledError:
            if not self._again and self._reason is None:  # not the call was cancelled, but the whole turn
                self._call.cancel()
                raise
        finally:
            self._call = None

    async def _wait_for_quiet(self) -> None:
        pause = self.session.spirit.debounce_ms / 1000
        if not pause:
            return
        self._quiet = Quiet(pause, time.monotonic())
        while self._reason is None and (left := self._quiet.wait_seconds(time.monotonic())):  # noqa: ASYNC110 - its end moves
            await asyncio.sleep(min(left, 0.1))
        self._quiet = None

    async def _listen(self, scene: Scene) -> None:
        """Pass the provider's pieces on."""
        pieces = self.stage.provider.speak(scene)
        try:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    self.usage = piece
                    continue
                self.phase = Phase.SPEAKING
                self.speech.add(piece)
                if self.speech.is_full:
                    break
            await self.speech.finish()
        finally:
            self.speech.flush()
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    def _tell(self, index: int, text: str) -> bool:
        """Tell the room a delta, unless another process may already speak in this turn."""
        if not self._lease.is_held:
            self.cut(TurnReason.INTERRUPTED)
            return False
        self.stage.broadcaster.tell(self.session_id, SpiritDelta(self.id, index, text))
        return True

    async def _finish(self, reason: TurnReason, error: SeanceError | None) -> None:
        is_ours = await self._lease.is_ours()
        said: Message | None = None
        try:
            if is_ours and self.speech.said.strip():
                said = await commit_said(self.stage.messages, self.session, self.id, self.speech.said)
        except SeanceError as fault:
            reason, error = TurnReason.FAILED, fault
        await self._let_pass()
        message_id, seq = (said.id, said.seq) if said is not None else (None, None)
        finished = SpiritFinished(self.id, reason, message_id, seq, self._stopped_by, error)
        if is_ours:  # before the row is free: nobody may hear the next turn begin before this one's end
            self.stage.broadcaster.tell(self.session_id, finished)
            self.is_told = True
        try:
            was_ours = await self.stage.store.end(
                self.id, self.fence, reason, self.speech.said, self.until_seq, self.usage
            )
            self.is_ended = True
            if was_ours and not is_ours:  # it was not another process that took it: the session is over
                self.stage.broadcaster.tell(self.session_id, finished)
        except SeanceError as fault:
            log.warning("spirit.not_ended", session_id=self.session_id, turn_id=self.id, code=fault.code)
        log.info("spirit.finished", session_id=self.session_id, turn_id=self.id, reason=reason)
        waited = self.speech.first_at - self._began_at if self.speech.first_at is not None else None
        self.stage.observer.turn_ended(reason, self.usage, waited)

    async def _let_pass(self) -> None:
        """Take what came meanwhile for answered, where it is not to be: nobody who looks at the log may think else."""
        if self.is_last or self.session.spirit.overlap is Overlap.DROP:
            with suppress(SeanceError):
                newest, _ = await self.stage.messages.read(self.session_id, HistoryRange(limit=1))
                self.until_seq = max([self.until_seq, *(message.seq for message in newest)])

    async def _settle(self, failure: str | None) -> None:
        if self._scene is not None and self._account.is_open:
            self.stage.notes.take(self._scene)
        try:
            await self._account.settle(counted_for(self.usage, failure))
        except SeanceError as fault:
            log.warning("spirit.not_settled", session_id=self.session_id, turn_id=self.id, code=fault.code)


async def commit_said(messages: Messages, session: Session, turn_id: TurnId, text: str) -> Message:
    """Return the turn's one message, committed.

    The turn's id is its idempotency key, so that a turn taken over, or tried again, never speaks twice.
    Retries what is retryable for 20 seconds, then raises it.
    """
    speaker = Participant(SPIRIT_USER_ID, session.spirit.name)
    said = drafted(session.id, speaker, text, turn_id, is_spirit=True)
    return await patiently(lambda: messages.posted(said), COMMIT_PATIENCE_SECONDS)


async def patiently(ask: Callable[[], Awaitable[T]], seconds: float, is_wanted: Callable[[], bool] = lambda: True) -> T:
    """Return what is asked for; tries again what is retryable while it is wanted, for so long, then raises it."""
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            return await ask()
        except SeanceError as error:
            if not error.retryable or not is_wanted() or time.monotonic() > give_up_at:
                raise
            await asyncio.sleep(ASK_AGAIN_SECONDS)
