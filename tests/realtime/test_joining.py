from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from server.core import limits
from server.moments import new_id
from server.realtime import gateway
from tests.realtime.joining import (
    TRANSPORTS,
    acked,
    connected,
    faulted,
    heard,
    refused,
    said,
    seated,
    texts,
)

if TYPE_CHECKING:
    from tests.rest.api import Api
    from tests.rest.serving import Open
    from tests.services.js_client import JsClient


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_a_client_joins_at_connect(js: JsClient, api_on_both: Api, transports: list[str]) -> None:
    session_id = await api_on_both.session()
    ada = await connected(js, api_on_both, transports=transports, auth={"session_id": session_id, "user_name": "Ada"})
    joined = (await ada.wait("session_joined")).args[0]
    assert joined["session"] == (await api_on_both.get(f"/api/sessions/{session_id}")).data
    assert joined["user"] == {"user_id": joined["user"]["user_id"], "user_name": "Ada", "role": "member"}
    assert joined["users"] == [joined["user"]]
    assert joined["head"] == 0
    assert joined["user"]["user_id"]
    if len(transports) == 2:
        await ada.wait("$upgrade")
    assert await said(ada, "Is anyone there?") == 1
    assert (await heard(ada, "Is anyone there?"))["user_id"] == joined["user"]["user_id"]
    assert (await ada.state()).transport == transports[-1]


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_a_client_joins_by_event(js: JsClient, api: Api, transports: list[str]) -> None:
    session_id = await api.session()
    ada = await connected(js, api, transports=transports)
    wish = {"session_id": session_id, "user_name": "Ada", "user_id": "ada"}
    joined = await acked(ada, "join_session", wish)
    assert joined["user"] == {"user_id": "ada", "user_name": "Ada", "role": "member"}
    assert (await ada.wait("session_joined")).args[0] == joined
    assert await said(ada, "hello") == 1
    await heard(ada, "hello")


async def test_the_three_transports_meet_in_one_room(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    people = [
        await seated(js, api, session_id, name, transports=transports)
        for name, transports in zip(("Ada", "Ben", "Cleo"), TRANSPORTS, strict=True)
    ]
    for person in people:
        await said(person, f"I am {person.name}")
    for person in people:
        await heard(person, f"I am {people[-1].name}")
        assert texts(person) == [f"I am {one.name}" for one in people]
    assert await api.names(session_id) == {"Ada", "Ben", "Cleo"}


BAD_WISHES: list[dict[str, Any]] = [
    {"user_name": ""}, {"user_name": "x" * 33}, {"user_name": 5}, {"user_name": None}, {"user_id": ""},
    {"user_id": "x" * 65}, {"user_id": 5}, {"user_id": "spirit"}, {"last_seq": -1}, {"last_seq": "1"},
    {"last_seq": True},
    {"last_seq": 1.5}, {"last_seq": 2**53}, {"session_id": 5}, {"session_id": None}, {"token": 5},
    {"colour": "red"}, {"user_name": "a\x00b"}, {"user_name": "a\nb"}, {"user_id": "\ud83d"},
]  # fmt: skip


async def test_a_join_out_of_bounds_is_refused_at_connect_and_by_event(js: JsClient, api: Api) -> None:
    good = {"session_id": await api.session(), "user_name": "Ada"}
    late = await connected(js, api)
    for bad in BAD_WISHES:
        assert await refused(js, api, good | bad) == "VALIDATION_ERROR", bad
        assert await faulted(late, "join_session", good | bad) == "VALIDATION_ERROR", bad
    assert await refused(js, api, {"session_id": good["session_id"]}) == "VALIDATION_ERROR"
    assert (await acked(late, "join_session", good))["user"]["user_name"] == "Ada"


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_a_session_that_is_not_there_refuses_with_data(js: JsClient, api: Api, transports: list[str]) -> None:
    for missing in (new_id(), "nothing", "x" * 150, "6F9619FF-8B86-D011-B42D-00C04FC964FF"):
        wish = {"session_id": missing, "user_name": "Ada"}
        assert await refused(js, api, wish, transports=transports) == "SESSION_NOT_FOUND"


async def test_an_ended_session_refuses(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    await api_on_both.call("DELETE", f"/api/sessions/{session_id}")
    assert await refused(js, api_on_both, {"session_id": session_id, "user_name": "Ada"}) == "SESSION_CLOSED"


async def test_a_full_session_refuses_all_but_those_who_are_in(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session(max_users=2)
    await seated(js, api_on_both, session_id, "Ada")
    ben = await seated(js, api_on_both, session_id, "Ben")
    cleo = {"session_id": session_id, "user_name": "Cleo", "user_id": "cleo"}
    assert await refused(js, api_on_both, cleo) == "SESSION_FULL"
    late = await connected(js, api_on_both)
    assert await faulted(late, "join_session", cleo) == "SESSION_FULL"
    await seated(js, api_on_both, session_id, "Ada")  # a second tab of one who sits
    await acked(ben, "leave_session")
    assert (await acked(late, "join_session", cleo))["user"]["user_id"] == "cleo"


async def test_racing_joins_never_overfill_a_session(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session(max_users=3)
    sockets = [await connected(js, api_on_both) for _ in range(8)]
    answers = await asyncio.gather(
        *(
            socket.call("join_session", {"session_id": session_id, "user_name": f"p{number}"})
            for number, socket in enumerate(sockets)
        )
    )
    codes = sorted("OK" if answer["success"] else answer["error"]["code"] for answer in answers)
    assert codes == ["OK"] * 3 + ["SESSION_FULL"] * 5


async def test_who_does_not_join_in_time_is_told_and_sent_away(
    js: JsClient, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "JOIN_SECONDS", 0.2)
    session_id = await api.session()
    idle = await connected(js, api)
    ada = await connected(js, api)
    await acked(ada, "join_session", {"session_id": session_id, "user_name": "Ada"})
    assert (await idle.wait("error")).args[0]["code"] == "NOT_JOINED"
    assert (await idle.wait("disconnect")).args[0] == "io server disconnect"
    assert await said(ada, "still here") == 1


async def test_a_second_session_needs_leaving_the_first(js: JsClient, api: Api) -> None:
    first, second = await api.session(), await api.session()
    ada = await seated(js, api, first)
    assert await faulted(ada, "join_session", {"session_id": second, "user_name": "Ada"}) == "VALIDATION_ERROR"
    await said(ada, "still in the first")
    assert await api.texts(first) == ["still in the first"]
    await acked(ada, "leave_session")
    await acked(ada, "join_session", {"session_id": second, "user_name": "Ada"})
    await said(ada, "now in the second")
    assert await api.texts(second) == ["now in the second"]
    assert await api.names(first) == set()


async def test_joining_the_same_session_again_hears_each_message_once(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    ada = await seated(js, api, session_id)
    again = await acked(ada, "join_session", {"session_id": session_id, "user_name": "Ada", "user_id": "ada"})
    assert [user["user_id"] for user in again["users"]] == ["ada"]
    await said(ada, "once")
    await said(ada, "twice")
    await heard(ada, "twice")
    assert texts(ada) == ["once", "twice"]


async def test_a_rejoin_that_is_refused_keeps_the_seat(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    ada = await seated(js, api, session_id)
    bad = {"session_id": session_id, "user_name": "Ada", "token": "nonsense"}
    assert await faulted(ada, "join_session", bad) == "UNAUTHORIZED"
    await said(ada, "still here")
    await heard(ada, "still here")


async def test_who_left_hears_nothing_and_may_come_back(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    ada, ben = await seated(js, api, session_id, "Ada"), await seated(js, api, session_id, "Ben")
    await acked(ada, "leave_session", {})
    assert (await ben.wait("user_left")).args[0] == {"user_id": "ada", "user_name": "Ada"}
    assert await faulted(ada, "send_message", {"message": "x"}) == "NOT_JOINED"
    assert await faulted(ada, "leave_session") == "NOT_JOINED"
    await said(ben, "are you gone?")
    await acked(ada, "join_session", {"session_id": session_id, "user_name": "Ada", "user_id": "ada"})
    await said(ben, "there you are")
    await heard(ada, "there you are")
    assert texts(ada) == ["there you are"]


async def test_every_event_but_joining_needs_a_session(js: JsClient, api: Api) -> None:
    ada = await connected(js, api)
    for event, wish in (
        ("send_message", {"message": "x"}),
        ("typing", {"is_typing": True}),
        ("stop_spirit", {}),
        ("summon_spirit", {}),
        ("leave_session", {}),
    ):
        assert await faulted(ada, event, wish) == "NOT_JOINED"


async def test_a_second_tab_renames_the_first(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    ben = await seated(js, api_on_both, session_id, "Ben")
    first = await seated(js, api_on_both, session_id, "Ada")
    auth = {"session_id": session_id, "user_name": "Lady Ada", "user_id": "ada"}
    second = await connected(js, api_on_both, auth=auth)
    await said(first, "from the first tab")
    assert (await heard(ben, "from the first tab"))["user_name"] == "Lady Ada"
    for tab in (second, first):
        await acked(tab, "leave_session")
    assert (await ben.wait("user_left")).args[0] == {"user_id": "ada", "user_name": "Lady Ada"}


async def test_an_id_that_could_be_no_sessions_is_not_found(js: JsClient, api: Api) -> None:
    for session_id in ("", "\x00", "x" * 5_000, "../x"):
        assert await refused(js, api, {"session_id": session_id, "user_name": "Ada"}) == "SESSION_NOT_FOUND"
    ada = await connected(js, api)
    for session_id in ("", "x" * 201):
        assert await faulted(ada, "join_session", {"session_id": session_id, "user_name": "Ada"}) == "SESSION_NOT_FOUND"


async def test_a_name_given_again_renames(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    first = await seated(js, api_on_both, session_id, "Ada")
    await acked(first, "leave_session")
    auth = {"session_id": session_id, "user_name": "Lady Ada", "user_id": "ada"}
    again = await connected(js, api_on_both, auth=auth)
    await said(again, "renamed")
    assert (await heard(again, "renamed"))["user_name"] == "Lady Ada"
    assert await api_on_both.names(session_id) == {"Lady Ada"}


async def test_joins_from_one_address_are_bounded(
    js: JsClient, open_api: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JOINS_OF_AN_ADDRESS", limits.Rate(per_second=1, burst=2))
    api = await open_api(RATE_LIMITS="on")
    wish = {"session_id": await api.session(), "user_name": "Ada"}
    for _ in range(2):
        await connected(js, api, auth=wish)
    assert await refused(js, api, wish) == "RATE_LIMITED"
