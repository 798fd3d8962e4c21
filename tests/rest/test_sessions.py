from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from server.moments import new_id
from server.protocol import shapes

if TYPE_CHECKING:
    from tests.rest.api import Api

SPIRIT = {"answers": "every", "overlap": "merge", "debounce_ms": 0, "name": "Spirit", "persona": ""}


def check_session(data: dict[str, Any]) -> None:
    assert not shapes.CreatedSessionShape().validate(data)


async def test_a_session_is_made_with_defaults_and_found_at_its_location(api_on_both: Api) -> None:
    made = await api_on_both.post("/api/sessions", {"name": "Tuesday circle"})
    assert made.status == 201
    check_session(made.data)
    assert made.data["max_users"] == 6
    assert made.data["is_active"] is True
    assert made.data["spirit"] == SPIRIT
    assert "host_token" not in made.data
    assert made.headers["Location"] == f"/api/sessions/{made.data['id']}"
    found = await api_on_both.get(made.headers["Location"])
    assert (found.status, found.data) == (200, made.data)


async def test_a_session_takes_settings_for_its_spirit(api_on_both: Api) -> None:
    spirit = {"answers": "mention", "overlap": "queue", "debounce_ms": 250, "name": "Mina", "persona": "dry\nand kind"}
    made = await api_on_both.post("/api/sessions", {"name": "x", "max_users": 10_000, "spirit": spirit})
    assert made.data["spirit"] == spirit
    assert made.data["max_users"] == 10_000


IMPOSSIBLE = (
    "nothing", "%00", "a%00b", "%F0%9F%91%BB", "%ED%A0%80", "..%2F..", "x" * 7_000, "0", "-1", "null", "%25", "%FF",
    "'; DROP TABLE sessions; --", "6F9619FF-8B86-D011-B42D-00C04FC964FF", "{}", "a b", "6f9619ff8b86d011b42d00c04fc964",
)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "rest", "said"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/messages", None),
        ("POST", "/messages", {"message": "hi", "user_name": "Ada"}),
        ("GET", "/users", None),
        ("POST", "/tokens", {}),
    ],
)
async def test_an_impossible_id_is_a_session_that_is_not_found(api: Api, method: str, rest: str, said: Any) -> None:
    met = {}
    for session_id in IMPOSSIBLE:
        url = URL(f"{api.url}/api/sessions/{session_id.replace(' ', '%20')}{rest}", encoded=True)
        async with api.http.request(method, url, json=said) as answer:
            met[session_id] = (answer.status, (await answer.json())["error"]["code"])
    assert met == dict.fromkeys(IMPOSSIBLE, (404, "SESSION_NOT_FOUND"))


async def test_an_unknown_id_is_told_with_the_words_of_the_contract(api_on_both: Api) -> None:
    unknown = new_id()
    missing = await api_on_both.get(f"/api/sessions/{unknown}")
    assert missing.status == 404
    assert missing.error == {
        "code": "SESSION_NOT_FOUND",
        "message": f"Session with id '{unknown}' not found",
        "details": {"session_id": unknown},
        "retryable": False,
    }


@pytest.mark.parametrize("rest", ["", "/messages", "/users"])
async def test_every_reading_call_knows_unknown_sessions(api: Api, rest: str) -> None:
    assert (await api.get(f"/api/sessions/{new_id()}{rest}")).code == "SESSION_NOT_FOUND"


async def test_every_writing_call_knows_unknown_sessions(api_on_both: Api) -> None:
    path = f"/api/sessions/{new_id()}"
    assert (await api_on_both.call("PATCH", path, {"name": "x"})).code == "SESSION_NOT_FOUND"
    assert (await api_on_both.call("DELETE", path)).code == "SESSION_NOT_FOUND"
    assert (await api_on_both.post(f"{path}/tokens", {})).code == "SESSION_NOT_FOUND"
    said = {"message": "hi", "user_name": "Ada"}
    assert (await api_on_both.post(f"{path}/messages", said)).code == "SESSION_NOT_FOUND"


async def test_a_patch_merges_and_leaves_the_rest(api_on_both: Api) -> None:
    session_id = await api_on_both.session(spirit={"name": "Mina", "debounce_ms": 5})
    path = f"/api/sessions/{session_id}"
    assert (await api_on_both.call("PATCH", path, {"spirit": {"answers": "never"}})).status == 200
    assert (await api_on_both.call("PATCH", path, {"max_users": 2})).status == 200
    changed = (await api_on_both.call("PATCH", path, {"name": "Wednesday"})).data
    assert (changed["name"], changed["max_users"]) == ("Wednesday", 2)
    assert changed["spirit"] == SPIRIT | {"name": "Mina", "debounce_ms": 5, "answers": "never"}
    assert (await api_on_both.get(path)).data == changed
    assert (await api_on_both.call("PATCH", path, {})).data == changed


async def test_ending_twice_changes_nothing_more(api_on_both: Api) -> None:
    path = f"/api/sessions/{await api_on_both.session()}"
    first = await api_on_both.call("DELETE", path)
    second = await api_on_both.call("DELETE", path)
    assert (first.status, second.status) == (200, 200)
    check_session(first.data)
    assert first.data == second.data == (await api_on_both.get(path)).data
    assert first.data["is_active"] is False


async def test_an_ended_session_can_be_read_but_not_changed(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    await api_on_both.say(session_id, "last words")
    await api_on_both.call("DELETE", f"/api/sessions/{session_id}")
    assert await api_on_both.texts(session_id) == ["last words"]
    assert await api_on_both.names(session_id) == set()
    assert (await api_on_both.say(session_id, "too late")).code == "SESSION_CLOSED"
    changed = await api_on_both.call("PATCH", f"/api/sessions/{session_id}", {"name": "x"})
    assert (changed.status, changed.code) == (410, "SESSION_CLOSED")


async def test_pages_go_from_the_newest_to_the_oldest(api_on_both: Api) -> None:
    made = [await api_on_both.session(name=f"circle {number}") for number in range(7)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    sizes = []
    while True:
        page = await api_on_both.get("/api/sessions", limit=3, **cursor)
        seen += [session["id"] for session in page.data]
        sizes.append(len(page.data))
        if page.meta["next_cursor"] is None:
            break
        cursor = {"cursor": page.meta["next_cursor"]}
    assert seen == made[::-1]
    assert sizes == [3, 3, 1]


async def test_a_page_that_ends_exactly_has_no_successor(api: Api) -> None:
    for _ in range(2):
        await api.session()
    assert (await api.get("/api/sessions", limit=2)).meta["next_cursor"] is None


async def test_a_page_is_asked_for_within_bounds(api: Api) -> None:
    limits = [("limit", bad) for bad in ("0", "201", "x", "1.5", "", "9" * 5_000)]
    cursors = [("cursor", bad) for bad in ("x", "", "W10", "\N{GHOST}", "x" * 300, "\x00")]
    for name, value in [*limits, *cursors, ("colour", "red")]:
        refused = await api.get("/api/sessions", **{name: value})
        assert refused.code == "VALIDATION_ERROR", (name, value)
        assert refused.error["details"].keys() == {name}
