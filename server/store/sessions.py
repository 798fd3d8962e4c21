"""Sessions: made, read, listed, changed, ended, and at last removed."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain import CloseReason, Session, SessionId
from server.errors import SessionClosed, SessionNotFound
from server.protocol.commands import ChangeSession
from server.store.columns import from_now, is_one_of
from server.store.cursors import Cursor
from server.store.database import Database
from server.store.rows import SESSION_COLUMNS, session_of, sessions_read, spirit_stored
from server.store.session_lines import SessionLines
from server.store.tables import messages, sessions

_MESSAGES_PER_PURGE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Head:
    """A session's newest `seq`, and why it is over, if it is."""

    seq: int
    close_reason: CloseReason | None = None


class SessionStore:
    """The sessions of one database; may be shared by any number of tasks."""

    def __init__(self, database: Database) -> None:
        """Work on an open database."""
        self._database = database
        self._lines = SessionLines(database)

    async def create(self, session: Session) -> None:
        """Store a new session; committed when this returns."""
        await self._lines.make(session)

    async def get(self, session_id: SessionId) -> Session | None:
        """Return a session, ended or not, or None; as it is no earlier than at the call."""
        return await self._lines.find(session_id)

    async def page(self, limit: int, cursor: str | None) -> tuple[list[Session], str | None]:
        """Return the newest sessions behind `cursor`, newest first, and the cursor of the next page if there is one.

        Raises `ValidationFailed` for a cursor that is none of ours.
        """
        place = tuple_(sessions.c.created_at, sessions.c.id)
        wanted = sessions_read().order_by(sessions.c.created_at.desc(), sessions.c.id.desc()).limit(limit + 1)
        if cursor is not None:
            last = Cursor.decoded(cursor)
            wanted = wanted.where(place < tuple_(last.created_at, last.id))
        async with self._database.reading() as db:
            found = [session_of(row) for row in await db.execute(wanted)]
        return found[:limit], _next_cursor(found, limit)

    async def change(self, session_id: SessionId, change: ChangeSession) -> Session:
        """Return the session as changed; what the change leaves None stays.

        Raises `SessionNotFound` and `SessionClosed`.
        """
        async with self._database.writing() as db:
            session = await locked(db, session_id)
            if not session.is_active:
                raise SessionClosed
            changed = _changed(session, change)
            await db.execute(
                update(sessions)
                .where(sessions.c.id == session_id)
                .values(
                    name=changed.name,
                    max_users=changed.max_users,
                    spirit=spirit_stored(changed.spirit),
                    last_active_at=from_now(0),
                )
            )
        return changed

    async def close(self, session_id: SessionId, reason: CloseReason) -> tuple[Session, bool]:
        """Return the ended session, and whether this call ended it; raises `SessionNotFound`."""
        async with self._database.writing() as db:
            session = await locked(db, session_id)
            if not session.is_active:
                return session, False
            await _end(db, [session_id], reason)
        return replace(session, is_active=False, close_reason=reason), True

    async def heads(self, session_ids: Collection[SessionId]) -> dict[SessionId, Head]:
        """Return how far each session that exists has come."""
        wanted = select(sessions.c.id, sessions.c.last_seq, sessions.c.close_reason)
        async with self._database.reading() as db:
            rows = await db.execute(wanted.where(is_one_of(sessions.c.id, session_ids)))
        return {SessionId(id_): Head(seq, CloseReason(reason) if reason else None) for id_, seq, reason in rows}

    async def expire_idle(self, older_than_seconds: float, limit: int) -> list[Session]:
        """Return sessions without a message for that long, now ended; each is returned to one process only."""
        idle = (
            select(sessions.c.id)
            .where(sessions.c.is_active, sessions.c.last_active_at < from_now(-older_than_seconds))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as db:
            ids = list(await db.scalars(idle))
            return await _end(db, ids, CloseReason.EXPIRED) if ids else []

    async def purge(self, ended_before_seconds: float, limit: int) -> int:
        """Remove sessions that ended that long ago with all that belongs to them; return how many went."""
        removed = None
        while removed is None:
            async with self._database.writing() as db:
                removed = await _purge_some(db, ended_before_seconds, limit)
        return removed


async def locked(db: AsyncConnection, session_id: SessionId) -> Session:
    """Return a session whose row nobody else changes before this transaction ends; raises `SessionNotFound`."""
    row = (await db.execute(sessions_read().where(sessions.c.id == session_id).with_for_update())).first()
    if row is None:
        raise SessionNotFound.of(session_id)
    return session_of(row)


async def _end(db: AsyncConnection, ids: list[str] | list[SessionId], reason: CloseReason) -> list[Session]:
    ended = (
        update(sessions)
        .where(is_one_of(sessions.c.id, ids))
        .values(is_active=False, close_reason=reason, ended_at=from_now(0))
        .returning(*SESSION_COLUMNS)
    )
    return [session_of(row) for row in await db.execute(ended)]


async def _purge_some(db: AsyncConnection, ended_before_seconds: float, limit: int) -> int | None:
    """Remove a bounded number of messages; return how many sessions went, or None while messages remain."""
    over = (
        select(sessions.c.id)
        .where(sessions.c.ended_at < from_now(-ended_before_seconds))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(await db.scalars(over))
    key = tuple_(messages.c.session_id, messages.c.seq)
    some = (
        select(messages.c.session_id, messages.c.seq)
        .where(is_one_of(messages.c.session_id, ids))
        .limit(_MESSAGES_PER_PURGE)
    )
    gone = await db.execute(delete(messages).where(key.in_(some)))
    if gone.rowcount == _MESSAGES_PER_PURGE:
        return None
    await db.execute(delete(sessions).where(is_one_of(sessions.c.id, ids)))
    return len(ids)


def _changed(session: Session, change: ChangeSession) -> Session:
    """Return the session with everything that the change names."""
    spirit = replace(session.spirit, **_named(asdict(change.spirit)))
    return replace(session, spirit=spirit, **_named({"name": change.name, "max_users": change.max_users}))


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _next_cursor(found: list[Session], limit: int) -> str | None:
    """Return the cursor of the last session shown, when the query found one more."""
    if len(found) <= limit:
        return None
    return Cursor(found[limit - 1].created_at, found[limit - 1].id).encoded()
