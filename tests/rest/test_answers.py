"""Answers on the wire: whatever way they are written, they are the same HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.rest.test_errors import wire

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tests.rest.api import Api

PLAIN = "HTTP/1.1\r\nHost: x\r\n\r\n"
OLD = "HTTP/1.0\r\n\r\n"
LAST = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
FROM_A_PAGE = "HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost:3000\r\n\r\n"


async def head_of(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """The status line, and the headers in lower case."""
    async with asyncio.timeout(5):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    return lines[0], {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-1])}


async def test_an_answer_written_at_once_has_the_head_of_any_other(api: Api) -> None:
    path = f"/api/sessions/{await api.session()}"
    async with wire(api) as (reader, writer):
        writer.write(f"GET {path} {PLAIN}GET {path} {FROM_A_PAGE}".encode())
        ready, ready_headers = await head_of(reader)
        ready_body = json.loads(await reader.readexactly(int(ready_headers["content-length"])))
        other, other_headers = await head_of(reader)
        other_body = json.loads(await reader.readexactly(int(other_headers["content-length"])))
    assert ready == other == "HTTP/1.1 200 OK"
    assert ready_body["data"] == other_body["data"]
    cors = {name for name in other_headers if name.startswith("access-control-")}
    assert cors
    assert other_headers.keys() - cors == ready_headers.keys()
    for name in ("content-type", "content-length", "server"):
        assert ready_headers[name] == other_headers[name]


async def test_head_gets_no_body(api: Api) -> None:
    path = f"/api/sessions/{await api.session()}"
    async with wire(api) as (reader, writer):
        writer.write(f"HEAD {path} {PLAIN}GET {path} {PLAIN}".encode())
        first, headers = await head_of(reader)
        assert int(headers["content-length"]) > 0
        second, _ = await head_of(reader)
    assert first == second == "HTTP/1.1 200 OK"


async def test_a_client_that_wants_the_connection_closed_sees_it_closed(api: Api) -> None:
    path = f"/api/sessions/{await api.session()}"
    for how, version in ((LAST, "HTTP/1.1"), (OLD, "HTTP/1.0")):
        async with wire(api) as (reader, writer):
            writer.write(f"GET {path} {how}".encode())
            async with asyncio.timeout(5):
                whole = (await reader.read(-1)).decode()
        assert whole.startswith(f"{version} 200 OK\r\n")
        assert json.loads(whole.partition("\r\n\r\n")[2])["success"]


async def test_an_old_client_that_asks_for_it_keeps_its_connection(api: Api) -> None:
    async with wire(api) as (reader, writer):
        writer.write(b"GET /api/sessions HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        status, headers = await head_of(reader)
    assert status == "HTTP/1.0 200 OK"
    assert headers["connection"] == "keep-alive"


async def test_requests_that_come_at_once_are_answered_in_order_each_under_its_own_id(api: Api) -> None:
    path = f"/api/sessions/{await api.session()}"
    async with wire(api) as (reader, writer):
        for number in range(20):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Request-ID: id-{number}\r\n\r\n".encode())
        for number in range(20):
            _, headers = await head_of(reader)
            assert headers["x-request-id"] == f"id-{number}"
            await reader.readexactly(int(headers["content-length"]))


async def test_an_id_of_one_request_is_not_that_of_the_next(api: Api) -> None:
    async with wire(api) as (reader, writer):
        writer.write(
            f"GET /api/sessions HTTP/1.1\r\nHost: x\r\nX-Request-ID: mine\r\n\r\nGET /nothing {PLAIN}".encode()
        )
        _, first = await head_of(reader)
        await reader.readexactly(int(first["content-length"]))
        _, second = await head_of(reader)
    assert first["x-request-id"] == "mine"
    assert second["x-request-id"] not in {"mine", "None", ""}


@pytest.mark.parametrize("messages", [8, 20])
async def test_who_does_not_read_is_not_answered_without_end(
    api: Api, logged: list[MutableMapping[str, Any]], messages: int
) -> None:
    """A page of 56 or 140 kB, asked for again and again by a client that reads none of it."""
    session_id = await api.session()
    for number in range(messages):
        await api.say(session_id, f"{number}" + "x" * 7_000)
    logged.clear()
    async with wire(api) as (_, writer):
        writer.write(f"GET /api/sessions/{session_id}/messages {PLAIN}".encode() * 500)
        handled = -1
        while handled != (handled := len([line for line in logged if line["event"] == "request.handled"])):
            await asyncio.sleep(0.5)
    assert 0 < handled < 400
