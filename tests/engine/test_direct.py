"""Direct handlers, on both engines: order, acks, refusals, rooms, and one end for each beginning."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from server.engine import Accept, Handshake, Recovery, Refused, encode_event
from tests.engine.wire import UNIT_SECONDS, Chat

if TYPE_CHECKING:
    from server.engine import Inbound


@pytest.fixture(params=["fast", "stock"])
def chat(request: pytest.FixtureRequest) -> Chat:
    return Chat(engine=request.param)


def differs_on_stock(chat: Chat, request: pytest.FixtureRequest, how: str) -> None:
    if chat.sio.direct_sockets is None:
        request.applymarker(pytest.mark.xfail(strict=True, reason=how))


async def test_an_event_is_broadcast_and_acked(chat: Chat) -> None:
    async with chat.serve() as wire, wire.joined() as ada, wire.joined() as bob:
        await ada.send('427["say",{"text":"hi"}]')
        assert await bob.event() == ["said", {"text": "hi"}]
        assert await ada.event() == ["said", {"text": "hi"}]
        assert await ada.receive() == '437[{"ok":true}]'


async def test_events_of_one_client_are_handled_in_order(chat: Chat) -> None:
    async with chat.serve() as wire, wire.joined() as ada:
        for number in range(50):
            await ada.send(f'42["say",{number}]')
        assert [(await ada.event())[1] for _ in range(50)] == list(range(50))


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "newListener", "whatever"])
async def test_reserved_and_unknown_names_reach_on_unknown_only(chat: Chat, name: str) -> None:
    async with chat.serve() as wire, wire.joined() as ada:
        await ada.send(f'42["{name}","forged"]')
        await ada.send('421["say"]')
        assert await ada.event() == ["said"]
        assert [(seen.name, tuple(seen.args)) for seen in chat.seen] == [(name, ("forged",)), ("say", ())]
        assert chat.gone == []


@pytest.mark.parametrize("text", ["x" * 70_000, "€" * 24_000], ids=["ascii", "three-bytes-each"])
async def test_an_event_over_the_bound_is_reported_without_being_parsed(chat: Chat, text: str) -> None:
    async with chat.serve() as wire, wire.joined() as ada:
        await ada.send(f'423["say","{text}"]')
        await ada.send('421["say"]')
        assert await ada.event() == ["said"]
        big = chat.seen[0]
        assert (big.name, big.args) == ("say", ())
        assert big.ack_id is not None
        assert big.size_bytes > 70_000
        big.answer({"ok": False})
        big.answer({"ok": "twice"})
        assert big.ack_id is None


async def test_a_handler_that_raises_costs_only_its_own_event(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    def explode(_: Inbound) -> None:
        raise RuntimeError

    chat.sio.on_packet("explode", explode)
    async with chat.serve() as wire, wire.joined() as ada:
        await ada.send('421["explode"]')
        await ada.send('42["say","alive"]')
        assert await ada.event() == ["said", "alive"]
    lines = [record.getMessage() for record in caplog.records if record.name == "engine"]
    assert len(lines) == 1
    assert "RuntimeError at test_direct.py" in lines[0]


async def test_a_refusal_tells_why(chat: Chat) -> None:
    async def refuse(_: Handshake) -> Accept:
        raise Refused({"code": "FULL", "message": "no seat"})

    chat.sio.on_connect(refuse)
    async with chat.serve() as wire, wire.websocket() as ws:
        await ws.receive()
        await ws.send("40")
        answer = await ws.receive()
        assert json.loads(answer[2:]) == {"message": "no seat", "data": {"code": "FULL", "message": "no seat"}}
    assert chat.gone == []


async def test_a_connect_handler_that_raises_still_answers(chat: Chat) -> None:
    async def explode(_: Handshake) -> Accept:
        raise RuntimeError

    chat.sio.on_connect(explode)
    async with chat.serve() as wire, wire.websocket() as ws:
        await ws.receive()
        await ws.send("40")
        assert await ws.receive() == '44{"message":"Connection refused"}'


async def test_a_recovery_payload_that_is_no_json_refuses_the_client() -> None:
    async def accept(_: Handshake) -> Accept:
        return Accept(recovery=object())

    chat = Chat(engine="fast", recovery=Recovery(b"0123456789abcdef0123456789abcdef", 60))
    chat.sio.on_connect(accept)
    async with chat.serve() as wire, wire.websocket() as ws:
        await ws.receive()
        await ws.send("40")
        assert await ws.receive() == '44{"message":"Connection refused"}'
    assert chat.gone == []


async def test_what_others_send_a_joining_client_waits_behind_connect_and_after(chat: Chat) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def slow(handshake: Handshake) -> Accept:
        chat.sio.enter(handshake.sid, "hall")
        entered.set()
        await go.wait()
        return Accept(after=lambda: chat.sio.write(handshake.sid, encode_event("history")))

    chat.sio.on_connect(slow)
    async with chat.serve() as wire, wire.websocket() as ws:
        await ws.receive()
        await ws.send("40")
        await entered.wait()
        chat.sio.broadcast("hall", encode_event("live"))
        go.set()
        assert (await ws.receive()).startswith("40")
        assert await ws.event() == ["history"]
        assert await ws.event() == ["live"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_gone_is_told_once_for_each_accepted_connection(chat: Chat, transport: str) -> None:
    async with chat.serve() as wire:
        if transport == "websocket":
            async with wire.joined() as ada:
                sid = ada.sid
        else:
            eio_sid = await wire.open_polling()
            await wire.post(eio_sid, "40")
            sid = json.loads((await wire.poll(eio_sid))[1][2:])["sid"]
            await wire.post(eio_sid, "41")
            await wire.post(eio_sid, "1")
        assert [entry[0] for entry in await chat.until_gone()] == [sid]
        await asyncio.sleep(UNIT_SECONDS)
        assert len(chat.gone) == 1


async def test_a_client_that_leaves_while_its_handler_runs_is_not_left_behind(chat: Chat) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def slow(handshake: Handshake) -> Accept:
        entered.set()
        await go.wait()
        chat.sio.enter(handshake.sid, "hall")
        return Accept()

    chat.sio.on_connect(slow)
    async with chat.serve() as wire:
        async with wire.websocket() as ws:
            await ws.receive()
            await ws.send("40")
            await entered.wait()
        await asyncio.sleep(UNIT_SECONDS)
        go.set()
        await chat.until_gone()
        assert chat.sio.manager.rooms == {}


async def test_skip_leaves_one_out_and_leave_takes_out_of_the_room(chat: Chat) -> None:
    async with chat.serve() as wire, wire.joined() as ada, wire.joined() as bob, wire.joined() as eve:
        chat.sio.leave(eve.sid, "hall")
        chat.sio.broadcast("hall", encode_event("one"), skip=ada.sid)
        chat.sio.broadcast("hall", encode_event("two"))
        chat.sio.write(eve.sid, encode_event("three"))
        assert await ada.event() == ["two"]
        assert [await bob.event(), await bob.event()] == [["one"], ["two"]]
        assert await eve.event() == ["three"]


async def test_close_says_disconnect_and_ends_the_transport(chat: Chat, request: pytest.FixtureRequest) -> None:
    differs_on_stock(chat, request, "sends a CLOSE packet and leaves the WebSocket open")
    async with chat.serve() as wire, wire.joined() as ada:
        chat.sio.close(ada.sid)
        assert await ada.receive() == "41"
        await ada.closed()
        assert [entry[0] for entry in chat.gone] == [ada.sid]
        chat.sio.write(ada.sid, encode_event("ignored"))
        chat.sio.close(ada.sid)
        assert chat.sio.backlog_bytes(ada.sid) == 0


async def test_a_poll_takes_what_close_left(chat: Chat, request: pytest.FixtureRequest) -> None:
    differs_on_stock(chat, request, "forgets the session before the client has polled")
    async with chat.serve() as wire:
        eio_sid = await wire.open_polling()
        await wire.post(eio_sid, "40")
        sid = json.loads((await wire.poll(eio_sid))[1][2:])["sid"]
        chat.sio.close(sid)
        # Apart: socket.io-client loses what shares a payload with CLOSE.
        assert await wire.poll(eio_sid) == (200, "41")
        assert await wire.poll(eio_sid) == (200, "1")
        assert (await wire.poll(eio_sid))[0] == 400


async def test_python_socketio_s_own_emit_reaches_direct_clients(chat: Chat) -> None:
    async with chat.serve() as wire, wire.joined() as ada:
        await chat.sio.emit("stock", {"a": 1}, room="hall")
        await chat.sio.emit("to-one", to=ada.sid)
        assert await ada.event() == ["stock", {"a": 1}]
        assert await ada.event() == ["to-one"]
        assert set(chat.sio.rooms(ada.sid)) == {ada.sid, "hall"}


async def test_reserved_names_cannot_be_registered(chat: Chat) -> None:
    with pytest.raises(ValueError, match="reserved"):
        chat.sio.on_packet("disconnect", chat.say)
