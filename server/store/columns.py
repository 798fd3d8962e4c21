"""Column types and the database's clock, the same in meaning on both databases."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import BindParameter, Boolean, DateTime, Dialect, Float, Text, bindparam
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

# Of a moment in UTC, without its zone.
_MOMENT_CHARS: Final = 26


class Moment(TypeDecorator[datetime]):
    """A moment in UTC to the microsecond: `timestamptz`, or text that sorts as time does on SQLite."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database stores."""
        zoned = postgresql.TIMESTAMP(timezone=True)
        return dialect.type_descriptor(zoned if dialect.name == "postgresql" else DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC; SQLite gets it without the zone."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment with its zone."""
        if value is None:
            return None
        return value if dialect.name == "postgresql" else value.replace(tzinfo=UTC)


def moment_text(moment: datetime) -> str:
    """Return the text that `Moment` stores on SQLite, for statements that do without SQLAlchemy."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:_MOMENT_CHARS]


def moment_of_text(stored: str) -> datetime:
    """Return the moment of such a text."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def iso_of_text(stored: str) -> str:
    """Return such a moment as it goes over the wire."""
    return f"{stored[:10]}T{stored[11:]}Z"


def text_of_iso(moment: str) -> str:
    """Return a moment from the wire as such a text."""
    return f"{moment[:10]} {moment[11:-1]}"


class _SecondsFromNow(FunctionElement[datetime]):
    """The database's clock, moved by a number of seconds."""

    type = Moment()
    inherit_cache = True
    name = "seconds_from_now"


@compiles(_SecondsFromNow, "postgresql")
def _on_postgresql(element: _SecondsFromNow, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    # statement_timestamp() and not clock_timestamp(): a stable function lets an index be used.
    return f"(statement_timestamp() + make_interval(secs => {seconds}))"


@compiles(_SecondsFromNow, "sqlite")
def _on_sqlite(element: _SecondsFromNow, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    # SQLite's clock has milliseconds; three zeros make the text as long as what `Moment` stores.
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', printf('%.3f seconds', {seconds}))"


class _Texts(TypeDecorator[list[str]]):
    """A list of texts as one parameter: an array, or JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database takes."""
        return dialect.type_descriptor(postgresql.ARRAY(Text()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        """Return the list in the database's form."""
        return value if dialect.name == "postgresql" else orjson.dumps(value).decode()


class _IsOneOf(FunctionElement[bool]):
    """Whether the first of its two clauses is among the second's."""

    type = Boolean()
    inherit_cache = True
    name = "is_one_of"


@compiles(_IsOneOf, "postgresql")
def _among_array(element: _IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    value, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{value} = ANY ({values})"


@compiles(_IsOneOf, "sqlite")
def _among_json(element: _IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    value, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{value} IN (SELECT value FROM json_each({values}))"  # noqa: S608 — both are compiled SQL


def is_one_of(column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """Return whether a column has one of any number of values, in one parameter and so with one prepared statement."""
    return _IsOneOf(column, bindparam(None, list(values), type_=_Texts()))


def from_now(seconds: float | BindParameter[float]) -> ColumnElement[datetime]:
    """Return the moment `seconds` from now (negative: ago) on the database's clock, the one all processes share."""
    moved = bindparam(None, seconds, type_=Float()) if isinstance(seconds, int | float) else seconds
    return _SecondsFromNow(moved)
