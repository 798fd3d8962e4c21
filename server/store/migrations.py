"""The tables brought to the form this release wants, once, however many processes start together."""

import asyncio
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg

from server.store.drivers import connect_postgresql, connect_sqlite
from server.store.outages import outages_named
from server.store.urls import DatabaseUrl, parse

if TYPE_CHECKING:
    from alembic.config import Config

# The newest revision of `alembic/versions`, known here so that a start needs no alembic when nothing is to be done.
HEAD: Final = "0001"

_VERSION_QUERY: Final = "SELECT version_num FROM alembic_version"


async def is_current(url: str) -> bool:
    """Tell whether the tables have the form this release wants.

    Raises `DatabaseUnavailable`, or `ValueError` for a URL that names no database, as everything here does.
    """
    return await revision(url) == HEAD


async def migrate(url: str) -> None:
    """Bring the tables to the newest form; a moment's work when they have it."""
    if not await is_current(url):
        await upgrade(url)


async def upgrade(url: str, to: str = "head") -> None:
    """Run the migrations up to a revision."""
    await _run("upgrade", url, to)


async def downgrade(url: str, to: str) -> None:
    """Undo the migrations down to a revision; `base` leaves no tables."""
    await _run("downgrade", url, to)


async def revision(url: str) -> str | None:
    """Return the revision the tables have, or None when there are none."""
    parsed = parse(url)
    with outages_named():
        if parsed.dialect == "postgresql":
            return await _postgresql_revision(parsed)
        return await asyncio.to_thread(_sqlite_revision, parsed)


def config(url: str) -> "Config":
    """Return alembic's configuration for a database."""
    from alembic.config import Config  # noqa: PLC0415 — 0.2 s that a start with current tables does not pay

    made = Config()
    made.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    made.attributes["url"] = url
    return made


async def _run(name: str, url: str, to: str) -> None:
    """Run one of alembic's commands in a thread, where `env.py` has a loop of its own."""
    command = await asyncio.to_thread(import_module, "alembic.command")
    with outages_named():
        await asyncio.to_thread(getattr(command, name), await asyncio.to_thread(config, url), to)


def _scripts() -> Path:
    """Return where the migrations are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_migrations"
    return installed if installed.is_dir() else package.parent / "alembic"


async def _postgresql_revision(url: DatabaseUrl) -> str | None:
    connection = await connect_postgresql(url.target)
    try:
        found: str | None = await connection.fetchval(_VERSION_QUERY)
    except asyncpg.UndefinedTableError:
        return None
    else:
        return found
    finally:
        await connection.close()


def _sqlite_revision(url: DatabaseUrl) -> str | None:
    if not Path(url.target).exists():
        return None
    connection = connect_sqlite(url.target)
    try:
        exists = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute(_VERSION_QUERY).fetchone() if exists else None
    finally:
        connection.close()
    return row[0] if row else None
