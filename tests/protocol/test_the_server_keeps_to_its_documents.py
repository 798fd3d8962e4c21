"""The running server and its documents say the same: routes, answers, errors, frames."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from server.app import create_app
from server.config import Config
from server.protocol.asyncapi import build_asyncapi
from server.protocol.events import EVENTS, INBOUND, check_ack, check_event
from server.protocol.openapi import build_openapi
from server.protocol.operations import OPERATIONS
from tests.protocol.walk import resolve
from tests.services import processes

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientWebSocketResponse

    from tests.conftest import Serve

OPENAPI: dict[str, Any] = json.loads(json.dumps(build_openapi("1")))
ASYNCAPI: dict[str, Any] = json.loads(json.dumps(build_asyncapi("1")))
FRAME_SECONDS = 10
# Files, and doors that are no REST calls; CORS answers OPTIONS everywhere.
UNLISTED = ("/assets/", "/room/", "/ws/", "/socket.io/", "/engine.io/")
NOBODY = "3f0c2a7e-9d41-4c55-8f0e-6f6a0c1b9d27"


def faults(document: dict[str, Any], schema: dict[str, Any], value: object) -> list[str]:
    whole = {**schema, "components": document["components"]}
    return [fault.message for fault in Draft202012Validator(whole).iter_errors(value)]


def test_the_router_knows_the_listed_calls_and_no_others(tmp_path: Path) -> None:
    settings = processes.DEFAULTS | {"DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}"}
    app = create_app(Config.load(settings, dotenv=Path(os.devnull)))
    found = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method not in {"HEAD", "OPTIONS", "*"}
    }
    listed = {call for call in found if not call[1].startswith(UNLISTED)}
    assert listed == {(operation.method, operation.path) for operation in OPERATIONS}


class Caller:
    """Makes calls by their names and holds each answer to the document."""

    def __init__(self, http_client: ClientSession, base: str) -> None:
        self._http_client = http_client
        self._base = base

    async def __call__(self, name: str, status: int = 200, session_id: str = "", **options: Any) -> Any:
        operation = next(operation for operation in OPERATIONS if operation.name == name)
        url = self._base + operation.path.replace("{session_id}", session_id)
        async with self._http_client.request(operation.method, url, **options) as answer:
            assert answer.status == status, await answer.text()
            described = OPENAPI["paths"][operation.path][operation.method.lower()]["responses"][str(status)]
            return await self._held(answer, described)

    async def _held(self, answer: ClientResponse, described: dict[str, Any]) -> Any:
        described = resolve(OPENAPI, described["$ref"]) if "$ref" in described else described
        media = described["content"][answer.content_type]
        assert set(described["headers"]) <= set(answer.headers)
        if "schema" not in media:
            return await answer.text()
        body = json.loads(await answer.read())
        assert faults(OPENAPI, media["schema"], body) == []
        return body


async def test_every_call_answers_as_described(serve: Serve) -> None:
    base = await serve()
    async with ClientSession() as http_client:
        call = Caller(http_client, base)
        called = {"read_metrics"}  # has a test of its own
        created = await call("create_session", 201, json={"name": "Friday at nine"})
        one = created["data"]["id"]
        await call("post_message", 201, one, json={"message": "Is anyone there?", "user_name": "Ada"})
        await call("create_token", 201, one, json={"role": "host", "user_id": "ada"})
        await call("change_session", 200, one, json={"name": "Friday at ten"})
        reads = ("read_session", "read_messages", "list_users", "list_sessions", "read_spirit_context")
        for name in (*reads, "end_session"):
            assert (await call(name, 200, one))["success"] is True
            called.add(name)
        called |= {"create_session", "post_message", "create_token", "change_session"}
        for operation in OPERATIONS:
            if operation.name not in called:
                await call(operation.name)


async def test_metrics_answer_as_described(serve: Serve) -> None:
    base = await serve()
    async with ClientSession() as http_client:
        assert "# HELP" in await Caller(http_client, base)("read_metrics")


async def test_refusals_are_as_described(serve: Serve) -> None:
    base = await serve()
    async with ClientSession() as http_client:
        call = Caller(http_client, base)
        await call("create_session", 400, json={"name": "", "colour": "red"})
        await call("create_session", 400, data="{", headers={"Content-Type": "application/json"})
        await call("create_session", 413, json={"name": "x" * 70_000})
        await call("create_session", 415, data="name=x", headers={"Content-Type": "text/plain"})
        await call("list_sessions", 400, params={"limit": "0"})
        for operation in OPERATIONS:
            if "{session_id}" in operation.path:
                for session_id in (NOBODY, "no-id"):
                    await call(operation.name, 404, session_id, json=operation.body_example)
        created = await call("create_session", 201, json={"name": "Friday at nine"})
        one = created["data"]["id"]
        await call("end_session", 200, one)
        await call("post_message", 410, one, json={"message": "Hello", "user_name": "Ada"})
        await call("change_session", 410, one, json={"name": "Later"})


async def test_without_a_token_every_secured_call_is_refused_as_described(serve: Serve) -> None:
    base = await serve(AUTH_REQUIRED="true")
    async with ClientSession() as http_client:
        call = Caller(http_client, base)
        for operation in OPERATIONS:
            if operation.secured:
                await call(operation.name, 401, NOBODY, json=operation.body_example)


class Guest:
    """One raw WebSocket that holds every frame to the document."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self.heard: set[str] = set()

    async def frame(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._socket.receive_json(timeout=FRAME_SECONDS)
        if found["event"] != "ack":
            check_event(found["event"], found["data"])
            payload = ASYNCAPI["components"]["messages"][f"websocket.server.{found['event']}"]["payload"]
            assert faults(ASYNCAPI, payload, found) == []
            self.heard.add(found["event"])
        return found

    async def until(self, event: str) -> dict[str, Any]:
        while (found := await self.frame())["event"] != event:
            pass
        return found

    async def send(self, event: str, **data: object) -> dict[str, Any]:
        """Sends an event and returns its acknowledgement."""
        await self._socket.send_json({"event": event, "data": data, "id": 7})
        found = await self.until("ack")
        assert found["id"] == 7
        if event in INBOUND:
            payload = ASYNCAPI["components"]["messages"][f"websocket.ack.{event}"]["payload"]
            assert faults(ASYNCAPI, payload, found) == []
            if found["success"]:
                check_ack(event, found["data"])
        return found

    async def register(self, name: str) -> None:
        await self._socket.send_json({"name": name})
        await self.until("session_joined")


async def test_every_frame_of_an_evening_is_as_described(serve: Serve) -> None:
    base = await serve()
    async with ClientSession() as http_client:
        created = await Caller(http_client, base)("create_session", 201, json={"name": "Friday at nine"})
        one = created["data"]["id"]
        url = f"{base}/ws/{one}"
        async with (
            http_client.ws_connect(url, protocols=["seance.v1"]) as first,
            http_client.ws_connect(url, protocols=["seance.v1"]) as second,
        ):
            ada, ben = Guest(first), Guest(second)
            await ada.register("Ada")
            await ben.register("Ben")
            await ada.until("user_joined")
            assert (await ada.send("send_message", message="Is anyone there?"))["success"]
            await ada.until("spirit_finished")
            assert (await ben.send("typing", is_typing=True))["success"]
            await ada.until("typing")
            assert (await ben.send("stop_spirit"))["success"]
            assert (await ben.send("summon_spirit"))["success"]
            assert (await ben.send("dance"))["error"]["code"] == "UNKNOWN_EVENT"
            assert (await ben.send("send_message", message=""))["error"]["code"] == "VALIDATION_ERROR"
            assert (await ben.send("leave_session"))["success"]
            assert (await ben.send("typing", is_typing=True))["error"]["code"] == "NOT_JOINED"
            await ada.until("user_left")
            await first.send_str("{")
            await ada.until("error")
            await Caller(http_client, base)("change_session", 200, one, json={"name": "Friday at ten"})
            await ada.until("session_updated")
            await Caller(http_client, base)("end_session", 200, one)
            await ada.until("session_closed")
    assert ada.heard == set(EVENTS) - {"server_draining"}


@pytest.mark.parametrize("name", ["event", "answer"])
def test_an_answer_or_a_frame_of_another_shape_would_be_seen(name: str) -> None:
    if name == "answer":
        described = OPENAPI["paths"]["/api/sessions"]["post"]["responses"]["201"]["content"]["application/json"]
        assert faults(OPENAPI, described["schema"], {"success": True, "data": {}, "meta": {}})
    else:
        payload = ASYNCAPI["components"]["messages"]["websocket.server.typing"]["payload"]
        assert faults(ASYNCAPI, payload, {"event": "typing", "data": {}, "timestamp": "now"})
