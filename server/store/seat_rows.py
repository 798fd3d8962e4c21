"""The seats' statements: everything about some sessions read at once, all changes written at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Float, and_, bindparam, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain import Participant, ProcessId, SessionId, UserId
from server.store.columns import from_now, is_one_of
from server.store.database import Database
from server.store.leases import is_live
from server.store.rows import participant_of, session_of, sessions_read
from server.store.seating import Seat, Seating
from server.store.tables import processes, seats, sessions, users
from server.store.upserts import upsert
from server.store.urls import Dialect

# A lock of its own, and not the session's row: joins must not hold up the message log. Always in the order of ids.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(id, 0)) FROM unnest(CAST(:ids AS text[])) AS id")

# One parameter for any number of seats, `[[session, user, seconds], …]`: the statement is prepared once.
_DROP: Final = {
    "postgresql": text("""
        UPDATE seats SET expires_at = statement_timestamp() + make_interval(secs => CAST(d.place ->> 2 AS float8))
        FROM json_array_elements(CAST(:dropped AS json)) AS d(place)
        WHERE session_id = d.place ->> 0 AND user_id = d.place ->> 1 AND process_id = :process_id
    """),
    "sqlite": text("""
        UPDATE seats SET expires_at = strftime(
            '%Y-%m-%d %H:%M:%f000', 'now', printf('%.3f seconds', json_extract(d.value, '$[2]'))
        )
        FROM json_each(:dropped) AS d
        WHERE session_id = json_extract(d.value, '$[0]') AND user_id = json_extract(d.value, '$[1]')
            AND process_id = :process_id
    """),
}

_SEATS = seats.join(users, and_(users.c.session_id == seats.c.session_id, users.c.id == seats.c.user_id)).outerjoin(
    processes, processes.c.id == seats.c.process_id
)
_ARRIVAL = (users.c.joined_at, users.c.id)


def _seat_is_live() -> ColumnElement[bool]:
    in_grace = or_(seats.c.expires_at.is_(None), seats.c.expires_at > from_now(0))
    return func.coalesce(and_(is_live(), in_grace), False)


async def load(db: AsyncConnection, session_ids: list[SessionId]) -> dict[SessionId, Seating]:
    """Return the seating of each session that exists, which no other process changes before the transaction ends."""
    if db.dialect.name == "postgresql":
        await db.execute(_LOCK, {"ids": session_ids})
    # The weakest lock on the row: it keeps out who ends or changes the session, not who appends messages.
    found = sessions_read().where(is_one_of(sessions.c.id, session_ids)).order_by(sessions.c.id)
    rows = await db.execute(found.with_for_update(read=True, key_share=True))
    known = [session_of(row) for row in rows]
    seated = await _seats(db, session_ids)
    return {session.id: Seating(session, seated[session.id]) for session in known}


async def store(db: AsyncConnection, dialect: Dialect, seatings: Mapping[SessionId, Seating]) -> None:
    """Write what the seatings changed."""
    people, kept, dropped, removed = _rows(seatings)
    if people:
        await db.execute(upsert(users, dialect, ["name", "role"]).values(joined_at=from_now(0)), people)
    if kept:
        await db.execute(upsert(seats, dialect, ["expires_at"]), kept)
    own = and_(
        seats.c.session_id == bindparam("in_session"),
        seats.c.user_id == bindparam("of_user"),
        seats.c.process_id == bindparam("by_process"),
    )
    if dropped:
        grace = bindparam("grace_seconds", type_=Float())
        await db.execute(update(seats).where(own).values(expires_at=from_now(grace)), dropped)
    if removed:
        await db.execute(delete(seats).where(own), removed)


async def drop_all(db: AsyncConnection, process_id: ProcessId, dropped: list[tuple[SessionId, UserId, float]]) -> None:
    """Let this process's seats end by themselves, each some seconds from now.

    No lock is needed: nobody else changes a live seat of ours.
    """
    places = orjson.dumps(dropped).decode()
    await db.execute(_DROP[db.dialect.name], {"dropped": places, "process_id": process_id})


async def present(database: Database, session_id: SessionId) -> list[Participant]:
    """Return who has a live seat in a session."""
    here = (
        select(users.c.id, users.c.name, users.c.role)
        .select_from(_SEATS)
        .where(seats.c.session_id == session_id, _seat_is_live())
        .order_by(*_ARRIVAL)
        .distinct()
    )
    here = here.add_columns(users.c.joined_at)
    async with database.reading() as db:
        return [participant_of(*row[:3]) for row in await db.execute(here)]


async def swept_next(database: Database, limit: int) -> list[SessionId]:
    """Return some sessions that have dead seats."""
    over = or_(
        seats.c.process_id.in_(select(processes.c.id).where(~is_live())),
        seats.c.expires_at <= from_now(0),
    )
    async with database.reading() as db:
        found = await db.scalars(select(seats.c.session_id).where(over).distinct().limit(limit))
        return [SessionId(id_) for id_ in found]


async def _seats(db: AsyncConnection, session_ids: Sequence[SessionId]) -> defaultdict[SessionId, list[Seat]]:
    query = (
        select(seats.c.session_id, users.c.id, users.c.name, users.c.role, seats.c.process_id, _seat_is_live())
        .select_from(_SEATS)
        .where(is_one_of(seats.c.session_id, session_ids))
        .order_by(*_ARRIVAL)
    )
    seated: defaultdict[SessionId, list[Seat]] = defaultdict(list)
    for session_id, user_id, name, role, process_id, live in await db.execute(query):
        seat = Seat(participant_of(user_id, name, role), ProcessId(process_id), bool(live))
        seated[SessionId(session_id)].append(seat)
    return seated


_Rows = list[dict[str, Any]]


def _rows(seatings: Mapping[SessionId, Seating]) -> tuple[_Rows, _Rows, _Rows, _Rows]:
    """Return the parameters of the four statements of `store`."""
    people: _Rows = []
    kept: _Rows = []
    dropped: _Rows = []
    removed: _Rows = []
    for session_id, seating in seatings.items():
        changes = seating.changes
        for person in changes.people.values():
            people.append(
                {"session_id": session_id, "id": person.user_id, "name": person.user_name, "role": person.role}
            )
        for (user_id, process_id), grace_seconds in changes.kept.items():
            if grace_seconds is None:
                row = {"session_id": session_id, "user_id": user_id, "process_id": process_id, "expires_at": None}
                kept.append(row)
            else:
                own = {"in_session": session_id, "of_user": user_id, "by_process": process_id}
                dropped.append(own | {"grace_seconds": grace_seconds})
        removed += [
            {"in_session": session_id, "of_user": user_id, "by_process": process_id}
            for user_id, process_id in changes.removed
        ]
    return people, kept, dropped, removed
