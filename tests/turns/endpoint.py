"""The fake endpoint with a hand on it: a test decides when it speaks, and reads what it was asked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.spirit.fake_openai import FakeOpenAI, Mode, _event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

WAIT_SECONDS = 10.0


@dataclass
class HeldOpenAI(FakeOpenAI):
    """Answers `says`, piece by piece; keeps every answer before the piece with the index `hold` until `go`."""

    says: tuple[str, ...] = ()
    hold: int | None = None
    first_word_at: float = 0.0
    _going: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def go(self) -> None:
        """Lets the held answers, and all later ones, go on."""
        self.hold = None
        self._going.set()

    def hold_at(self, piece: int) -> None:
        """Keeps later answers before that piece."""
        self.hold = piece
        self._going.clear()

    async def asked(self, times: int, *, seconds: float = WAIT_SECONDS) -> None:
        """Returns once that many requests have come."""
        async with asyncio.timeout(seconds):
            while len(self.requests) < times:
                self._news.clear()
                await self._news.wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asyncio.get_running_loop().call_soon(self._news.set)
        return await super().answer(request)

    def prompts(self) -> list[list[tuple[str, str]]]:
        """For each request who said what, in its order."""
        return [said_in(request) for request in self.requests]

    async def _texts(self, mode: Mode) -> AsyncIterator[bytes]:
        if mode is not Mode.FAST or not self.says:
            async for chunk in super()._texts(mode):
                yield chunk
            return
        for index, text in enumerate(self.says):
            if index == self.hold:
                await self._going.wait()
            if index == 0:
                self.first_word_at = asyncio.get_running_loop().time()
            yield _event(delta={"content": text})


def said_in(request: dict[str, Any]) -> list[tuple[str, str]]:
    """Who said what in a request: the names of people, and `spirit` for the assistant."""
    said = []
    for message in request["messages"]:
        if message["role"] == "assistant":
            said.append(("spirit", message["content"]))
        elif message["role"] == "user":
            rows = [json.loads(row) for row in message["content"].split("\n")]
            said += [(row["name"], row["text"]) for row in rows if "seq" in row]
    return said
