"""JSON, fields and logs: what may come in, and what may go out."""

from __future__ import annotations

import contextlib
import json
import math
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError

from server.domain import is_line, is_session_id
from server.errors import SeanceError, SessionNotFound, ValidationFailed, catalogue
from server.logs import configure_logs, redact
from server.moments import new_id
from server.protocol import inbound
from server.protocol.codec import dumps, loads
from server.protocol.fields import shown
from server.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_json_can_say_comes_back(value: Any) -> None:
    assert loads(dumps(value)) == value
    assert loads(json.dumps(value)) == value


@given(st.text(alphabet=st.characters(categories=None)) | st.binary())
def test_any_text_is_read_or_refused_with_a_value_error(text: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        loads(text)


BAD = ["", "NaN", "[1e999]", "{'a': 1}", "[1,]", '"\x00"', "[" * 100_000, '["\\ud800",NaN]', '["\\ud800",1e999]']
BAD += ['["\\ud800"' + ",[" * 50_000, '{"a":1}{}', "\ufeff{}", "01", "+1", "0x1", "tru"]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - two parsers, two texts
        loads(text)


def test_a_cut_emoji_reaches_validation() -> None:
    assert loads('{"message": "\\ud83d"}') == {"message": "\ud83d"}


def test_nothing_goes_out_that_json_cannot_say() -> None:
    with pytest.raises(TypeError):
        dumps("\ud83d")
    assert dumps(math.nan) == b"null"


@given(st.text(alphabet=st.characters(categories=None)))
def test_what_is_shown_of_a_word_can_always_be_told(word: str) -> None:
    assert len(shown(word)) <= 64
    dumps({shown(word): shown(word)})


@given(JSON)
def test_no_object_breaks_a_schema(value: Any) -> None:
    schemas: list[inbound.CommandSchema[Any]] = [inbound.JoinSchema(), inbound.SendMessageSchema()]
    for schema in (*schemas, inbound.CreateSessionSchema()):
        try:
            inbound.read(schema, value)
        except ValidationFailed as error:
            dumps(error.as_dict())


@pytest.mark.parametrize("text", ["", "\n", "a\x00", "\u2028", "\ud800", "x" * 65, None, 5])
def test_what_is_no_line(text: object) -> None:
    assert not is_line(text, 64)


def test_what_is_an_id() -> None:
    assert is_session_id(new_id())
    for text in ("", new_id().upper(), new_id() + "\n", f"{{{new_id()}}}", new_id()[:-1], "x" * 36):
        assert not is_session_id(text)


def test_every_error_says_its_code_status_and_whether_to_come_back() -> None:
    codes = [error.code for error in catalogue()]
    assert len(codes) == len(set(codes))
    for error in catalogue():
        told = error().as_dict()
        assert told == {
            "code": error.code,
            "message": error.summary,
            "details": {},
            "retryable": error.status in {429, 500, 502, 503},
        }
        assert 400 <= error.status < 600
        assert 1000 <= error.close_code < 5000
    assert issubclass(SessionNotFound, SeanceError)
    assert len(SessionNotFound.of("x" * 10_000).message) < 120


async def test_a_statement_that_fails_does_not_tell_its_values(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    statement = sql("SELECT missing FROM sessions WHERE name = :name")
    with pytest.raises(DBAPIError) as fault:
        async with database.writing() as db:
            await db.execute(statement, {"name": "nobody's business"})
    await database.close()
    assert "nobody's business" not in str(fault.value)


@pytest.fixture
def restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_secrets_and_texts_given_by_mistake_are_blanked() -> None:
    said = {"event": "x", "token": "t", "message": "m", "text": "t", "database_url": "u", "session_id": "s"}
    blank = "[redacted]"
    assert redact(None, "info", dict(said)) == said | dict.fromkeys(("token", "message", "text", "database_url"), blank)


@pytest.mark.usefixtures("restored")
def test_a_fault_in_the_log_shows_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("debug", "json")
    hidden = "these words are nobody's business"
    try:
        json.loads(hidden[:0])
    except ValueError:
        structlog.get_logger().exception("request.failed", request_id="r")
    line = capsys.readouterr().err
    assert json.loads(line)["event"] == "request.failed"
    assert "JSONDecodeError" in line
    assert hidden not in line
