"""The spirit's turns: one at a time in a session, and none left behind by a process that died."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import and_, exists, func, not_, or_, select, update

from server.domain import SPIRIT_USER_ID, Answers, ProcessId, SessionId, TurnId, TurnReason, UserId
from server.store.columns import from_now, is_one_of
from server.store.database import Database
from server.store.leases import is_live
from server.store.questions import Questions
from server.store.tables import messages, processes, sessions, turns
from server.store.turn_lines import NewTurn, SavedTurn, TurnLines

FIRST_FENCE: Final = 1
# What nobody answered for so long is past; and so much of it is looked at, whatever a session holds.
_LATE_SECONDS: Final = 300.0
_LATE_MESSAGES: Final = 200
_MAX_BATCH: Final = 200
# Up to where a session's messages are answered: all its turns count, also those that said nothing.
_answered_to = func.coalesce(
    select(func.max(turns.c.until_seq))
    .where(turns.c.session_id == sessions.c.id)
    .correlate(sessions)
    .scalar_subquery(),
    0,
)

# The message that a turn left.
_is_said = and_(
    messages.c.session_id == turns.c.session_id,
    messages.c.client_message_id == turns.c.id,
    messages.c.user_id == SPIRIT_USER_ID,
)
_END: Final = (turns.c.id, turns.c.reason, turns.c.until_seq, messages.c.id.label("message_id"), messages.c.seq)


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn that is ours while nobody holds a higher fence."""

    fence: int


@dataclass(frozen=True, slots=True)
class AbandonedTurn:
    """A turn whose process died, now ours; `text` is what was saved of its answer to all up to `until_seq`."""

    turn_id: TurnId
    session_id: SessionId
    fence: int
    text: str
    until_seq: int
    woken_by: UserId


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A session in which people said something that no turn has answered; `since_seq` was the last that one has."""

    session_id: SessionId
    since_seq: int
    is_running: bool


@dataclass(frozen=True, slots=True)
class EndedTurn:
    """A turn that is over, up to where it answered, and the message it left."""

    turn_id: TurnId
    reason: TurnReason
    message_id: str | None
    seq: int | None
    until_seq: int


class Spent(Protocol):
    """What a turn used, in tokens."""

    @property
    def prompt_tokens(self) -> int:
        """Return how many were read."""

    @property
    def completion_tokens(self) -> int:
        """Return how many were written."""


class TurnStore:
    """The turns of one database, run in the name of one process, whose lease `Seats` renews."""

    def __init__(self, database: Database, process_id: ProcessId) -> None:
        """Work on an open database."""
        self._database = database
        self._process_id = process_id
        self._lines = TurnLines(database)
        self._last_ends: Questions[SessionId, EndedTurn | None] = Questions(self._found_last_ends, _MAX_BATCH)

    async def begin(
        self,
        session_id: SessionId,
        turn_id: TurnId,
        until_seq: int = 0,
        woken_by: str = "",
        *,
        is_summoned: bool = True,
    ) -> Begun | None:
        """Begin a turn, or return None: another runs, or has yet to be ended, or the session takes none.

        One that was not summoned does not begin either if a turn has answered as much already: two processes may
        both find the same message.
        """
        turn = NewTurn(turn_id, session_id, self._process_id, until_seq, woken_by, is_summoned)
        return Begun(FIRST_FENCE) if await self._lines.begin(turn) else None

    async def renew(self, turn_id: TurnId, fence: int, text: str, until_seq: int) -> bool:
        """Save what was said so far, and what it answers; False: the turn is no longer ours, or its session is over."""
        return await self._lines.save(SavedTurn(turn_id, fence, text, until_seq))

    async def answered_to(self, session_id: SessionId, *, besides: TurnId) -> int:
        """Return up to which `seq` the other turns of a session have answered, 0 if there are none."""
        query = select(func.max(turns.c.until_seq)).where(turns.c.session_id == session_id, turns.c.id != besides)
        async with self._database.reading() as db:
            return (await db.execute(query)).scalar() or 0

    async def is_running(self, session_id: SessionId) -> bool:
        """Tell whether a turn has begun and not been ended."""
        query = select(turns.c.id).where(turns.c.session_id == session_id, turns.c.ended_at.is_(None))
        async with self._database.reading() as db:
            return (await db.execute(query)).first() is not None

    async def last_end(self, session_id: SessionId) -> EndedTurn | None:
        """Return the session's last turn that is over; all who ask at once share a query."""
        return await self._last_ends.ask(session_id)

    async def _found_last_ends(self, session_ids: list[SessionId]) -> list[EndedTurn | None]:
        newest = turns.alias()
        last = (
            select(newest.c.id)
            .where(newest.c.session_id == sessions.c.id, newest.c.ended_at.is_not(None))
            .order_by(newest.c.until_seq.desc(), newest.c.ended_at.desc())
            .limit(1)
            .correlate(sessions)
            .scalar_subquery()
        )
        both = sessions.join(turns, turns.c.id == last).outerjoin(messages, _is_said)
        query = select(turns.c.session_id, *_END)
        async with self._database.reading() as db:
            rows = list(await db.execute(query.select_from(both).where(is_one_of(sessions.c.id, set(session_ids)))))
        found = {row.session_id: _ended(row) for row in rows}
        return [found.get(session_id) for session_id in session_ids]

    async def ended(self, turn_ids: Collection[TurnId]) -> list[EndedTurn]:
        """Return those of some turns that are over."""
        both = turns.outerjoin(messages, _is_said)
        query = select(turns.c.ended_at, *_END).select_from(both)
        async with self._database.reading() as db:
            rows = list(await db.execute(query.where(is_one_of(turns.c.id, turn_ids))))
        over = [_ended(row) for row in rows if row.ended_at]
        # A turn that the database does not know began shortly before its server crashed.
        unknown = set(turn_ids) - {row.id for row in rows}
        return over + [EndedTurn(turn_id, TurnReason.INTERRUPTED, None, None, 0) for turn_id in unknown]

    async def end(
        self, turn_id: TurnId, fence: int, reason: TurnReason, text: str, until_seq: int, usage: Spent | None = None
    ) -> bool:
        """End a turn that has answered, or let pass, all up to `until_seq`; False: not ours any more, or over."""
        spent = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        return await self._lines.save(SavedTurn(turn_id, fence, text, until_seq, reason, *spent))

    async def unanswered(self, session_ids: Collection[SessionId]) -> list[Unanswered]:
        """Return those sessions in which people said something lately that no turn has answered.

        A session in which the spirit is only summoned, or has to be silent, is not looked at.
        """
        was_said = exists().where(
            messages.c.session_id == sessions.c.id,
            messages.c.seq > _answered_to,
            messages.c.seq > sessions.c.last_seq - _LATE_MESSAGES,
            ~messages.c.is_spirit,
            messages.c.timestamp > from_now(-_LATE_SECONDS),
        )
        is_running = exists().where(turns.c.session_id == sessions.c.id, turns.c.ended_at.is_(None))
        query = select(sessions.c.id, _answered_to.label("since_seq"), is_running.label("is_running")).where(
            is_one_of(sessions.c.id, session_ids),
            sessions.c.is_active,
            sessions.c.spirit["answers"].as_string().in_([Answers.EVERY, Answers.MENTION]),
            was_said,
        )
        async with self._database.reading() as db:
            rows = list(await db.execute(query))
        return [Unanswered(SessionId(row.id), row.since_seq, row.is_running) for row in rows]

    async def abandoned(self, limit: int, running: Collection[TurnId] = ()) -> list[AbandonedTurn]:
        """Take over turns whose process no longer lives, each by one process only, and our own that do not run."""
        lives = select(processes.c.id).where(is_live())
        is_ours = turns.c.process_id == self._process_id
        is_left = or_(
            and_(~is_ours, turns.c.process_id.not_in(lives)),
            and_(is_ours, not_(is_one_of(turns.c.id, running))),
        )
        left = (
            select(turns.c.id).where(turns.c.ended_at.is_(None), is_left).limit(limit).with_for_update(skip_locked=True)
        )
        async with self._database.writing() as db:
            ids = list(await db.scalars(left))
            taken = (
                update(turns)
                .where(is_one_of(turns.c.id, ids))
                .values(process_id=self._process_id, fence=turns.c.fence + 1)
                .returning(
                    turns.c.id, turns.c.session_id, turns.c.fence, turns.c.text, turns.c.until_seq, turns.c.woken_by
                )
            )
            rows = list(await db.execute(taken)) if ids else []
        return [
            AbandonedTurn(
                TurnId(row.id), SessionId(row.session_id), row.fence, row.text, row.until_seq, UserId(row.woken_by)
            )
            for row in rows
        ]

    async def summary(self, session_id: SessionId) -> tuple[str, int]:
        """Return the summary of what was said, and the `seq` it reaches to; empty and 0 while there is none."""
        return await self._lines.summary(session_id)

    async def save_summary(self, session_id: SessionId, summary: str, seq: int) -> bool:
        """Keep a summary that reaches to `seq`; False: one that reaches as far is there."""
        saved = (
            update(sessions)
            .where(sessions.c.id == session_id, sessions.c.summary_seq < seq)
            .values(summary=summary, summary_seq=seq)
        )
        async with self._database.writing() as db:
            return (await db.execute(saved)).rowcount == 1


def _ended(row: Any) -> EndedTurn:
    return EndedTurn(TurnId(row.id), TurnReason(row.reason), row.message_id, row.seq, row.until_seq)
