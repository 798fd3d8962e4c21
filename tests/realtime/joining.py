"""Joining with the JavaScript client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.protocol.events import check_ack
from tests.rest.api import MOMENT, check_error
from tests.services.js_client import JsError

if TYPE_CHECKING:
    from tests.rest.api import Api
    from tests.services.js_client import JsClient, JsSocket

WEBSOCKET = ["websocket"]
POLLING = ["polling"]
UPGRADE = ["polling", "websocket"]
TRANSPORTS = [WEBSOCKET, POLLING, UPGRADE]
QUICK: dict[str, Any] = {"reconnectionDelay": 10, "reconnectionDelayMax": 20, "randomizationFactor": 0}


async def connected(js: JsClient, api: Api, *, transports: list[str] = WEBSOCKET, **options: Any) -> JsSocket:
    """A connection that is in no session yet."""
    return await js.connect(api.url, transports=transports, **QUICK, **options)


async def seated(
    js: JsClient, api: Api, session_id: str, name: str = "Ada", *, transports: list[str] = WEBSOCKET, **more: Any
) -> JsSocket:
    """A connection that joined at connect, and was told so."""
    auth = {"session_id": session_id, "user_name": name, "user_id": name.lower(), **more}
    socket = await connected(js, api, transports=transports, auth=auth)
    await socket.wait("session_joined")
    return socket


async def refused(js: JsClient, api: Api, auth: Any, *, transports: list[str] = WEBSOCKET) -> str:
    """The code of the error object in `err.data`."""
    with pytest.raises(JsError) as refusal:
        await js.connect(api.url, transports=transports, auth=auth, reconnection=False)
    told = refusal.value.args[0]
    check_error(told["data"])
    assert told["message"] == told["data"]["message"]
    return str(told["data"]["code"])


async def acked(socket: JsSocket, event: str, *said: Any) -> Any:
    """The `data` of an event's ack, which must be a success."""
    envelope = await socket.call(event, *said)
    assert envelope["success"], envelope
    assert envelope.keys() == {"success", "data", "meta"}
    assert MOMENT.fullmatch(envelope["meta"]["timestamp"])
    check_ack(event, envelope["data"])
    return envelope["data"]


async def faulted(socket: JsSocket, event: str, *said: Any) -> str:
    """The code of an event's ack, which must be a failure."""
    envelope = await socket.call(event, *said)
    assert envelope.keys() == {"success", "error", "meta"}, envelope
    assert envelope["success"] is False
    assert MOMENT.fullmatch(envelope["meta"]["timestamp"])
    check_error(envelope["error"])
    return str(envelope["error"]["code"])


async def said(socket: JsSocket, message: str, **more: Any) -> int:
    """The `seq` of a message that this connection sent."""
    return int((await acked(socket, "send_message", {"message": message, **more}))["seq"])


async def heard(socket: JsSocket, message: str) -> dict[str, Any]:
    """The `message_received` with this text."""
    event = await socket.wait("message_received", where=lambda event: event.args[0]["message"] == message)
    found: dict[str, Any] = event.args[0]
    return found


def texts(socket: JsSocket) -> list[str]:
    """All messages that a connection saw, in order."""
    return [event.args[0]["message"] for event in socket.named("message_received")]
