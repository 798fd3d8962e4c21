"""Nothing is missed: `last_seq` at a join, and the client library's own recovery."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from server.realtime import admission
from tests.realtime.joining import POLLING, WEBSOCKET, acked, connected, heard, said, seated, texts
from tests.realtime.raw_client import raw_guest

if TYPE_CHECKING:
    from tests.rest.api import Api
    from tests.services.js_client import JsClient


async def spoken(api: Api, session_id: str, count: int) -> list[str]:
    """The texts of new messages, which nobody here sent by socket."""
    begin = len(await api.texts(session_id, limit=200))
    words = [str(number) for number in range(begin + 1, begin + count + 1)]
    for word in words:
        assert (await api.say(session_id, word, user_id="rest")).status == 201
    return words


async def test_a_join_with_last_seq_gets_what_came_later(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    words = await spoken(api_on_both, session_id, 5)
    for last_seq in (0, 3, 4):
        ada = await connected(
            js, api_on_both, auth={"session_id": session_id, "user_name": "Ada", "last_seq": last_seq}
        )
        joined = (await ada.wait("session_joined")).args[0]
        assert joined["replay"] == {"after": last_seq, "complete": True}
        assert joined["head"] == 5
        await heard(ada, "5")
        assert texts(ada) == words[last_seq:]
    none = await connected(js, api_on_both, auth={"session_id": session_id, "user_name": "Ada"})
    await said(none, "new")
    await heard(none, "new")
    assert texts(none) == ["new"]


async def test_a_last_seq_that_is_not_there_yet_replays_nothing(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    await spoken(api, session_id, 2)
    for last_seq in (2, 3, 2**53 - 1):
        ada = await seated(js, api, session_id, last_seq=last_seq)
        text = f"after {last_seq}"
        await said(ada, text)
        await heard(ada, text)
        assert texts(ada) == [text]


@pytest.mark.parametrize("transports", [WEBSOCKET, POLLING])
async def test_the_past_comes_before_the_present_while_others_speak(
    js: JsClient, api_on_both: Api, transports: list[str]
) -> None:
    """Subscribed first, replayed next, live last: without that order there are holes or repeats here."""
    session_id = await api_on_both.session()
    words = await spoken(api_on_both, session_id, 20)
    all_joined = asyncio.Event()

    async def speak() -> None:
        while not all_joined.is_set():
            words.append(str(len(words) + 1))
            assert (await api_on_both.say(session_id, words[-1], user_id="rest")).status == 201

    speaking = asyncio.create_task(speak())
    joiners = [await seated(js, api_on_both, session_id, transports=transports, last_seq=5) for _ in range(5)]
    all_joined.set()
    await speaking
    for joiner in joiners:
        await heard(joiner, words[-1])
        assert texts(joiner) == words[5:]


async def test_a_raw_client_gets_what_came_later(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    await spoken(api_on_both, session_id, 150)
    async with raw_guest(api_on_both, session_id, last_seq=10) as ada:
        got = [(await ada.frame())["data"]["seq"] for _ in range(140)]
        assert got == list(range(11, 151))
        await ada.say("send_message", {"message": "new"})
        assert (await ada.until("message_received"))["data"]["seq"] == 151


async def test_more_than_the_bound_is_said_to_be_missing(
    js: JsClient, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "REPLAY_MOST", 3)
    session_id = await api.session()
    await spoken(api, session_id, 5)
    ada = await connected(js, api, auth={"session_id": session_id, "user_name": "Ada", "last_seq": 1})
    joined = (await ada.wait("session_joined")).args[0]
    assert joined["replay"] == {"after": 1, "complete": False}
    await said(ada, "new")
    await heard(ada, "new")
    assert texts(ada) == ["new"]


@pytest.mark.parametrize("transports", [WEBSOCKET, POLLING, ["polling", "websocket"]])
async def test_a_dropped_client_recovers_ten_times_in_a_row(
    js: JsClient, api_on_both: Api, transports: list[str]
) -> None:
    session_id = await api_on_both.session()
    ada = await seated(js, api_on_both, session_id, transports=transports)
    first = await ada.state()
    await said(ada, "0")
    await heard(ada, "0")
    for number in range(1, 11):
        await ada.drop()
        await ada.wait("disconnect")
        await api_on_both.say(session_id, str(number), user_id="rest")
        state = (await ada.wait("connect")).args[0]
        assert (state["recovered"], state["id"]) == (True, first.id)
        await heard(ada, str(number))
    assert texts(ada) == [str(number) for number in range(11)]
    await said(ada, "still me")
    assert (await heard(ada, "still me"))["user_id"] == "ada"


async def test_a_client_that_missed_too_much_does_not_count_as_recovered(
    js: JsClient, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await api.session()
    ada = await seated(js, api, session_id)
    await said(ada, "one")
    await heard(ada, "one")
    monkeypatch.setattr(admission, "REPLAY_MOST", 2)
    await ada.drop()
    await ada.wait("disconnect")
    await spoken(api, session_id, 5)
    while (await ada.wait("connect")).args[0]["recovered"]:
        await ada.drop()  # it was back before all was said
        await spoken(api, session_id, 5)
    await ada.wait("session_joined", where=lambda event: event.args[0].get("replay", {}).get("complete") is False)


async def test_a_client_that_left_is_not_brought_back_and_what_it_hears_elsewhere_is_no_offset(
    js: JsClient, api: Api
) -> None:
    here, there = await api.session(), await api.session()
    await spoken(api, there, 6)
    ada = await seated(js, api, here)
    await said(ada, "one")
    await heard(ada, "one")
    await acked(ada, "leave_session")
    await acked(ada, "join_session", {"session_id": there, "user_name": "Ada", "user_id": "ada"})
    await said(ada, "elsewhere")
    told = await ada.wait("message_received", where=lambda event: event.args[0]["message"] == "elsewhere")
    assert len(told.args) == 1
    await ada.drop()
    await ada.wait("disconnect")
    await spoken(api, here, 2)
    assert (await ada.wait("connect")).args[0]["recovered"] is False
    await ada.wait("session_joined", where=lambda event: event.args[0]["session"]["id"] == here)
    await ada.drop()
    await ada.wait("disconnect")
    await api.say(here, "after all", user_id="rest")
    assert (await ada.wait("connect")).args[0]["recovered"] is True
    await heard(ada, "after all")


async def test_a_client_of_an_ended_session_does_not_recover(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    ada = await seated(js, api, session_id)
    await said(ada, "one")
    await heard(ada, "one")
    await api.call("DELETE", f"/api/sessions/{session_id}")
    await ada.wait("disconnect")
    await ada.reconnect()
    assert (await ada.wait("connect_error")).args[0]["data"]["code"] == "SESSION_CLOSED"


async def test_who_left_and_asks_for_another_session_is_not_put_back(js: JsClient, api: Api) -> None:
    first, second = await api.session(), await api.session()
    ada = await seated(js, api, first)
    await ada.disconnect()
    await ada.wait("disconnect")
    await ada.reconnect(auth={"session_id": second, "user_name": "Ada", "user_id": "ada"})
    joined = await ada.wait("session_joined", where=lambda event: event.args[0]["session"]["id"] == second)
    assert joined.args[0]["user"]["user_id"] == "ada"
    await acked(ada, "send_message", {"message": "here"})
    assert (await api.texts(first), await api.texts(second)) == ([], ["here"])
