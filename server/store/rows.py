"""Rows to domain objects and back."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Select, select

from server.domain import (
    Answers,
    CloseReason,
    Message,
    Overlap,
    Participant,
    Role,
    Session,
    SessionId,
    SpiritSettings,
    UserId,
)
from server.moments import iso
from server.store.columns import iso_of_text, moment_of_text
from server.store.tables import messages, sessions

SESSION_COLUMNS = (
    sessions.c.id,
    sessions.c.name,
    sessions.c.max_users,
    sessions.c.created_at,
    sessions.c.is_active,
    sessions.c.spirit,
    sessions.c.last_seq,
    sessions.c.close_reason,
)
MESSAGE_COLUMNS = (
    messages.c.id,
    messages.c.session_id,
    messages.c.seq,
    messages.c.user_id,
    messages.c.user_name,
    messages.c.text,
    messages.c.timestamp,
    messages.c.is_spirit,
    messages.c.client_message_id,
)


def sessions_read() -> Select[Any]:
    """Return the start of a query whose rows `session_of` takes."""
    return select(*SESSION_COLUMNS)


def session_of(row: Sequence[Any]) -> Session:
    """Return the session of a row of `SESSION_COLUMNS`."""
    id_, name, max_users, created_at, is_active, spirit, last_seq, close_reason = row
    return Session(
        id=SessionId(id_),
        name=name,
        max_users=max_users,
        created_at=created_at,
        is_active=is_active,
        spirit=_spirit_of(spirit),
        head=last_seq,
        close_reason=CloseReason(close_reason) if close_reason else None,
    )


def session_of_driver(row: Sequence[Any]) -> Session:
    """Return the session of such a row as a driver hands it over: JSON as text, and SQLite's moments and booleans."""
    id_, name, max_users, created_at, is_active, spirit, last_seq, close_reason = row
    return Session(
        SessionId(id_),
        name,
        max_users,
        created_at if isinstance(created_at, datetime) else moment_of_text(created_at),
        bool(is_active),
        _spirit_of_json(spirit),
        last_seq,
        CloseReason(close_reason) if close_reason else None,
    )


def message_of_driver(row: Sequence[Any]) -> Message:
    """Return the message of a row of `MESSAGE_COLUMNS`, whose moment and boolean are SQLite's or PostgreSQL's."""
    id_, session_id, seq, user_id, user_name, text, timestamp, is_spirit, client_message_id = row
    told = iso_of_text(timestamp) if isinstance(timestamp, str) else iso(timestamp)
    return Message(id_, session_id, seq, user_id, user_name, text, told, bool(is_spirit), client_message_id)


def participant_of(user_id: str, name: str, role: str) -> Participant:
    """Return the person of a row of `users`."""
    return Participant(UserId(user_id), name, Role(role))


def spirit_stored(spirit: SpiritSettings) -> dict[str, Any]:
    """Return the settings as the JSON column keeps them."""
    return asdict(spirit)


def _spirit_of(stored: dict[str, Any]) -> SpiritSettings:
    words = {"answers": Answers(stored["answers"]), "overlap": Overlap(stored["overlap"])}
    return SpiritSettings(**(stored | words))


@lru_cache(maxsize=256)  # nearly every session has the same; reading it anew costs 3 µs
def _spirit_of_json(stored: str) -> SpiritSettings:
    return _spirit_of(orjson.loads(stored))
