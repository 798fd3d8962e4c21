"""Where the database is, taken from one URL."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never
from urllib.parse import unquote

Dialect = Literal["postgresql", "sqlite"]

_POSTGRESQL_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_SQLITE_SCHEMES = ("sqlite", "sqlite+aiosqlite")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A dialect, and what its driver connects to: a PostgreSQL DSN or the path of an SQLite file."""

    dialect: Dialect
    target: str

    @property
    def for_sqlalchemy(self) -> str:
        """Return the URL that names the driver; a PostgreSQL DSN is handed to the driver itself."""
        match self.dialect:
            case "postgresql":
                return "postgresql+asyncpg://"
            case "sqlite":
                return f"sqlite+aiosqlite:///{self.target}"
        assert_never(self.dialect)


def parse(url: str) -> DatabaseUrl:
    """Return what a `DATABASE_URL` names; raises `ValueError`, which never repeats the URL."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in _POSTGRESQL_SCHEMES:
        return DatabaseUrl("postgresql", f"postgresql://{rest}")
    if separator and scheme in _SQLITE_SCHEMES:
        return DatabaseUrl("sqlite", _sqlite_path(rest))
    raise ValueError("the database URL must begin with postgresql:// or sqlite:///")


def _sqlite_path(rest: str) -> str:
    """Return the path behind `sqlite://`: relative after three slashes, absolute after four."""
    path = unquote(rest.partition("?")[0].removeprefix("/"))
    if not rest.startswith("/") or not path or ":memory:" in path:
        raise ValueError(
            "an SQLite database must be a file, as in sqlite:///seance.db; what is in memory would not survive"
        )
    return str(Path(path))
