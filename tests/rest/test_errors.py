"""Errors that no handler sees: paths, methods, bodies that do not arrive, ids of requests."""

from __future__ import annotations

import asyncio
import gzip
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from server.rest import bodies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, MutableMapping

    from tests.rest.api import Api

HEAD = "POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def wire(api: Api) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare TCP connection to the server."""
    url = URL(api.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def answered(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    """The status and the JSON body of one answer."""
    async with asyncio.timeout(5):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(line for line in head.lower().splitlines() if line.startswith("content-length:"))
        body = await reader.readexactly(int(length.partition(":")[2]))
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("path", ["/nothing", "/api", "/api/sessions/", "/api/sessions//messages", "/api/x/y", "/%00"])
async def test_a_path_that_is_not_there_is_an_envelope(api: Api, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert (await api.call(method, path)).code == "NOT_FOUND"


async def test_a_method_that_is_not_there_names_those_that_are(api: Api) -> None:
    refused = await api.call("PUT", "/api/sessions")
    assert (refused.status, refused.code) == (405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} <= set(refused.headers["Allow"].replace(" ", "").split(","))
    session = f"/api/sessions/{await api.session()}"
    for method, path in [("DELETE", "/api/sessions"), ("PUT", session), ("DELETE", f"{session}/messages")]:
        assert (await api.call(method, path)).code == "METHOD_NOT_ALLOWED"


async def test_the_answer_carries_a_sane_request_id_as_it_came(api: Api) -> None:
    for sane in ("abc-123", "A.b_c:1+2/3=", "x" * 128):
        assert (await api.call("GET", "/nothing", headers={"X-Request-ID": sane})).headers["X-Request-ID"] == sane


async def test_another_request_id_is_replaced(api: Api) -> None:
    for wild in ("x" * 129, "a b", "a;b", "\N{GHOST}", '"', "<script>", ""):
        answer = await api.call("GET", "/nothing", headers={"X-Request-ID": wild})
        assert answer.headers["X-Request-ID"] != wild
        assert len(answer.headers["X-Request-ID"]) == 36


async def test_a_body_cut_short_is_said_to_be(api: Api) -> None:
    async with wire(api) as (reader, writer):
        writer.write(f'{HEAD}Content-Length: 100\r\n\r\n{{"name": '.encode())
        writer.write_eof()
        # Either answer is within HTTP: an error, or an end without one; nothing else, and no session.
        rest = await asyncio.wait_for(reader.read(), 5)
    assert not rest or b" 400 " in rest.partition(b"\r\n")[0]
    assert (await api.get("/api/sessions")).data == []


async def test_a_chunked_body_cut_short_is_said_to_be(api: Api) -> None:
    async with wire(api) as (reader, writer):
        writer.write(f'{HEAD}Transfer-Encoding: chunked\r\n\r\n10\r\n{{"name": "x"}}'.encode())
        writer.write_eof()
        rest = await asyncio.wait_for(reader.read(), 5)
    assert not rest or b" 400 " in rest.partition(b"\r\n")[0]
    assert (await api.get("/api/sessions")).data == []


async def test_broken_framing_is_a_bad_request(api: Api) -> None:
    """It is no body of ours yet: the HTTP parser itself answers."""
    async with wire(api) as (reader, writer):
        writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\nxyz\r\n".encode())
        rest = await asyncio.wait_for(reader.read(), 5)
    assert b" 400 " in rest.partition(b"\r\n")[0]


async def test_a_body_in_two_segments_is_read_whole(api: Api) -> None:
    async with wire(api) as (reader, writer):
        writer.write(f'{HEAD}Content-Length: 15\r\n\r\n{{"name":'.encode())
        await writer.drain()
        assert (await api.get("/health/live_")).code == "NOT_FOUND"  # the server had its turn meanwhile
        writer.write(b' "two"}')
        status, body = await answered(reader)
    assert (status, body["data"]["name"]) == (201, "two")


async def test_a_body_that_does_not_come_is_not_waited_for_long(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)
    async with wire(api) as (reader, writer):
        writer.write(f"{HEAD}Content-Length: 15\r\n\r\n".encode())
        status, body = await answered(reader)
    assert (status, body["error"]["code"]) == (400, "INVALID_JSON")


async def test_an_announced_flood_is_refused_before_it_comes(api: Api) -> None:
    async with wire(api) as (reader, writer):
        writer.write(f"{HEAD}Content-Length: 100000000\r\n\r\n".encode())
        status, body = await answered(reader)
    assert (status, body["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_an_unannounced_flood_is_refused_at_the_bound(api: Api) -> None:
    async with wire(api) as (reader, writer):
        writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n" + b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        writer.write(b"c000\r\n" + b"x" * 0xC000 + b"\r\n")
        status, body = await answered(reader)
    assert (status, body["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_an_unannounced_flood_that_came_whole_is_refused_too(api: Api) -> None:
    body = b'{"name": "' + b"x" * 0x10000 + b'"}'
    async with wire(api) as (reader, writer):
        writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        status, said = await answered(reader)
    assert (status, said["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_small_packed_body_that_unpacks_large_is_refused(api: Api) -> None:
    packed = gzip.compress(b'{"name": "' + b"x" * 10_000_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert (await api.post("/api/sessions", body=packed, headers=headers)).code == "PAYLOAD_TOO_LARGE"
    nonsense = await api.post("/api/sessions", body=b"not gzip", headers=headers)
    assert nonsense.code == "INVALID_JSON"


async def test_the_next_request_of_a_connection_is_answered_after_a_refused_one(api: Api) -> None:
    async with wire(api) as (reader, writer):
        for body, expected in ((b'{"name": 5}', 400), (b'{"name": "x"}', 201)):
            writer.write(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert (await answered(reader))[0] == expected


UNREADABLE = {
    "a body that is no chunk": (
        "POST /api/sessions/x/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        'Transfer-Encoding: chunked\r\n\r\n{"message":"WHISPERED","user_name":"Ada"}'
    ),
    "a space before a colon": "GET /health HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer WHISPERED\r\n\r\n",
    "no such method": "WHISPERED /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "no length": f"{HEAD}Content-Length: WHISPERED\r\n\r\n",
    "a long line": f"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: {'WHISPERED' * 9_000}\r\n\r\n",
    "TLS": "\x16\x03\x01WHISPERED\r\n\r\n",
    "an unknown coding": f"{HEAD}Content-Encoding: br\r\nContent-Length: 9\r\n\r\nWHISPERED",
}


@pytest.mark.parametrize("sent", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_no_request_gets_an_envelope_and_is_not_repeated(
    api: Api, sent: str, logged: list[MutableMapping[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    async with wire(api) as (reader, writer):
        writer.write(sent.encode("latin-1"))
        status, said = await answered(reader)
        assert await reader.read() == b""  # hung up
    assert (status, said["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert "WHISPERED" not in f"{said} {logged} {caplog.text}"
    [line] = [line for line in logged if line["event"] == "request.unreadable"]
    assert line["log_level"] == "info"


async def test_a_body_that_is_not_what_its_coding_says_is_no_fault_of_ours(
    api: Api, logged: list[MutableMapping[str, Any]]
) -> None:
    async with wire(api) as (reader, writer):
        writer.write(f"{HEAD}Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nWHISPERED".encode())
        status, said = await answered(reader)
    assert (status, said["error"]["code"]) == (400, "INVALID_JSON")
    assert "WHISPERED" not in str(logged)
    assert not [line for line in logged if line["log_level"] == "error"]


async def test_a_coding_nobody_knows_is_refused(api: Api) -> None:
    refused = await api.post("/api/sessions", {"name": "x"}, headers={"Content-Encoding": "bogus"})
    assert refused.code == "UNSUPPORTED_MEDIA_TYPE"


async def test_every_answer_has_an_id(api: Api) -> None:
    async with wire(api) as (reader, writer):
        for sent in ("GET /health HTTP/1.1\r\nHost: x\r\nExpect: bogus\r\n\r\n", "NONE /health HTTP/1.1\r\n\r\n"):
            writer.write(sent.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            assert "x-request-id: " in head.lower(), head
            await reader.read(len("Unknown Expect: bogus"))
