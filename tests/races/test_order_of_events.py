"""One client's events, sent without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import orjson

from server.realtime.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.conftest import Serve

COUNT = 20


async def answers(serve: Serve) -> list[str]:
    """How a join and the messages sent right behind it were answered: the text stored at each place, or a code."""
    url = await serve(SPIRIT_PROVIDER="none", RATE_LIMITS="off")
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{url}/api/sessions", json={"name": "order"}) as made:
            session_id = (await made.json())["data"]["id"]
        async with http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket") as socket:
            await socket.receive_str()
            await socket.send_str("40{}")
            await socket.receive_str()
            await socket.send_str(_event(0, "join_session", {"session_id": session_id, "user_name": "Ada"}))
            for number in range(1, COUNT + 1):
                await socket.send_str(_event(number, "send_message", {"message": f"text {number}"}))
            acks = await _acks(socket)
            return [acks[number] for number in range(1, COUNT + 1)]


async def test_messages_sent_behind_a_join_wait_for_it_and_keep_their_order(serve: Serve) -> None:
    assert await answers(serve) == [str(number) for number in range(1, COUNT + 1)]


async def test_without_waiting_they_would_be_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(_: Visitor, handle: Callable[[], None]) -> None:
        handle()

    monkeypatch.setattr(Visitor, "wait", at_once)
    assert await answers(serve) == ["NOT_JOINED"] * COUNT


def _event(number: int, name: str, said: dict[str, str]) -> str:
    return f"42{number}{orjson.dumps([name, said]).decode()}"


async def _acks(socket: aiohttp.ClientWebSocketResponse) -> dict[int, str]:
    """The `seq` or the error code in each ack, by the number of the event it answers."""
    acks: dict[int, str] = {}
    while len(acks) <= COUNT:
        text = await socket.receive_str()
        if text.startswith("43"):
            bracket = text.index("[")
            envelope = orjson.loads(text[bracket:])[0]
            answer = envelope["data"].get("seq") if envelope["success"] else envelope["error"]["code"]
            acks[int(text[2:bracket])] = str(answer)
    return acks
