"""What the engine needs of aiohttp's private parts: an update that changes them fails here."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from server.engine.takeover import Taken, notice_loss, take_over
from tests.engine.wire import PATIENCE_SECONDS, UNIT_SECONDS, listening

HANDSHAKE = b"GET / HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class Recorder(asyncio.Protocol):
    def __init__(self) -> None:
        self.received = b""
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, _: Exception | None) -> None:
        self.lost.set()


@pytest.mark.parametrize("name", ["_message_tail", "_lingering_time", "transport", "connection_lost"])
def test_the_names_exist(name: str) -> None:
    assert hasattr(RequestHandler, name)


async def test_the_transport_outlives_aiohttp_s_request(caplog: pytest.LogCaptureFixture) -> None:
    recorder, taken = Recorder(), asyncio.get_running_loop().create_future()

    async def handler(request: web.Request) -> web.StreamResponse:
        taken.set_result(take_over(request, recorder))
        return Taken()

    app = web.Application()
    app.router.add_get("/", handler)
    async with listening(app) as wire:
        tasks = len(asyncio.all_tasks())
        async with await wire.tcp() as tcp:
            tcp.writer.write(HANDSHAKE + b"early")
            transport = await asyncio.wait_for(taken, PATIENCE_SECONDS)
            await asyncio.sleep(UNIT_SECONDS / 2)
            # aiohttp's two tasks for the connection are gone, the connection is not.
            assert len(asyncio.all_tasks()) == tasks
            transport.write(b"hello")
            assert await asyncio.wait_for(tcp.reader.readexactly(5), PATIENCE_SECONDS) == b"hello"
            tcp.writer.write(b" late")
            while recorder.received != b"early late":
                await asyncio.sleep(UNIT_SECONDS / 10)
        await asyncio.wait_for(recorder.lost.wait(), PATIENCE_SECONDS)
    assert caplog.records == []


async def test_middlewares_see_a_response(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Any] = []

    @web.middleware
    async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        response.headers["X-Late"] = "ignored"
        seen.append(response.status)
        return response

    async def handler(request: web.Request) -> web.StreamResponse:
        take_over(request, Recorder())
        return Taken()

    app = web.Application(middlewares=[middleware])
    app.router.add_get("/", handler)
    async with listening(app) as wire, await wire.tcp() as tcp:
        tcp.writer.write(HANDSHAKE)
        while not seen:
            await asyncio.sleep(UNIT_SECONDS / 10)
    assert seen == [101]
    assert caplog.records == []


async def test_a_client_that_is_gone_by_then_is_refused_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    outcome = asyncio.get_running_loop().create_future()

    async def handler(request: web.Request) -> web.StreamResponse:
        while request.transport is not None:
            await asyncio.sleep(UNIT_SECONDS / 10)
        try:
            take_over(request, Recorder())
        except web.HTTPBadRequest as refusal:
            outcome.set_result(refusal)
            raise
        return Taken()

    app = web.Application()
    app.router.add_get("/", handler)
    async with listening(app) as wire:
        async with await wire.tcp() as tcp:
            tcp.writer.write(HANDSHAKE)
            await asyncio.sleep(UNIT_SECONDS / 2)
        assert await asyncio.wait_for(outcome, PATIENCE_SECONDS)
    assert caplog.records == []


async def test_a_waiting_handler_is_told_that_its_client_went_away() -> None:
    outcome = asyncio.get_running_loop().create_future()

    async def handler(request: web.Request) -> web.StreamResponse:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        notice_loss(request, waiter)
        try:
            await waiter
        except ConnectionError as error:
            outcome.set_result(error)
            raise
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler)
    async with listening(app) as wire:
        async with await wire.tcp() as tcp:
            tcp.writer.write(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            await asyncio.sleep(UNIT_SECONDS / 2)
        assert isinstance(await asyncio.wait_for(outcome, PATIENCE_SECONDS), ConnectionError)
