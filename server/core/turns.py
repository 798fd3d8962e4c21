"""The spirit among several people: at most one turn per session, over all processes."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

from server.core.messages import Messages
from server.core.notes import Notes
from server.core.ports import Broadcaster, Outline, Provider, Purse, TurnObserver
from server.core.scenes import Past, Scenes
from server.core.silence import Silence
from server.core.turn import Stage, Turn
from server.core.turn_losses import UNANSWERED_MOST, Losses
from server.core.turn_policy import Verdict, verdict, woken_by
from server.domain import Answers, Message, Overlap, Participant, Session, SessionId, TurnId, TurnReason
from server.errors import SeanceError, SpiritDisabled
from server.logs import logger
from server.moments import new_id
from server.protocol.codec import loads
from server.protocol.commands import StopScope
from server.protocol.objects import message_of, person_object
from server.protocol.outbound import MessageReceived, SpiritFinished, Typing
from server.store.seats import Seats
from server.store.sessions import SessionStore
from server.store.turns import AbandonedTurn, TurnStore

log = logger()

STOP: Final = "stop"
TAKEN_OVER_AT_ONCE: Final = 100
CLOSE_PATIENCE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Wake:
    """Which messages a turn answers, those after `since_seq` up to `seq`, and who pays for it."""

    seq: int
    user_id: str
    since_seq: int = 0
    is_summoned: bool = False


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in turns; without a provider the spirit is silent everywhere."""

    provider: Provider | None
    purse: Purse
    observer: TurnObserver
    broadcaster: Broadcaster


class Turns:
    """Wakes the spirit, one turn at a time for each session; people's messages never wait for it."""

    def __init__(self, cast: Cast, sessions: SessionStore, seats: Seats, store: TurnStore, messages: Messages) -> None:
        """Take who takes part, and where things are kept."""
        self._sessions = sessions
        self._messages = messages
        self._broadcaster = cast.broadcaster
        self._store = store
        self._provider = cast.provider or Silence()
        self._notes = Notes(self._provider, store, messages, cast.purse)
        self._stage = Stage(
            self._provider,
            cast.purse,
            cast.observer,
            cast.broadcaster,
            messages,
            store,
            self._notes,
            Scenes(messages, seats, store, self._provider.takes_notes),
        )
        self._losses = Losses(cast.broadcaster, messages, store)
        self._turns: dict[SessionId, Turn] = {}
        self._tasks: dict[SessionId, asyncio.Task[None]] = {}
        self._unheard: dict[SessionId, list[Message]] = {}
        self._mine: set[TurnId] = set()
        self._unended: set[TurnId] = set()
        self._closing = False
        if cast.provider is not None:
            messages.on_heard(self.heard)

    def heard(self, session_id: SessionId, messages: Sequence[Message]) -> None:
        """Let the spirit hear newly committed messages of a session, in order."""
        said = [message for message in messages if not message.is_spirit]
        if not said or self._closing:
            return
        if (turn := self._turns.get(session_id)) is not None:
            self._heard_meanwhile(turn, said)
            return
        self._unheard.setdefault(session_id, []).extend(said)
        if session_id not in self._tasks:
            self._start(session_id, self._answer(session_id))

    def typing(self, session_id: SessionId) -> None:
        """Let the spirit know that somebody writes."""
        if (turn := self._turns.get(session_id)) is not None:
            turn.disturb()

    def summon(self, session: Session, by: Participant) -> None:
        """Ask the spirit to speak now, whoever spoke last; raises `SpiritDisabled`."""
        if isinstance(self._provider, Silence) or session.spirit.answers is Answers.NEVER:
            raise SpiritDisabled
        if session.id not in self._tasks and not self._closing:
            self._start(session.id, self._answer(session.id, Wake(session.head, by.user_id, is_summoned=True)))

    def stop(self, session_id: SessionId, by: Participant, scope: StopScope) -> None:
        """End the turn under way; with `all`, what waits behind it is not answered either."""
        if (turn := self._turns.get(session_id)) is not None:
            turn.cut(TurnReason.STOPPED, by)
            turn.is_last = turn.is_last or scope == "all"
        else:
            self._broadcaster.signal(session_id, STOP, {**person_object(by), "scope": scope})

    def heard_elsewhere(self, session_id: SessionId, name: str, data: bytes) -> None:
        """Hear a signal, a message or typing that came to another process, if the session's turn is here."""
        turn = self._turns.get(session_id)
        if turn is None:
            return
        said = cast("dict[str, Any]", loads(data))
        if name == Typing.name and said["is_typing"]:
            turn.disturb()
        elif name == STOP:
            self.stop(session_id, Participant(said["user_id"], said["user_name"]), said["scope"])
        elif name == MessageReceived.name and not said["is_spirit"]:
            self._heard_meanwhile(turn, [message_of(said)])

    async def look_elsewhere(self, session_id: SessionId) -> None:
        """Let this process hear of a turn that began before it had anyone in the session."""
        with suppress(SeanceError):  # a joiner who is not told of the turn still hears its end
            if session_id not in self._turns and await self._store.is_running(session_id):
                await self._broadcaster.turn_elsewhere(session_id, None)

    async def missed_end(self, session_id: SessionId, last_seq: int) -> SpiritFinished | None:
        """Return the end of the last turn, if whoever has heard the session up to `last_seq` may have missed it."""
        if isinstance(self._provider, Silence):
            return None
        with suppress(SeanceError):  # a joiner who is not told of it still learns that no turn is under way
            over = await self._store.last_end(session_id)
            if over is not None and (over.seq or over.until_seq + 1) > last_seq:
                return SpiritFinished(over.turn_id, over.reason, over.message_id, over.seq)
        return None

    async def take_over(self) -> None:
        """End the turns whose process died, or lost hold of them, and answer in a new one what they had not begun to.

        A message whose process died before its turn began is answered too.
        """
        await self._losses.tell_ends(self._mine)
        for lost in [] if self._closing else await self._store.abandoned(TAKEN_OVER_AT_ONCE, self._mine):
            log.warning("spirit.taken_over", session_id=lost.session_id, turn_id=lost.turn_id)
            if lost.turn_id in self._unended:  # the room has heard its end already
                await self._store.end(lost.turn_id, lost.fence, TurnReason.FAILED, lost.text, lost.until_seq)
                self._unended.discard(lost.turn_id)
            elif lost.session_id not in self._tasks:  # else it is nobody's now, and found again
                self._mine.add(lost.turn_id)
                self._start(lost.session_id, self._end_lost(lost))
        if not isinstance(self._provider, Silence) and not self._closing:
            await self._answer_late()

    async def _answer_late(self) -> None:
        for late in await self._losses.unanswered(self._tasks):
            if late.session_id not in self._tasks:
                self._start(late.session_id, self._answer_since(late.session_id, late.since_seq))

    async def outline(self, session: Session) -> Outline:
        """Return what would be sent to the provider if the spirit spoke now."""
        return self._provider.outline(await self._stage.scenes.of(TurnId(new_id()), session, Past(0, session.head)))

    async def aclose(self) -> None:
        """Interrupt all turns of this process; what was said is kept."""
        self._closing = True
        for turn in list(self._turns.values()):
            turn.cut(TurnReason.INTERRUPTED)
        if tasks := list(self._tasks.values()):
            _, late = await asyncio.wait(tasks, timeout=CLOSE_PATIENCE_SECONDS)
            for task in late:
                task.cancel()
        await self._notes.aclose()
        await self._provider.aclose()

    def _heard_meanwhile(self, turn: Turn, said: Sequence[Message]) -> None:
        if turn.is_told:  # whoever has heard the end speaks to the next turn
            self._unheard.setdefault(turn.session_id, []).extend(said)
            return
        for message in said:
            decided = verdict(turn.session.spirit, turn.phase, message)
            if decided is Verdict.JOIN:
                turn.join(message)
            elif decided is Verdict.INTERRUPT:
                turn.cut(TurnReason.INTERRUPTED)

    def _start(self, session_id: SessionId, work: Coroutine[None, None, None]) -> None:
        self._tasks[session_id] = asyncio.create_task(self._guarded(session_id, work))

    async def _guarded(self, session_id: SessionId, work: Coroutine[None, None, None]) -> None:
        try:
            await self._broadcaster.attend(session_id)
            await work
        except SeanceError as error:
            log.warning("spirit.silent", session_id=session_id, code=error.code)
            self._losses.unsettle(session_id)
        except Exception:
            log.exception("spirit.silent", session_id=session_id)
        finally:
            work.close()
            self._broadcaster.unattend(session_id)
            # Without an await since the last look at what is unheard: nothing can fall between.
            self._unheard.pop(session_id, None)
            self._tasks.pop(session_id, None)

    async def _answer(self, session_id: SessionId, wake: Wake | None = None, since_seq: int = 0) -> None:
        """Take turns until nobody waits for an answer.

        What came while a turn spoke is found in the log, so it does not matter which process heard it.
        """
        session = await self._sessions.get(session_id)
        newer = self._unheard.pop(session_id, [])
        while session is not None and session.is_active and not self._closing:
            wake = wake or _wake(session, newer, since_seq)
            if wake is None:
                return
            turn, wake = await self._begin(session, wake), None
            if turn is None:  # another process has a turn, and looks at the log after it; what is newer is still ours
                newer = self._unheard.pop(session_id, [])
                continue
            await self._run(turn)
            session = await self._sessions.get(session_id)
            newer, since_seq = await self._unanswered(turn), turn.until_seq

    async def _answer_since(self, session_id: SessionId, since_seq: int) -> None:
        """Answer what was said since, by whichever process it was taken."""
        newer = await self._messages.after(session_id, since_seq, UNANSWERED_MOST)
        fresh = self._unheard.pop(session_id, [])
        known = {message.seq for message in newer}
        self._unheard[session_id] = newer + [message for message in fresh if message.seq not in known]
        await self._answer(session_id, since_seq=since_seq)

    async def _end_lost(self, lost: AbandonedTurn) -> None:
        session = await self._sessions.get(lost.session_id)
        if session is None:
            self._mine.discard(lost.turn_id)
            return
        turn = Turn(self._stage, lost.turn_id, session, lost.fence, lost.until_seq, lost.woken_by)
        known = await self._losses.known_of(lost)
        turn.has_said(known.text, known.index)
        if not known.text and not known.is_over:
            turn.until_seq = await self._store.answered_to(session.id, besides=turn.id)
        await self._run(turn)
        self._unheard.setdefault(session.id, [])[:0] = await self._unanswered(turn)
        await self._answer(session.id, since_seq=turn.until_seq)

    async def _begin(self, session: Session, wake: Wake) -> Turn | None:
        """Return a turn with the session's lease, None if another process has it, or has answered this already."""
        turn_id = TurnId(new_id())
        self._mine.add(turn_id)
        begun = await self._store.begin(session.id, turn_id, wake.seq, wake.user_id, is_summoned=wake.is_summoned)
        if begun is None:
            self._mine.discard(turn_id)
            return None
        return Turn(self._stage, turn_id, session, begun.fence, wake.seq, wake.user_id, wake.since_seq)

    async def _run(self, turn: Turn) -> None:
        self._turns[turn.session_id] = turn
        try:
            meanwhile = self._unheard.pop(turn.session_id, [])
            running = asyncio.ensure_future(turn.run())
            self._heard_meanwhile(turn, [message for message in meanwhile if message.seq > turn.until_seq])
            await running
        finally:
            self._turns.pop(turn.session_id, None)
            self._mine.discard(turn.id)
            if not turn.is_ended:
                self._unended.add(turn.id)

    async def _unanswered(self, turn: Turn) -> list[Message]:
        ends_here = turn.is_last or turn.session.spirit.overlap is Overlap.DROP
        kept = [] if ends_here else await self._messages.after(turn.session_id, turn.until_seq, UNANSWERED_MOST)
        known = {message.seq for message in kept}
        fresh = self._unheard.pop(turn.session_id, [])
        return kept + [message for message in fresh if message.seq not in known]


def _wake(session: Session, newer: Sequence[Message], since_seq: int) -> Wake | None:
    message = woken_by(session.spirit, newer)
    return Wake(message.seq, message.user_id, since_seq) if message is not None else None
