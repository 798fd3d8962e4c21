"""An OpenAI-compatible endpoint over real HTTP and SSE that misbehaves on request.

`python -m tests.spirit.fake_openai --port 9009 --mode slow`. A request whose `model` names a mode gets that mode.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import deque
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

WORDS: Final = ("The ", "candle ", "leans ", "towards ", "you, ", "and ", "someone ", "knocks ", "twice.")
TOKENS_A_BATCH: Final = 100
BATCH_SECONDS: Final = 0.01


class Mode(StrEnum):
    FAST = "fast"
    SLOW = "slow"
    RATE_LIMITED = "429"
    SERVER_ERROR = "500"
    UNAUTHORISED = "401"
    HANG_BEFORE = "hang-before"
    HANG_AFTER_HEADERS = "hang-after-headers"
    HANG_MIDSTREAM = "hang-midstream"
    CUT = "cut"
    SHORT = "short"
    GARBAGE = "garbage"
    HTML = "html"
    EMPTY = "empty"
    ENDLESS = "endless"
    LETTERS = "letters"
    FLOOD = "flood"
    BURST = "burst"
    NO_USAGE = "no-usage"
    ERROR_EVENT = "error-event"


@dataclass
class FakeOpenAI:
    """The endpoint; `script` holds modes for the next requests, after which `mode` holds."""

    mode: Mode = Mode.FAST
    script: deque[Mode] = field(default_factory=deque)
    pause_seconds: float = 0.05
    retry_after: str = "1"
    flood_tokens: int = 10_000
    requests: list[dict[str, Any]] = field(default_factory=list)
    open_calls: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.answer)
        return app

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.open_calls += 1
        self.closed.clear()
        try:
            return await self._answer(request, self._mode(body))
        finally:
            self.open_calls -= 1
            self.closed.set()

    def _mode(self, body: dict[str, Any]) -> Mode:
        with suppress(ValueError):
            return Mode(body.get("model", ""))
        return self.script.popleft() if self.script else self.mode

    async def _answer(self, request: web.Request, mode: Mode) -> web.StreamResponse:
        if refusal := self._refusal(mode):
            return refusal
        if mode is Mode.HANG_BEFORE:
            await asyncio.Event().wait()
        stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await stream.prepare(request)
        async for chunk in self._chunks(mode):
            await stream.write(chunk)
        if mode is Mode.CUT and request.transport:
            request.transport.abort()
        return stream

    def _refusal(self, mode: Mode) -> web.Response | None:
        error = {"error": {"message": "the words of the endpoint", "type": mode.value}}
        if mode is Mode.RATE_LIMITED:
            return web.json_response(error, status=429, headers={"retry-after": self.retry_after})
        if mode is Mode.SERVER_ERROR:
            return web.json_response(error, status=500)
        if mode is Mode.UNAUTHORISED:
            return web.json_response(error, status=401)
        if mode is Mode.HTML:
            return web.Response(text="<html>a proxy's welcome page</html>", content_type="text/html")
        return None

    async def _chunks(self, mode: Mode) -> AsyncIterator[bytes]:
        if mode is Mode.GARBAGE:
            yield b"data: {not json\n\n"
            return
        if mode is Mode.ERROR_EVENT:
            yield b'data: {"error": {"message": "overloaded"}}\n\n'
            return
        yield _event(delta={"role": "assistant", "content": ""})
        if mode is Mode.HANG_AFTER_HEADERS:
            await asyncio.Event().wait()
        async for chunk in self._texts(mode):
            yield chunk
        if mode in {Mode.CUT, Mode.SHORT}:
            return
        yield _event(delta={}, finish="stop")
        if mode is not Mode.NO_USAGE:
            yield _usage()
        yield b"data: [DONE]\n\n"

    async def _texts(self, mode: Mode) -> AsyncIterator[bytes]:
        if mode is Mode.BURST:
            yield b"".join(_event(delta={"content": "ash "}) for _ in range(self.flood_tokens))
        elif mode is Mode.FLOOD:
            async for chunk in self._flood():
                yield chunk
        elif mode is not Mode.EMPTY:
            for index, text in enumerate(_texts(mode)):
                if index == 3 and mode is Mode.HANG_MIDSTREAM:
                    await asyncio.Event().wait()
                if index == 3 and mode in {Mode.CUT, Mode.SHORT}:
                    return
                yield _event(delta={"content": text})
                if mode in {Mode.SLOW, Mode.ENDLESS, Mode.CUT}:
                    await asyncio.sleep(self.pause_seconds if mode is not Mode.ENDLESS else 0)

    async def _flood(self) -> AsyncIterator[bytes]:
        """Ten thousand tokens a second."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for _ in range(0, self.flood_tokens, TOKENS_A_BATCH):
            yield b"".join(_event(delta={"content": "ash "}) for _ in range(TOKENS_A_BATCH))
            due += BATCH_SECONDS
            await asyncio.sleep(max(0.0, due - loop.time()))


def _texts(mode: Mode) -> Iterator[str]:
    if mode is Mode.LETTERS:
        yield from "".join(WORDS)
        return
    while True:
        yield from WORDS
        if mode is not Mode.ENDLESS:
            return


def _event(*, delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _data({"choices": [choice]})


def _usage() -> bytes:
    return _data({"choices": [], "usage": {"prompt_tokens": 321, "completion_tokens": 9, "total_tokens": 330}})


def _data(fields: dict[str, Any]) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "fake", **fields}
    return f"data: {json.dumps(chunk)}\n\n".encode()


@asynccontextmanager
async def serving(fake: FakeOpenAI, port: int = 0) -> AsyncIterator[str]:
    """Serve on a loopback port, a free one by default; the value is the base URL for a client."""
    runner = web.AppRunner(fake.app(), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def endpoint_process(mode: Mode, *, pause_seconds: float = FakeOpenAI.pause_seconds) -> AsyncIterator[str]:
    """Serve from a process of its own; the value is the base URL for a client."""
    command = [sys.executable, "-m", "tests.spirit.fake_openai"]
    command += ["--mode", mode.value, "--pause-seconds", str(pause_seconds)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.FAST)
    parser.add_argument("--pause-seconds", type=float, default=0.05)
    asked = parser.parse_args()
    async with serving(FakeOpenAI(mode=asked.mode, pause_seconds=asked.pause_seconds), asked.port) as base_url:
        print(base_url, flush=True)  # noqa: T201 - a starter reads the address from here
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
