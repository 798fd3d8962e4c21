"""What each client event answers, whatever it is made of."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from server import app
from server.realtime import handlers
from tests.realtime.joining import POLLING, TRANSPORTS, WEBSOCKET, acked, connected, faulted, heard, said, seated, texts

if TYPE_CHECKING:
    from tests.rest.api import Api
    from tests.rest.serving import Open
    from tests.services.js_client import JsClient

GHOST = "\N{GHOST}"


async def test_a_message_is_acked_after_its_commit_and_heard_by_all(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    ada, ben = [await seated(js, api_on_both, session_id, name) for name in ("Ada", "Ben")]
    posted = await acked(ada, "send_message", {"message": "Is anyone there?", "client_message_id": "c-1"})
    stored = (await api_on_both.get(f"/api/sessions/{session_id}/messages")).data[0]
    assert posted == {name: stored[name] for name in ("id", "seq", "timestamp")}
    assert await heard(ada, "Is anyone there?") == await heard(ben, "Is anyone there?") == stored
    assert stored["client_message_id"] == "c-1"


async def test_the_join_says_who_speaks_never_the_payload(js: JsClient, api: Api) -> None:
    ada = await seated(js, api, await api.session())
    for name in ("Ben", "", "x" * 100, None, 5):
        await acked(ada, "send_message", {"message": f"as {name}", "user_name": name})
        assert (await heard(ada, f"as {name}"))["user_name"] == "Ada"


async def test_a_post_by_rest_is_heard_and_the_spirit_of_the_sockets_is_read(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    ada = await seated(js, api, session_id)
    posted = await api.say(session_id, "from outside", name="Ben", user_id="ben")
    assert await heard(ada, "from outside") == posted.data
    await said(ada, "from inside")
    assert await api.texts(session_id) == ["from outside", "from inside"]


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_two_hundred_sends_at_once_keep_their_order(
    js: JsClient, api_on_both: Api, transports: list[str]
) -> None:
    session_id = await api_on_both.session()
    ada = await seated(js, api_on_both, session_id, transports=transports)
    ben = await seated(js, api_on_both, session_id, "Ben")
    answers = await asyncio.gather(*(ada.call("send_message", {"message": str(n)}) for n in range(200)))
    assert [answer["data"]["seq"] for answer in answers] == list(range(1, 201))
    await heard(ben, "199")
    await heard(ada, "199")
    expected = [str(number) for number in range(200)]
    assert texts(ada) == texts(ben) == expected
    assert await api_on_both.texts(session_id, limit=200) == expected


@pytest.mark.parametrize("transports", [WEBSOCKET, POLLING])
async def test_what_is_sent_with_the_join_waits_for_it(js: JsClient, api: Api, transports: list[str]) -> None:
    session_id = await api.session()
    ada = await connected(js, api, transports=transports)
    answers = await asyncio.gather(
        ada.call("join_session", {"session_id": session_id, "user_name": "Ada"}),
        *(ada.call("send_message", {"message": str(number)}) for number in range(50)),
        ada.call("leave_session"),
        ada.call("send_message", {"message": "too late"}),
    )
    assert [answer["success"] for answer in answers] == [True] * 52 + [False]
    assert answers[-1]["error"]["code"] == "NOT_JOINED"
    assert await api.texts(session_id, limit=200) == [str(number) for number in range(50)]


async def test_the_same_id_of_the_same_person_is_one_message(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    ada, other_tab, ben = [await seated(js, api_on_both, session_id, name) for name in ("Ada", "Ada", "Ben")]
    first = await acked(ada, "send_message", {"message": "once", "client_message_id": "c"})
    again = await acked(ada, "send_message", {"message": "once", "clientOffset": "c"})
    elsewhere = await acked(
        other_tab, "send_message", {"message": "once", "clientOffset": "c", "client_message_id": "c"}
    )
    assert first == again == elsewhere
    await acked(ben, "send_message", {"message": "mine", "client_message_id": "c"})
    await heard(ada, "mine")
    assert texts(ada) == ["once", "mine"] == await api_on_both.texts(session_id)


async def test_many_of_the_same_id_at_once_are_one_message(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    tabs = [await seated(js, api_on_both, session_id) for _ in range(3)]
    same = {"message": "once", "client_message_id": "c"}
    answers = await asyncio.gather(*(tab.call("send_message", same) for tab in tabs for _ in range(5)))
    assert len({answer["data"]["id"] for answer in answers}) == 1
    await said(tabs[0], "last")
    await heard(tabs[1], "last")
    assert texts(tabs[1]) == ["once", "last"]


BAD_TEXTS: list[Any] = ["", "  ", "x" * 8001, GHOST * 8001, 5, None, [], "a\x00"]
BAD_OBJECTS: list[Any] = [None, "x", 5, True, ["x"], {}]
BAD_TYPING: list[Any] = [None, {}, True, {"is_typing": 1}, {"is_typing": "true"}, {"is_typing": None}]
BAD: list[tuple[str, tuple[Any, ...]]] = [
    *(("send_message", ({"message": bad},)) for bad in BAD_TEXTS),
    *(("send_message", ({"message": "x", "client_message_id": bad},)) for bad in ("", "x" * 129, 5, None, "\x00")),
    ("send_message", ({"message": "x", "client_message_id": "a", "clientOffset": "b"},)),
    ("send_message", ({"message": "x", "colour": "red"},)),
    ("send_message", ({"message": "\ud83d"},)),
    ("send_message", ({"\ud83d": "x"},)),
    *(("send_message", (bad,)) for bad in BAD_OBJECTS),
    ("send_message", ()),
    ("send_message", ({"message": "x"}, {"message": "y"})),
    ("send_message", ({"message": "x"}, *range(100))),
    *(("typing", (bad,)) for bad in BAD_TYPING),
    ("typing", ({"is_typing": True, "user_id": "ben"},)),
    *(("stop_spirit", ({"scope": bad},)) for bad in ("everything", 5, None)),
    ("summon_spirit", ({"now": True},)),
    ("leave_session", ({"now": True},)),
    ("leave_session", ("now",)),
]


async def test_an_event_out_of_bounds_is_refused_in_its_ack(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    ada = await seated(js, api, session_id)
    for event, arguments in BAD:
        assert await faulted(ada, event, *arguments) == "VALIDATION_ERROR", (event, arguments)
    assert await said(ada, "still here") == 1


async def test_texts_come_back_as_they_were(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    ada = await seated(js, api_on_both, session_id)
    wanted = ["x" * 8000, GHOST * 8000, "two\nlines", '"quotes" \\ \u2028', "<b>&amp;</b>", "\x01", "e\u0301", "مرحبا"]
    for text in wanted:
        await said(ada, text)
    await heard(ada, wanted[-1])
    assert texts(ada) == wanted == await api_on_both.texts(session_id)


async def test_an_event_without_ack_is_refused_by_an_error(js: JsClient, api: Api) -> None:
    ada = await seated(js, api, await api.session())
    for event, wish, code in (
        ("send_message", {"message": ""}, "VALIDATION_ERROR"),
        ("dance", {}, "UNKNOWN_EVENT"),
        ("join_session", {}, "VALIDATION_ERROR"),
    ):
        await ada.emit(event, wish)
        assert (await ada.wait("error")).args[0]["code"] == code
    await ada.emit("send_message", {"message": "no ack wanted"})
    await heard(ada, "no ack wanted")


async def test_unknown_events_are_refused_by_name(js: JsClient, api: Api) -> None:
    ada = await seated(js, api, await api.session())
    for name in ("dance", "message_received", "", " ", "x" * 500, "\ud83d", "__proto__", "send_message ", "ack"):
        answer = await ada.call(name, {})
        assert answer["error"]["code"] == "UNKNOWN_EVENT", name
        assert len(answer["error"]["details"]["event"]) <= 64
    assert await said(ada, "still here") == 1


RESERVED = ("connect", "disconnect", "connect_error", "disconnecting", "newListener", "removeListener")


async def test_a_reserved_name_is_just_an_unknown_event(api: Api) -> None:
    """The official client does not send them; one that does must not run our own handlers, or lose its seat."""
    session_id = await api.session()
    async with api.http.ws_connect(f"{api.url}/socket.io/?EIO=4&transport=websocket") as socket:
        await socket.receive_str(timeout=5)
        await socket.send_str(f'40{{"session_id":"{session_id}","user_name":"Ada"}}')
        assert (await socket.receive_str(timeout=5)).startswith("40")
        assert (await socket.receive_str(timeout=5)).startswith('42["session_joined"')
        for name in RESERVED:
            await socket.send_str(f'421["{name}",{{}}]')
            answer = await socket.receive_str(timeout=5)
            assert answer.startswith("431[")
            assert "UNKNOWN_EVENT" in answer
        assert await api.names(session_id) == {"Ada"}


async def test_an_event_over_its_bound_is_refused_and_the_connection_stays(js: JsClient, api: Api) -> None:
    ada = await seated(js, api, await api.session())
    assert await faulted(ada, "send_message", {"message": "x" * 66_000}) == "PAYLOAD_TOO_LARGE"
    await ada.emit("send_message", {"message": "x" * 66_000})
    assert (await ada.wait("error")).args[0]["code"] == "PAYLOAD_TOO_LARGE"
    assert await said(ada, "still here") == 1


@pytest.mark.parametrize("transports", [WEBSOCKET, POLLING])
async def test_a_binary_value_is_refused_and_the_connection_stays(
    js: JsClient, api: Api, transports: list[str]
) -> None:
    ada = await seated(js, api, await api.session(), transports=transports)
    for event, wish in (("send_message", {"message": b"\x00\xff"}), ("typing", {"is_typing": b""}), ("typing", b"x")):
        assert await faulted(ada, event, wish) == "VALIDATION_ERROR"
    assert await faulted(ada, "unheard", b"x") == "UNKNOWN_EVENT"
    assert await faulted(ada, "send_message", {"message": b"x" * 66_000}) == "PAYLOAD_TOO_LARGE"
    assert await said(ada, "still here") == 1


async def test_typing_is_told_to_the_others_only(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    ada, ben = [await seated(js, api, session_id, name) for name in ("Ada", "Ben")]
    for is_typing in (True, False):
        await acked(ada, "typing", {"is_typing": is_typing})
        told = (await ben.wait("typing")).args[0]
        assert told == {"user_id": "ada", "user_name": "Ada", "is_typing": is_typing}
    await said(ben, "after")
    await heard(ada, "after")
    assert ada.named("typing") == []


async def test_a_handler_that_breaks_still_answers(
    js: JsClient, open_api: Open, monkeypatch: pytest.MonkeyPatch, logged: list[dict[str, Any]]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret of the log")

    api = await open_api()
    ada = await seated(js, api, await api.session())
    with monkeypatch.context() as patch:
        patch.setattr(handlers, "drafted", broken)
        answers = await asyncio.gather(*(ada.call("send_message", {"message": "x"}) for _ in range(3)))
        assert {answer["error"]["code"] for answer in answers} == {"INTERNAL_ERROR"}
        assert "secret" not in str(answers)
    assert await said(ada, "well again") == 1
    assert [entry["event"] for entry in logged if entry["log_level"] == "error"] == ["event.failed"] * 3


async def test_who_sends_too_fast_is_told_when_to_come_back(js: JsClient, open_api: Open) -> None:
    api = await open_api(RATE_LIMITS="on")
    session_id = await api.session()
    ada = await seated(js, api, session_id)
    answers = await asyncio.gather(*(ada.call("send_message", {"message": str(n)}) for n in range(21)))
    assert [answer["success"] for answer in answers] == [True] * 20 + [False]
    error = answers[-1]["error"]
    assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)
    assert 0 < error["details"]["retry_after"] <= 4
    other_tab = await seated(js, api, session_id)
    assert await faulted(other_tab, "send_message", {"message": "x"}) == "RATE_LIMITED"
    ben = await seated(js, api, session_id, "Ben")
    assert await said(ben, "I am not he") == 21


async def test_a_flood_of_events_ends_the_connection(js: JsClient, open_api: Open) -> None:
    api = await open_api(RATE_LIMITS="on")
    ada = await connected(js, api, reconnection=False)
    for _ in range(800):  # 500 at once, and 50 more for each second that this takes
        await ada.emit("dance", {})
    await ada.wait("error", where=lambda event: event.args[0]["code"] == "RATE_LIMITED")
    assert (await ada.wait("disconnect")).args[0] == "io server disconnect"


async def test_processes_that_share_a_database_without_redis_hear_each_other(
    js: JsClient, open_api: Open, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "BEAT_SECONDS", 0.1)
    here, there = [await open_api(DATABASE_URL=database_url) for _ in range(2)]
    session_id = await here.session()
    ada, ben = await seated(js, here, session_id), await seated(js, there, session_id, "Ben")
    await asyncio.sleep(0.5)  # until each knows of the other
    for word in ("one", "two"):
        began = time.monotonic()
        await said(ada, word)
        await heard(ben, word)
        assert time.monotonic() - began < 2
