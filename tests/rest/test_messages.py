from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from server.errors import DatabaseUnavailable
from server.moments import new_id
from server.protocol import shapes
from server.store.sessions import SessionStore

if TYPE_CHECKING:
    from tests.rest.api import Api
    from tests.rest.serving import Open


async def spoken(api: Api, count: int) -> str:
    """A session with the messages `1` … `count`."""
    session_id = await api.session()
    for number in range(1, count + 1):
        assert (await api.say(session_id, str(number))).status == 201
    return session_id


async def test_a_message_is_answered_as_it_will_be_read(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    said = await api_on_both.say(session_id, "Is anyone there?", user_id="ada", client_message_id="c-1")
    assert said.status == 201
    assert not shapes.MessageShape().validate(said.data)
    assert said.data == said.data | {
        "session_id": session_id,
        "seq": 1,
        "user_id": "ada",
        "user_name": "Ada",
        "message": "Is anyone there?",
        "is_spirit": False,
        "client_message_id": "c-1",
    }
    assert (await api_on_both.get(f"/api/sessions/{session_id}/messages")).data == [said.data]
    assert (await api_on_both.get(f"/api/sessions/{session_id}")).data["head"] == 1


RANGES: list[tuple[dict[str, int], list[int], bool]] = [
    ({}, [1, 2, 3, 4, 5, 6, 7], False),
    ({"limit": 3}, [5, 6, 7], True),
    ({"limit": 7}, [1, 2, 3, 4, 5, 6, 7], False),
    ({"after_seq": 0, "limit": 3}, [1, 2, 3], True),
    ({"after_seq": 4, "limit": 3}, [5, 6, 7], False),
    ({"after_seq": 7}, [], False),
    ({"after_seq": 2**53 - 1}, [], False),
    ({"before_seq": 5, "limit": 2}, [3, 4], True),
    ({"before_seq": 3, "limit": 2}, [1, 2], False),
    ({"before_seq": 1}, [], False),
    ({"before_seq": 0}, [], False),
    ({"after_seq": 2, "before_seq": 6}, [3, 4, 5], False),
    ({"after_seq": 2, "before_seq": 6, "limit": 2}, [3, 4], True),
    ({"after_seq": 5, "before_seq": 2}, [], False),
]


async def test_history_is_read_both_ways(api_on_both: Api) -> None:
    session_id = await spoken(api_on_both, 7)
    for query, seqs, more in RANGES:
        history = await api_on_both.get(f"/api/sessions/{session_id}/messages", **query)
        assert [item["seq"] for item in history.data] == seqs, query
        assert history.meta["has_more"] is more, query


async def test_history_is_fifty_messages_unless_asked_otherwise(api: Api) -> None:
    session_id = await spoken(api, 51)
    history = await api.get(f"/api/sessions/{session_id}/messages")
    assert [item["seq"] for item in history.data] == list(range(2, 52))
    assert history.meta["has_more"] is True


async def test_history_is_asked_for_within_bounds(api: Api) -> None:
    path = f"/api/sessions/{await api.session()}/messages"
    limits = [("limit", bad) for bad in ("0", "201", "-1", "x", "")]
    seqs = [(name, bad) for name in ("after_seq", "before_seq") for bad in ("-1", "x", "1.0", str(2**53), "NaN", "")]
    for name, value in [*limits, *seqs, ("order", "desc")]:
        refused = await api.get(path, **{name: value})
        assert refused.code == "VALIDATION_ERROR", (name, value)
        assert refused.error["details"].keys() == {name}


async def test_the_same_idempotency_key_is_one_message(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    path, said = f"/api/sessions/{session_id}/messages", {"message": "once", "user_name": "Ada"}
    key = {"Idempotency-Key": "k-1"}
    first, again = [await api_on_both.post(path, said, headers=key) for _ in range(2)]
    racing = await asyncio.gather(*(api_on_both.post(path, said, headers=key) for _ in range(5)))
    assert {answer.status for answer in (first, again, *racing)} == {201}
    assert all(answer.data == first.data for answer in (again, *racing))
    assert first.data["client_message_id"] == "k-1"
    by_field = await api_on_both.post(path, {**said, "client_message_id": "k-1"})
    assert by_field.data == first.data
    assert await api_on_both.texts(session_id) == ["once"]


async def test_the_same_key_of_another_person_is_another_message(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    for user_id in ("ada", "ben"):
        await api_on_both.say(session_id, user_id, user_id=user_id, client_message_id="k")
    assert await api_on_both.texts(session_id) == ["ada", "ben"]


async def test_a_key_that_contradicts_the_body_or_its_bounds_is_refused(api: Api) -> None:
    path, said = f"/api/sessions/{await api.session()}/messages", {"message": "x", "user_name": "Ada"}
    for key in ("other", "", "x" * 129):
        refused = await api.post(path, {**said, "client_message_id": "k"}, headers={"Idempotency-Key": key})
        assert refused.code == "VALIDATION_ERROR", key
        assert refused.error["details"].keys() == {"client_message_id"}
    for key in ("", "x" * 129):
        assert (await api.post(path, said, headers={"Idempotency-Key": key})).code == "VALIDATION_ERROR", key


async def test_someone_who_says_only_a_name_is_the_same_person_each_time(api: Api) -> None:
    session_id = await api.session()
    ids = {(await api.say(session_id, text)).data["user_id"] for text in ("one", "two")}
    assert len(ids) == 1
    assert (await api.say(session_id, "three", name="Ben")).data["user_id"] not in ids


async def test_racing_posts_get_numbers_without_holes(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    answers = await asyncio.gather(*(api_on_both.say(session_id, str(number)) for number in range(30)))
    assert sorted(answer.data["seq"] for answer in answers) == list(range(1, 31))


@pytest.mark.parametrize("missing", ["message", "user_name"])
async def test_a_post_needs_a_text_and_a_name(api: Api, missing: str) -> None:
    said: dict[str, Any] = {"message": "x", "user_name": "Ada"}
    del said[missing]
    refused = await api.post(f"/api/sessions/{await api.session()}/messages", said)
    assert refused.error["details"] == {missing: ["Missing data for required field."]}


async def test_who_posts_too_fast_is_told_when_to_come_back(open_api: Open) -> None:
    api = await open_api(RATE_LIMITS="on")
    session_id = await api.session()
    answers = [await api.say(session_id, str(number), user_id="ada") for number in range(21)]
    assert [answer.status for answer in answers] == [201] * 20 + [429]
    refused = answers[-1]
    assert refused.code == "RATE_LIMITED"
    assert refused.error["retryable"] is True
    wait = refused.error["details"]["retry_after"]
    assert 0 < wait <= 4
    assert wait <= int(refused.headers["Retry-After"]) <= wait + 1
    assert (await api.say(session_id, "me too", user_id="ben")).status == 201


async def test_without_a_database_nothing_is_stored_and_the_error_says_so(
    open_api: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise DatabaseUnavailable

    api = await open_api()
    monkeypatch.setattr(SessionStore, "create", down)
    refused = await api.post("/api/sessions", {"name": "x"})
    assert (refused.status, refused.code, refused.error["retryable"]) == (503, "DATABASE_UNAVAILABLE", True)


async def test_an_unknown_fault_is_an_envelope_without_its_text(
    open_api: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the secret of the store")

    api = await open_api()
    monkeypatch.setattr(SessionStore, "get", broken)
    refused = await api.get(f"/api/sessions/{new_id()}")
    assert (refused.status, refused.code) == (500, "INTERNAL_ERROR")
    assert "secret" not in str(refused.body)
