"""The tables, as `alembic/` makes them; ids are text so that plain SQL finds them on either database."""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from server.domain import CLIENT_MESSAGE_ID_CHARS, SESSION_NAME_CHARS, USER_ID_CHARS, USER_NAME_CHARS
from server.store.columns import Moment

_ID_CHARS: Final = 36
_WORD_CHARS: Final = 16
_KEY_CHARS: Final = 120

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _session_id(*, cascade: bool = True) -> Column[str]:
    """Return the column that says which session a row belongs to; such rows go with their session."""
    if not cascade:
        return Column("session_id", String(_ID_CHARS), nullable=False)
    return Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False)


sessions = Table(
    "sessions",
    metadata,
    Column("id", String(_ID_CHARS), primary_key=True),
    Column("name", String(SESSION_NAME_CHARS), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("max_users", Integer, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("close_reason", String(_WORD_CHARS)),
    Column("ended_at", Moment),
    Column("last_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("last_active_at", Moment, nullable=False),
    Column("spirit", JSON().with_variant(JSONB, "postgresql"), nullable=False),
    Column("summary", Text, nullable=False, server_default=text("''")),
    Column("summary_seq", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("max_users > 0", "has_seats"),
    # Every batch of messages updates these rows: free space on the page and no index on what changes
    # (last_seq, last_active_at) let PostgreSQL do that without touching an index.
    postgresql_with={"fillfactor": 50},
)
# Without the id, which would make it a candidate for finding a session by its id alone.
Index(None, sessions.c.created_at)
Index(
    "ix_sessions_ended_at",
    sessions.c.ended_at,
    postgresql_where=sessions.c.ended_at.is_not(None),
    sqlite_where=sessions.c.ended_at.is_not(None),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(_ID_CHARS), nullable=False),
    # No foreign key: the log inserts only under the row lock of a session it has just seen.
    _session_id(cascade=False),
    Column("seq", BigInteger, nullable=False),
    Column("user_id", String(USER_ID_CHARS), nullable=False),
    Column("user_name", String(USER_NAME_CHARS), nullable=False),
    Column("text", Text, nullable=False),
    Column("timestamp", Moment, nullable=False),
    Column("is_spirit", Boolean, nullable=False),
    Column("client_message_id", String(CLIENT_MESSAGE_ID_CHARS)),
    PrimaryKeyConstraint("session_id", "seq"),
    UniqueConstraint("session_id", "user_id", "client_message_id"),
)

users = Table(
    "users",
    metadata,
    _session_id(),
    Column("id", String(USER_ID_CHARS), nullable=False),
    Column("name", String(USER_NAME_CHARS), nullable=False),
    Column("role", String(_WORD_CHARS), nullable=False),
    Column("joined_at", Moment, nullable=False),
    PrimaryKeyConstraint("session_id", "id"),
)

processes = Table(
    "processes",
    metadata,
    Column("id", String(_ID_CHARS), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

seats = Table(
    "seats",
    metadata,
    _session_id(cascade=False),
    Column("user_id", String(USER_ID_CHARS), nullable=False),
    # No foreign key: a seat outlives its process's lease until it was swept and people were told.
    Column("process_id", String(_ID_CHARS), nullable=False),
    Column("expires_at", Moment),
    PrimaryKeyConstraint("session_id", "user_id", "process_id"),
    ForeignKeyConstraint(["session_id", "user_id"], ["users.session_id", "users.id"], ondelete="CASCADE"),
    Index(None, "process_id"),
)
Index(
    "ix_seats_expires_at",
    seats.c.expires_at,
    postgresql_where=seats.c.expires_at.is_not(None),
    sqlite_where=seats.c.expires_at.is_not(None),
)

turns = Table(
    "turns",
    metadata,
    Column("id", String(_ID_CHARS), primary_key=True),
    _session_id(),
    Column("process_id", String(_ID_CHARS), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until_seq", BigInteger, nullable=False),
    Column("woken_by", String(USER_ID_CHARS), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("reason", String(_WORD_CHARS)),
    Column("text", Text, nullable=False, server_default=text("''")),
    Column("prompt_tokens", Integer, nullable=False, server_default=text("0")),
    Column("completion_tokens", Integer, nullable=False, server_default=text("0")),
)
Index(
    "uq_turns_session_id_running",
    turns.c.session_id,
    unique=True,
    postgresql_where=turns.c.ended_at.is_(None),
    sqlite_where=turns.c.ended_at.is_(None),
)
# Up to where a session's messages are answered.
Index(None, turns.c.session_id, turns.c.until_seq)

token_uses = Table(
    "token_uses",
    metadata,
    Column("jti", Text, primary_key=True),
    Column("uses", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index(None, "expires_at"),
)

spendings = Table(
    "spendings",
    metadata,
    Column("key", String(_KEY_CHARS), primary_key=True),
    Column("tokens", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False),
)
