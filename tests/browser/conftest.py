"""Real Chromium, a real server, and people who sit down at its page."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests.services.processes import ServerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATIENCE_MS = 15_000
DESK = {"width": 1100, "height": 780}
PHONE = {"width": 360, "height": 740}
LOCAL = ("data", "blob", "about")

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Visitor:
    """One person's browser window, and everything it complained about or asked others for."""

    base: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", lambda request: self._requested(request.url))
        self.page.on("websocket", lambda socket: self._requested(socket.url))

    async def open(self, path: str = "/") -> None:
        await self.page.goto(self.base + path)

    async def start(self, name: str, title: str = "An evening", **_: object) -> str:
        """Starts a séance; the answer is its id."""
        await self.open()
        await self.page.fill("#name", name)
        await self.page.fill("#title", title)
        await self.page.click("#begin")
        await expect(self.page.locator("#people li")).not_to_have_count(0)
        return urlsplit(self.page.url).fragment

    async def join(self, session: str, name: str) -> None:
        await self.open(f"/#{session}")
        await self.page.fill("#name", name)
        await self.page.click("#begin")
        await expect(self.page.locator("#people li")).not_to_have_count(0)

    async def go(self) -> None:
        """Closes the window, before its server stops and it complains."""
        await self.page.close()

    async def say(self, text: str) -> None:
        await self.page.fill("#say", text)
        await self.page.press("#say", "Enter")

    async def lines(self, kind: str = "") -> list[str]:
        """What stands on the page in order, without names and times."""
        return await self.page.locator(f"#log .said{kind} .text").all_inner_texts()

    async def hears(self, text: str) -> None:
        await expect(self.page.locator("#log .said .text", has_text=text)).to_have_count(1)

    async def spirit_spoke(self) -> None:
        """Returns when the spirit has said something and is silent again."""
        await expect(self.page.locator("#log .said.spirit")).not_to_have_count(0)
        await expect(self.page.locator("#turn")).to_be_hidden()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"{message.type}: {message.text}")

    def _requested(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in LOCAL and address.netloc != urlsplit(self.base).netloc:
            self.faults.append(f"foreign: {url}")


class Visit(Protocol):
    """Opens a browser window of its own for one person; options are playwright's."""

    async def __call__(self, server: ServerProcess | None = None, **options: Any) -> Visitor: ...


@pytest.fixture(scope="session")
async def browser(chromium_path: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # Chromium refuses its sandbox to root, which is who runs tests in a container.
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def parlour() -> AsyncIterator[ServerProcess]:
    """A server that the browser tests share; one that stops or restarts a server starts its own."""
    async with ServerProcess(RATE_LIMITS="off") as server:
        yield server


@pytest.fixture
async def visit(browser: Browser, parlour: ServerProcess) -> AsyncIterator[Visit]:
    """Windows that are closed after the test, which fails if one complained or asked another server."""
    visitors: list[Visitor] = []
    async with AsyncExitStack() as stack:

        async def come(server: ServerProcess | None = None, **options: Any) -> Visitor:
            context = await browser.new_context(**({"viewport": DESK} | options))
            stack.push_async_callback(context.close)
            visitor = Visitor((server or parlour).url, context, await context.new_page())
            visitor.watch()
            visitors.append(visitor)
            return visitor

        yield come
    assert [fault for visitor in visitors for fault in visitor.faults] == []


@pytest.fixture
async def rest(parlour: ServerProcess) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(parlour.url) as http_client:
        yield http_client
