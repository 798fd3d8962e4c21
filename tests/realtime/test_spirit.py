"""The spirit as the room sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from server.core.ports import ProviderFailedError
from tests.realtime.joining import acked, faulted, heard, said, seated, texts
from tests.realtime.raw_client import raw_guest
from tests.realtime.voices import Script, deltas, finished, scripted, spoken, thoughts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rest.api import Api
    from tests.rest.serving import Open
    from tests.services.js_client import JsClient, JsSocket

TURN = ("message_received", "spirit_thinking", "spirit_delta", "spirit_finished")


@pytest.fixture
def voiced(open_api: Open, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Starts a server with a scripted spirit."""

    async def start(script: Script, **settings: str) -> Api:
        scripted(monkeypatch, script)
        return await open_api(**settings)

    return start


async def test_a_turn_is_thought_said_and_ended_in_order(
    js: JsClient, voiced: Callable[..., Any], database_url: str
) -> None:
    api = await voiced(Script("Some", "one ", "is ", "here."), DATABASE_URL=database_url)
    session_id = await api.session(spirit={"name": "Mina"})
    ada, ben = [await seated(js, api, session_id, name) for name in ("Ada", "Ben")]
    await said(ada, "Is anyone there?")
    for socket in (ada, ben):
        end = await finished(socket)
        names = [event.name for event in socket.events if event.name in TURN]
        count = names.count("spirit_delta")
        assert names == [*TURN[:2], *["spirit_delta"] * count, "message_received", "spirit_finished"]
        assert count >= 1
        message = socket.named("message_received")[-1].args[0]
        assert (message["is_spirit"], message["user_name"], message["seq"]) == (True, "Mina", 2)
        assert deltas(socket, end["turn_id"]) == message["message"] == "Someone is here."
        assert thoughts(socket) == [end["turn_id"]]
        assert end["message_id"] == message["id"]
    assert await api.texts(session_id) == ["Is anyone there?", "Someone is here."]


async def test_the_built_in_spirit_answers(js: JsClient, open_api: Open) -> None:
    api = await open_api(SPIRIT_PROVIDER="ouija")
    ada = await seated(js, api, await api.session())
    await said(ada, "Is anyone there?")
    end = (await ada.wait("spirit_finished", seconds=10)).args[0]
    assert end["reason"] == "completed"
    assert spoken(ada) == [deltas(ada, end["turn_id"])] != [""]


@pytest.mark.parametrize(("pieces", "reason"), [(["Hm."], "completed"), ([], "failed")])
async def test_who_comes_back_hears_the_end_that_was_missed(
    js: JsClient, voiced: Callable[..., Any], database_url: str, pieces: list[str], reason: str
) -> None:
    script = Script(*pieces, hold=0)
    api = await voiced(script, DATABASE_URL=database_url)
    session_id = await api.session()
    ben = await seated(js, api, session_id, "Ben")
    async with raw_guest(api, session_id) as ada:
        await ada.say("send_message", {"message": "Is anyone there?"})
        turn_id = (await ada.until("spirit_thinking"))["data"]["turn_id"]
    script.go()
    await finished(ben, reason)
    async with raw_guest(api, session_id, last_seq=1) as ada:
        told = [await ada.until("message_received", "spirit_finished") for _ in range(len(pieces) + 1)]
        assert [frame["event"] for frame in told] == ["message_received"] * len(pieces) + ["spirit_finished"]
        assert (told[-1]["data"]["turn_id"], told[-1]["data"]["reason"]) == (turn_id, reason)
    async with raw_guest(api, session_id, last_seq=2) as ada:
        await ada.say("typing", {"is_typing": False}, id="behind all that was missed")
        assert (await ada.until("ack", "spirit_finished"))["event"] == "ack"


async def test_people_need_not_wait_for_the_spirit(js: JsClient, voiced: Callable[..., Any]) -> None:
    script = Script("Hm.", hold=0)
    api = await voiced(script)
    ada = await seated(js, api, await api.session())
    for number in range(5):
        assert await said(ada, str(number)) == number + 1
    await script.held.wait()
    await heard(ada, "4")
    script.go()
    await finished(ada)


async def test_the_spirit_is_stopped_and_what_it_said_is_kept(js: JsClient, voiced: Callable[..., Any]) -> None:
    script = Script("I was going to say", " more", hold=1)
    api = await voiced(script)
    session_id = await api.session()
    ada, ben = [await seated(js, api, session_id, name) for name in ("Ada", "Ben")]
    await said(ada, "Speak")
    await ben.wait("spirit_delta")
    await acked(ben, "stop_spirit", {})
    end = await finished(ada, "stopped")
    assert end["stopped_by"] == {"user_id": "ben", "user_name": "Ben"}
    assert spoken(ada) == ["I was going to say"]
    assert await api.texts(session_id) == ["Speak", "I was going to say"]


async def test_a_spirit_stopped_before_its_first_word_says_nothing(js: JsClient, voiced: Callable[..., Any]) -> None:
    script = Script("never", hold=0)
    api = await voiced(script)
    ada = await seated(js, api, await api.session())
    await said(ada, "Speak")
    await ada.wait("spirit_thinking")
    await script.held.wait()
    await acked(ada, "stop_spirit", {"scope": "all"})
    assert "message_id" not in await finished(ada, "stopped")
    await acked(ada, "stop_spirit")  # there is nothing to stop now
    assert spoken(ada) == []


@pytest.mark.parametrize(
    ("fault", "cause"),
    [(ProviderFailedError("upstream", retryable=True), "upstream"), (RuntimeError("secret"), "internal")],
)
@pytest.mark.parametrize("begun", [False, True])
async def test_a_spirit_that_fails_says_so_and_keeps_what_was_said(
    js: JsClient, voiced: Callable[..., Any], fault: Exception, cause: str, begun: bool
) -> None:
    api = await voiced(Script(*(["Half a"] if begun else []), fault))
    ada = await seated(js, api, await api.session())
    await said(ada, "Speak")
    end = await finished(ada, "failed")
    assert (end["error"]["code"], end["error"]["details"]["cause"]) == ("SPIRIT_FAILED", cause)
    assert spoken(ada) == (["Half a"] if begun else [])
    await said(ada, "Again")  # the next turn is not held up by it
    await finished(ada, "failed")


async def test_answers_mention_wakes_it_only_by_name(js: JsClient, voiced: Callable[..., Any]) -> None:
    script = Script("Yes?")
    api = await voiced(script)
    ada = await seated(js, api, await api.session(spirit={"answers": "mention", "name": "Mina"}))
    await said(ada, "nobody is meant")
    await said(ada, "mMinas")
    await said(ada, "do you hear, MINA?")
    await finished(ada)
    await said(ada, "@mina again")
    await finished(ada)
    assert [asked[-1] for asked in script.asked()] == ["do you hear, MINA?", "@mina again"]
    assert len(thoughts(ada)) == 2


async def test_answers_summon_wakes_it_only_when_asked(js: JsClient, voiced: Callable[..., Any]) -> None:
    script = Script("You called?")
    api = await voiced(script)
    ada = await seated(js, api, await api.session(spirit={"answers": "summon"}))
    await said(ada, "Spirit, hello")
    assert thoughts(ada) == []
    await acked(ada, "summon_spirit")
    await finished(ada)
    assert spoken(ada) == ["You called?"]
    assert script.asked() == [["Spirit, hello"]]


async def test_answers_never_can_not_be_summoned(js: JsClient, voiced: Callable[..., Any]) -> None:
    api = await voiced(Script("no"))
    session_id = await api.session(spirit={"answers": "never"})
    ada = await seated(js, api, session_id)
    assert await faulted(ada, "summon_spirit", {}) == "SPIRIT_DISABLED"
    await said(ada, "hello?")
    await api.call("PATCH", f"/api/sessions/{session_id}", {"spirit": {"answers": "every"}})
    await said(ada, "and now?")
    await finished(ada)
    assert len(thoughts(ada)) == 1


async def test_without_a_provider_nothing_can_be_summoned(js: JsClient, api: Api) -> None:
    ada = await seated(js, api, await api.session())
    assert await faulted(ada, "summon_spirit") == "SPIRIT_DISABLED"
    await said(ada, "hello?")
    await heard(ada, "hello?")
    assert thoughts(ada) == []


async def overlapping(js: JsClient, voiced: Callable[..., Any], overlap: str, *, hold: int) -> tuple[Script, JsSocket]:
    """A turn held before its first piece (0) or after it (1), and two messages that came meanwhile."""
    script = Script("first", " rest", hold=hold)
    api = await voiced(script)
    ada = await seated(js, api, await api.session(spirit={"overlap": overlap}))
    await said(ada, "one")
    await script.held.wait()
    if hold:
        await ada.wait("spirit_delta")
    await said(ada, "two")
    await said(ada, "three")
    script.go()
    return script, ada


ONE, TWO, THREE = ["one"], ["one", "two"], ["one", "two", "three"]


@pytest.mark.parametrize(
    ("overlap", "hold", "asked", "reasons"),
    [
        ("merge", 0, THREE, ["completed"]),
        ("merge", 1, THREE, ["completed"] * 2),
        ("queue", 0, THREE, ["completed"] * 3),
        ("queue", 1, THREE, ["completed"] * 3),
        ("interrupt", 0, THREE, ["completed"]),
        ("interrupt", 1, THREE, ["interrupted", "completed"]),
        ("drop", 0, ONE, ["completed"]),
        ("drop", 1, ONE, ["completed"]),
    ],
)
async def test_what_comes_while_it_is_busy(
    js: JsClient, voiced: Callable[..., Any], overlap: str, hold: int, asked: list[str], reasons: list[str]
) -> None:
    script, ada = await overlapping(js, voiced, overlap, hold=hold)
    got = [(await ada.wait("spirit_finished")).args[0]["reason"] for _ in reasons]
    assert got == reasons
    assert script.asked()[-1] == asked
    if overlap == "queue":
        assert script.asked() == [ONE, TWO, THREE]
    expected = ["first" if reason == "interrupted" else "first rest" for reason in reasons]
    assert spoken(ada) == expected
    await asyncio.sleep(0.1)  # no turn more follows
    assert len(ada.named("spirit_finished")) == len(reasons)


async def test_it_waits_for_quiet_before_it_answers(js: JsClient, voiced: Callable[..., Any]) -> None:
    script = Script("Now.")
    api = await voiced(script)
    ada = await seated(js, api, await api.session(spirit={"debounce_ms": 400}))
    loop = asyncio.get_running_loop()
    last = 0.0
    for number in range(3):
        await said(ada, str(number))
        last = loop.time()
        await asyncio.sleep(0.15)
    await finished(ada)
    assert loop.time() - last >= 0.35
    assert script.asked() == [["0", "1", "2"]]


async def test_it_waits_longer_while_someone_types(js: JsClient, voiced: Callable[..., Any]) -> None:
    api = await voiced(Script("Now."))
    ada = await seated(js, api, await api.session(spirit={"debounce_ms": 300}))
    await said(ada, "wait for it")
    loop = asyncio.get_running_loop()
    last = 0.0
    for _ in range(3):
        await asyncio.sleep(0.15)
        await acked(ada, "typing", {"is_typing": True})
        last = loop.time()
    assert spoken(ada) == []
    await finished(ada)
    assert loop.time() - last >= 0.25


async def test_who_joins_in_mid_turn_can_follow_it(js: JsClient, voiced: Callable[..., Any]) -> None:
    script = Script("Half a ", "sentence.", hold=1)
    api = await voiced(script)
    session_id = await api.session()
    ada = await seated(js, api, session_id)
    await said(ada, "Speak")
    await ada.wait("spirit_delta")
    ben = await seated(js, api, session_id, "Ben")
    turn = ben.named("session_joined")[0].args[0]["turn"]
    assert turn == {"turn_id": turn["turn_id"], "index": 1, "text": "Half a "}
    async with raw_guest(api, session_id, "Cleo") as cleo:
        script.go()
        assert (await cleo.until("spirit_delta"))["data"]["index"] == 1
    await finished(ben)
    rest = [event.args[0] for event in ben.named("spirit_delta")]
    assert turn["text"] + "".join(delta["text"] for delta in rest) == "Half a sentence."
    assert [delta["index"] for delta in rest] == list(range(1, len(rest) + 1))
    assert texts(ben) == ["Half a sentence."]


async def test_it_says_no_more_than_a_message_holds(js: JsClient, voiced: Callable[..., Any]) -> None:
    api = await voiced(Script("x" * 5_000, "y" * 5_000, "\x00never"))
    ada = await seated(js, api, await api.session())
    await said(ada, "Speak")
    end = await finished(ada)
    assert spoken(ada) == ["x" * 5_000 + "y" * 3_000] == [deltas(ada, end["turn_id"])]


async def test_it_never_answers_itself_nor_twice(js: JsClient, voiced: Callable[..., Any]) -> None:
    script = Script("Spirit, Spirit!")
    api = await voiced(script)
    session_id = await api.session()
    ada = await seated(js, api, session_id)
    same = {"message": "Spirit?", "client_message_id": "c"}
    for _ in range(3):
        await acked(ada, "send_message", same)
    await finished(ada)
    await acked(ada, "send_message", same)
    await asyncio.sleep(0.1)  # no turn more follows
    assert len(script.scenes) == 1
