"""Which failures of a driver mean that the database is away, and not that a statement is wrong."""

import asyncio
import sqlite3
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from server.errors import DatabaseUnavailable, SeanceError

# Classes of SQLSTATE: connection, read only, idle in a transaction for too long, refused at the door, no such
# database, rolled back (deadlock), resources, lock not available, operator intervention, system.
_AWAY_STATES: Final = ("08", "25006", "25P03", "28", "3D", "40", "53", "55P03", "57", "58")
_LOST: Final = (
    OSError,
    EOFError,
    asyncio.TimeoutError,
    PoolTimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
)


class outages_named:  # noqa: N801 — reads as the statement it is
    """Within it an unreachable database raises `DatabaseUnavailable`; a wrong statement stays what it is."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Name the failure."""
        if error is not None and is_outage(error):
            raise DatabaseUnavailable from error


def reason_of(error: SeanceError) -> str:
    """Return the name of the driver's error behind one of ours, which tells no secret; without one our sentence."""
    cause = getattr(error.__cause__, "orig", error.__cause__)
    return error.message if cause is None else type(cause).__name__


def is_outage(error: BaseException) -> bool:
    """Tell whether trying again later can help."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_outage(error.orig))
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and state.startswith(_AWAY_STATES):
        return True
    if isinstance(error, sqlite3.DatabaseError):
        return _is_sqlite_outage(error)
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError | TypeError)
    return isinstance(error, _LOST)


def _is_sqlite_outage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )
