"""The raw door, `WS /ws/{session_id}`: frames in, frames out, and how each connection ends."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from server.core import limits
from server.engine.frame_parser import CLOSE
from server.moments import new_id
from server.protocol.events import check_ack
from server.realtime import raw_guest as guests
from tests.engine.test_frames import client_frame
from tests.realtime.joining import heard, said, seated
from tests.realtime.raw_client import SEANCE, raw_door, raw_guest
from tests.realtime.voices import Script, scripted

if TYPE_CHECKING:
    from tests.rest.api import Api
    from tests.rest.serving import Open
    from tests.services.js_client import JsClient

ADA = {"user_id": "test-user-1", "name": "Test User"}


async def test_the_exchange_of_the_original_frame_for_frame(
    open_api: Open, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, Script("Yes."))
    api = await open_api(DATABASE_URL=database_url)
    session_id = await api.session()
    async with raw_door(api, session_id) as raw:
        await raw.send(ADA)
        await raw.say("send_message", {"user_name": "Test User", "message": "Is anyone there?"})
        first, second = await raw.frame(), await raw.frame()
    assert first["event"] == "message_received"
    assert first["data"]["user_name"] == "Test User"
    assert first["data"]["message"] == "Is anyone there?"
    assert first["data"]["user_id"] == "test-user-1"
    assert (second["event"], second["data"].keys()) == ("spirit_thinking", {"turn_id"})


async def test_a_registration_needs_no_id(api: Api) -> None:
    session_id = await api.session()
    async with raw_door(api, session_id) as raw:
        await raw.send({"name": "Ada"})
        await raw.say("send_message", {"message": "hi"})
        assert (await raw.until("message_received"))["data"]["user_id"]
        assert await api.names(session_id) == {"Ada"}


async def test_who_speaks_seance_is_told_of_the_join_and_gets_acks(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    async with raw_door(api_on_both, session_id, SEANCE) as raw:
        assert raw.socket.protocol == SEANCE
        await raw.send(ADA)
        joined = await raw.frame()
        assert (joined["event"], joined["data"]["user"]["user_id"]) == ("session_joined", "test-user-1")
        for frame_id in ("a", 0, 17, "x" * 64, -(2**53), ""):
            await raw.say("send_message", {"message": f"with {frame_id}"}, id=frame_id)
            received, ack = await raw.frame(), await raw.frame()
            assert (received["event"], ack["event"], ack["id"]) == ("message_received", "ack", frame_id)
            check_ack("send_message", ack["data"])
            assert ack["data"]["seq"] == received["data"]["seq"]
        await raw.say("typing", {}, id="t")
        refused = await raw.frame()
        assert (refused["event"], refused["id"], refused["error"]["code"]) == ("ack", "t", "VALIDATION_ERROR")
        await raw.say("dance", {}, id="u")
        assert (await raw.frame())["error"]["code"] == "UNKNOWN_EVENT"
        for bad in ({"event": "typing", "colour": "red"}, {"event": 5}, {}):
            await raw.send({**bad, "id": 7})
            refused = await raw.frame()
            assert (refused["event"], refused["id"], refused["error"]["code"]) == ("ack", 7, "VALIDATION_ERROR")
        await raw.send({"event": "typing", "id": [1]})
        assert await raw.error() == "VALIDATION_ERROR"
        await raw.say("typing", {"is_typing": True}, id="v")
        assert (await raw.frame())["data"] is None


async def test_without_the_subprotocol_an_id_gets_no_ack(api: Api) -> None:
    async with raw_door(api, await api.session(), "other.v9") as raw:
        assert raw.socket.protocol is None
        await raw.send(ADA)
        await raw.say("typing", {"is_typing": True}, id="a")
        await raw.say("send_message", {"message": "hi"}, id="b")
        assert (await raw.frame())["event"] == "message_received"
        assert await raw.silent()


BAD_FIRST: list[tuple[Any, str]] = [
    ("", "INVALID_JSON"), ("nope", "INVALID_JSON"), ("{", "INVALID_JSON"), ('{"name": NaN}', "INVALID_JSON"),
    ('{"name": "x"} {"name": "y"}', "INVALID_JSON"), ("[" * 60_000, "INVALID_JSON"), ("null", "VALIDATION_ERROR"),
    ([], "VALIDATION_ERROR"), ("5", "VALIDATION_ERROR"), ({}, "VALIDATION_ERROR"), ({"name": ""}, "VALIDATION_ERROR"),
    ({"name": "x" * 33}, "VALIDATION_ERROR"), ({"name": 5}, "VALIDATION_ERROR"),
    ({"name": "a\x00"}, "VALIDATION_ERROR"),
    ({"name": "\ud83d"}, "VALIDATION_ERROR"), ({"name": "Ada", "\ud83d": 1}, "VALIDATION_ERROR"),
    ({"name": "Ada", "colour": "red"}, "VALIDATION_ERROR"), ({"name": "Ada", "user_id": ""}, "VALIDATION_ERROR"),
    ({"name": "Ada", "user_id": "spirit"}, "VALIDATION_ERROR"), ({"name": "Ada", "last_seq": "1"}, "VALIDATION_ERROR"),
    ({"event": "send_message", "data": {"message": "hi"}}, "NOT_JOINED"), ({"name": "x" * 66_000}, "PAYLOAD_TOO_LARGE"),
]  # fmt: skip


async def test_a_bad_first_frame_is_refused_and_the_next_one_registers(api: Api) -> None:
    session_id = await api.session()
    async with raw_door(api, session_id) as raw:
        for frame, code in BAD_FIRST:
            await raw.send(frame)
            assert await raw.error() == code, str(frame)[:60]
        await raw.socket.send_bytes(b"\x00\xff")
        assert await raw.error() == "VALIDATION_ERROR"
        await raw.send(ADA)
        await raw.say("send_message", {"message": "at last"})
        assert (await raw.frame())["data"]["message"] == "at last"


async def test_a_missing_name_is_named_as_the_frame_names_it(api: Api) -> None:
    async with raw_door(api, await api.session()) as raw:
        await raw.send({"user_id": "ada"})
        assert list((await raw.frame())["data"]["details"]) == ["name"]


BAD_LATER: list[tuple[Any, str]] = [
    ("", "INVALID_JSON"), ("nope", "INVALID_JSON"), ('{"event": "typing"}{"event": "typing"}', "INVALID_JSON"),
    ("[]", "VALIDATION_ERROR"), ("{}", "VALIDATION_ERROR"), ({"event": 5}, "VALIDATION_ERROR"),
    ({"event": None}, "VALIDATION_ERROR"), ({"event": "typing", "more": 1}, "VALIDATION_ERROR"),
    ({"event": "typing", "\ud83d": 1}, "VALIDATION_ERROR"), ({"event": "typing", "id": True}, "VALIDATION_ERROR"),
    ({"event": "typing", "id": 1.5}, "VALIDATION_ERROR"), ({"event": "typing", "id": []}, "VALIDATION_ERROR"),
    ({"event": "typing", "id": "\ud83d"}, "VALIDATION_ERROR"),
    ({"event": "typing", "id": "x" * 65}, "VALIDATION_ERROR"),
    ({"event": "typing"}, "VALIDATION_ERROR"), ({"event": "typing", "data": []}, "VALIDATION_ERROR"),
    ({"event": "dance"}, "UNKNOWN_EVENT"), ({"event": "\ud83d"}, "UNKNOWN_EVENT"), ({"event": ""}, "UNKNOWN_EVENT"),
    ({"event": "send_message"}, "VALIDATION_ERROR"), ({"event": "connect", "data": {}}, "UNKNOWN_EVENT"),
    ({"event": "send_message", "data": {"message": "x" * 66_000}}, "PAYLOAD_TOO_LARGE"), (ADA, "VALIDATION_ERROR"),
    ({"event": "send_message", "data": {"message": "a\x00"}}, "VALIDATION_ERROR"),
]  # fmt: skip


async def test_a_bad_frame_is_refused_and_the_connection_stays(api: Api) -> None:
    async with raw_guest(api, await api.session()) as raw:
        for frame, code in BAD_LATER:
            await raw.send(frame)
            assert await raw.error() == code, str(frame)[:60]
        await raw.socket.send_bytes(b'{"event": "typing"}')
        assert await raw.error() == "VALIDATION_ERROR"
        await raw.say("send_message", {"message": "still here"})
        assert (await raw.frame())["data"]["message"] == "still here"


async def close_code(api: Api, session_id: str, first: dict[str, Any], code: str) -> int | None:
    async with raw_door(api, session_id) as raw:
        await raw.send(first)
        assert (await raw.frame())["data"]["code"] == code
        return await raw.closed()


async def test_a_refused_join_is_told_and_closed_with_its_code(api_on_both: Api) -> None:
    api = api_on_both
    full, over = await api.session(max_users=1), await api.session()
    await api.call("DELETE", f"/api/sessions/{over}")
    for missing in (new_id(), "nothing", "%00", "6F9619FF-8B86-D011-B42D-00C04FC964FF"):
        assert await close_code(api, missing, ADA, "SESSION_NOT_FOUND") == 4404
    assert await close_code(api, over, ADA, "SESSION_CLOSED") == 4410
    assert await close_code(api, full, {**ADA, "token": "nonsense"}, "UNAUTHORIZED") == 4401
    async with raw_guest(api, full):
        assert await close_code(api, full, {"name": "Ben"}, "SESSION_FULL") == 4409


async def test_who_does_not_register_in_time_is_closed_with_its_code(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "REGISTER_SECONDS", 0.2)
    async with raw_door(api, await api.session()) as raw:
        await raw.send("nope")
        assert await raw.error() == "INVALID_JSON"
        assert await raw.error() == "NOT_JOINED"
        assert await raw.closed() == 4408
    async with raw_guest(api, await api.session()) as ada:
        assert await ada.silent(seconds=0.4)


async def test_a_frame_over_a_mebibyte_closes(api: Api) -> None:
    async with raw_guest(api, await api.session()) as raw:
        await raw.send("x" * (1024 * 1024 + 1))
        assert await raw.closed() == 1009


@pytest.mark.parametrize("frame", ["nope", '{"event": "dance"}', b"\x00"])
@pytest.mark.parametrize("registered", [True, False])
async def test_a_flood_of_frames_is_closed_with_its_code(
    open_api: Open, monkeypatch: pytest.MonkeyPatch, frame: str | bytes, registered: bool
) -> None:
    monkeypatch.setattr(limits, "EVENTS_OF_A_CONNECTION", limits.Rate(per_second=10, burst=20))
    api = await open_api(RATE_LIMITS="on")
    async with raw_door(api, await api.session(), SEANCE) as raw:
        if registered:
            await raw.send(ADA)
            await raw.until("session_joined")
        for _ in range(30):
            await (raw.socket.send_bytes(frame) if isinstance(frame, bytes) else raw.socket.send_str(frame))
        codes = [await raw.error() for _ in range(20)]
        while codes[-1] != "RATE_LIMITED":
            codes.append(await raw.error())
        assert len(codes) <= 21
        assert await raw.closed() == 4429


async def test_joins_from_one_address_are_bounded(open_api: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JOINS_OF_AN_ADDRESS", limits.Rate(per_second=1, burst=1))
    api = await open_api(RATE_LIMITS="on", TRUSTED_PROXIES="127.0.0.0/8")
    session_id = await api.session()
    async with raw_guest(api, session_id):
        assert await close_code(api, session_id, {"name": "Ben"}, "RATE_LIMITED") == 4429
        async with raw_door(api, session_id, SEANCE, headers={"X-Forwarded-For": "192.0.2.7"}) as elsewhere:
            await elsewhere.send({"name": "Cleo"})
            await elsewhere.until("session_joined")


async def test_both_doors_open_on_one_room(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    ada = await seated(js, api_on_both, session_id, "Ada")
    async with raw_guest(api_on_both, session_id, "Ben") as ben:
        assert (await ada.wait("user_joined")).args[0] == {"user_id": "ben", "user_name": "Ben"}
        await said(ada, "by Socket.IO")
        assert (await ben.frame())["data"] == await heard(ada, "by Socket.IO")
        await ben.say("send_message", {"message": "by WebSocket"})
        assert (await ben.frame())["data"] == await heard(ada, "by WebSocket")
        await ben.say("typing", {"is_typing": True})
        assert (await ada.wait("typing")).args[0]["user_id"] == "ben"
        await ada.emit("typing", {"is_typing": True})
        assert (await ben.frame())["data"] == {"user_id": "ada", "user_name": "Ada", "is_typing": True}
    assert (await ada.wait("user_left", seconds=1.5)).args[0]["user_id"] == "ben"


async def test_two_hundred_frames_at_once_keep_their_order(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    async with raw_door(api_on_both, session_id) as raw:
        await raw.send(ADA)
        for number in range(200):
            await raw.say("send_message", {"message": str(number)})
        got = [(await raw.frame())["data"] for _ in range(200)]
    assert [(item["seq"], item["message"]) for item in got] == [(n + 1, str(n)) for n in range(200)]


async def test_leaving_and_joining_again_by_frames(api: Api) -> None:
    session_id = await api.session()
    async with raw_guest(api, session_id) as ada:
        await ada.say("leave_session", id=1)
        assert (await ada.frame())["success"]
        assert await api.names(session_id) == set()
        await ada.say("send_message", {"message": "x"}, id=2)
        assert (await ada.frame())["error"]["code"] == "NOT_JOINED"
        await ada.say("join_session", {"session_id": session_id, "user_name": "Ada"}, id=3)
        assert (await ada.until("ack"))["data"]["user"]["user_name"] == "Ada"


async def test_a_ping_is_answered_and_a_goodbye_too(api: Api) -> None:
    async with raw_guest(api, await api.session()) as ada:
        await ada.socket.ping(b"alive?")
        await ada.say("send_message", {"message": "after the ping"})
        await ada.until("message_received")
        await ada.socket.close(code=1000)
        assert ada.socket.close_code == 1000


HANDSHAKE = (
    "GET /ws/{} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def until_cut(reader: asyncio.StreamReader) -> int:
    """How many bytes were still to be read before the connection ended."""
    got = 0
    try:
        async with asyncio.timeout(5):
            while chunk := await reader.read(65_536):
                got += len(chunk)
    except ConnectionError:
        pass
    return got


@pytest.mark.parametrize("goodbye", [b"", b"\x03\xe8", b"\x03\xe9", b"\x0b\xb8done"])
async def test_who_says_goodbye_leaves_at_once_with_whatever_code(api: Api, goodbye: bytes) -> None:
    session_id = await api.session()
    url = api.url.removeprefix("http://")
    host, _, port = url.partition(":")
    async with raw_guest(api, session_id) as ada:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(HANDSHAKE.format(session_id, url).encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(client_frame(b'{"name":"Ben"}'))
        await ada.until("user_joined")
        writer.write(client_frame(goodbye, CLOSE))
        began = time.monotonic()
        await ada.until("user_left")
        assert time.monotonic() - began < 1
        writer.close()


async def test_who_does_not_read_is_cut_off_and_nobody_waits(api: Api) -> None:
    """2,000 messages of 8 kB are 16 MB: far more than the 1 MiB that may wait for one client."""
    session_id = await api.session()
    url = api.url.removeprefix("http://")
    host, _, port = url.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(HANDSHAKE.format(session_id, url).encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.write(client_frame(b'{"name":"Deaf"}'))
    async with raw_guest(api, session_id) as ada:
        while await api.names(session_id) != {"Deaf", "Ada"}:
            await asyncio.sleep(0.01)
        for number in range(2_000):
            await ada.say("send_message", {"message": "x" * 7_990 + str(number)})
            if number % 20 == 19:
                for _ in range(20):
                    await ada.until("message_received")
    assert await until_cut(reader) < 2_000 * 8_000
    writer.close()


async def test_a_plain_request_is_no_handshake(api: Api) -> None:
    refused = await api.get(f"/ws/{await api.session()}")
    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
