"""The quick reading of a message or a session says what the schema says, or leaves it to the schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import ValidationFailed
from server.protocol import inbound
from server.protocol.quick import quick_join, quick_message, quick_session

SCHEMA = inbound.SendMessageSchema()

texts = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="\x00 \t\n\ud800a\u2028é", max_size=6),
    st.integers(7_990, 8_010).map(lambda length: "x" * length),
)
values = st.one_of(texts, st.none(), st.integers(), st.booleans(), st.lists(st.integers(), max_size=2))
keys = st.sampled_from(["message", "client_message_id", "clientOffset", "user_name", "other"])
objects = st.one_of(st.dictionaries(keys, values, max_size=4), st.fixed_dictionaries({"message": texts}), values)


@given(said=objects)
def test_it_answers_as_the_schema_or_not_at_all(said: Any) -> None:
    quick = quick_message(said)
    if quick is not None:
        assert inbound.read(SCHEMA, said) == quick


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=100))
def test_it_reads_every_plain_message(text: str) -> None:
    quick = quick_message({"message": text, "client_message_id": "c-1", "user_name": "whoever"})
    assert (quick is None) == text.isspace()


@pytest.mark.parametrize(
    "said", [{"message": "x", "other": 1}, {"message": "\ud800"}, {"message": "x" * 8_001}, [], None]
)
def test_what_the_schema_refuses_is_left_to_it(said: object) -> None:
    assert quick_message(said) is None
    with pytest.raises(ValidationFailed):
        inbound.read(SCHEMA, said)


SESSION_SCHEMA = inbound.CreateSessionSchema()

names = st.one_of(
    texts, st.text(alphabet="\x00 \t\n\x7f\x85\u2028\ud800a", max_size=6), st.integers(95, 105).map("x".__mul__)
)
seats = st.one_of(st.integers(-1, 12), st.integers(9_990, 10_010), st.floats(), st.booleans(), st.none(), texts)
session_values = st.one_of(names, seats, st.dictionaries(st.just("answers"), st.just("every")))
session_objects = st.one_of(
    st.dictionaries(st.sampled_from(["name", "max_users", "spirit", "other"]), session_values, max_size=3),
    st.fixed_dictionaries({"name": names}, optional={"max_users": seats}),
    session_values,
)


@given(said=session_objects)
def test_a_session_is_answered_as_the_schema_does_or_not_at_all(said: Any) -> None:
    quick = quick_session(said)
    if quick is not None:
        assert inbound.read(SESSION_SCHEMA, said) == quick


@given(name=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=100))
def test_every_plain_session_is_read(name: str) -> None:
    assert quick_session({"name": name}) == inbound.read(SESSION_SCHEMA, {"name": name})
    assert quick_session({"name": name, "max_users": 10_000}) is not None


@pytest.mark.parametrize(
    "said", [{}, {"name": "x", "other": 1}, {"name": "\n"}, {"name": " "}, {"name": "x" * 101}, [], None]
    + [{"name": "x", "max_users": bad} for bad in (0, 10_001, True, None, 6.5)]
)  # fmt: skip
def test_what_the_schema_of_sessions_refuses_is_left_to_it(said: object) -> None:
    assert quick_session(said) is None
    with pytest.raises(ValidationFailed):
        inbound.read(SESSION_SCHEMA, said)


JOIN_SCHEMA = inbound.JoinSchema()
SESSION_ID = "0b8a9e8e-6a4e-4e7f-9d4c-1f2e3d4c5b6a"

ids = st.one_of(names, st.just("spirit"), st.integers(60, 70).map("i".__mul__), st.none())
join_objects = st.one_of(
    st.fixed_dictionaries(
        {"session_id": st.sampled_from([SESSION_ID, "x", "", 1]), "user_name": names},
        optional={"user_id": ids, "token": texts, "last_seq": seats, "other": texts},
    ),
    session_values,
)


@given(said=join_objects)
def test_a_join_is_answered_as_the_schema_does_or_not_at_all(said: Any) -> None:
    quick = quick_join(said)
    if quick is not None:
        assert inbound.read(JOIN_SCHEMA, said) == quick


@given(name=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=32))
def test_every_plain_join_is_read(name: str) -> None:
    assert quick_join({"session_id": SESSION_ID, "user_name": name}) is not None
    assert quick_join({"session_id": SESSION_ID, "user_name": name, "user_id": name + "-1"}) is not None


@pytest.mark.parametrize(
    "said", [{"user_id": "spirit"}, {"user_id": ""}, {"user_id": None}, {"user_name": " "}, {"last_seq": -1}, {"x": 1}]
)
def test_what_the_schema_of_joins_refuses_is_left_to_it(said: dict[str, object]) -> None:
    whole = {"session_id": SESSION_ID, "user_name": "Ada", **said}
    assert quick_join(whole) is None
    with pytest.raises(ValidationFailed):
        inbound.read(JOIN_SCHEMA, whole)
