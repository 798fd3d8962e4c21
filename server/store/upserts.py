"""Insert or change in one statement, in the dialect at hand."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from server.store.urls import Dialect

Upsert = postgresql.Insert | sqlite.Insert


def insert_into(table: Table, dialect: Dialect) -> Upsert:
    """Return an insert that may say what to do on conflict."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def upsert(table: Table, dialect: Dialect, changed: Iterable[str]) -> Insert:
    """Return an insert that changes the named columns where the primary key is there already."""
    wanted = insert_into(table, dialect)
    news: dict[str, Any] = {name: wanted.excluded[name] for name in changed}
    return wanted.on_conflict_do_update(index_elements=list(table.primary_key), set_=news)
