"""The pages as a reader's browser shows them: whole, quiet, and asking nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import async_playwright, expect

from server.rest.pages import add_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

SHOWN_MS = 20_000
PHONE = {"width": 360, "height": 780}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
async def origin() -> AsyncIterator[str]:
    app = web.Application()
    add_pages(app)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture(scope="module")
async def browser(chromium_path: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield found
        await found.close()


class Witness:
    """Notes what a page complains of and whom it asks."""

    def __init__(self, page: Page, origin: str) -> None:
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self._origin = origin
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("request", lambda request: self._see(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _see(self, url: str) -> None:
        if not url.startswith((f"{self._origin}/", "data:")):
            self.foreign.append(url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/docs", "Create a session"),
        ("/redoc", "Clients pass over fields they do not know"),
        ("/docs/events", "The server sends"),
    ],
)
async def test_a_page_shows_itself_without_complaint_and_without_asking_others(
    browser: Browser, origin: str, path: str, shown: str, size: dict[str, int], scheme: str
) -> None:
    page = await browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type] # both are literals
    witness = Witness(page, origin)
    await page.goto(origin + path)
    await expect(page.get_by_text(shown).first).to_be_attached(timeout=SHOWN_MS)
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.close()
    assert witness.complaints == []
    assert witness.foreign == []


async def test_a_page_that_asks_others_or_runs_inline_code_would_be_seen(browser: Browser, origin: str) -> None:
    page = await browser.new_page()
    witness = Witness(page, origin)
    await page.goto(f"{origin}/docs/events")
    await page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://example.invalid/x.png'}))")
    await expect(page.locator("img")).to_be_attached()
    await page.wait_for_load_state("networkidle")
    await page.close()
    assert witness.foreign == ["https://example.invalid/x.png"]
    assert "Content Security Policy" in witness.complaints[0]


async def test_redoc_finds_what_is_searched_for(browser: Browser, origin: str) -> None:
    page = await browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    witness = Witness(page, origin)
    await page.goto(f"{origin}/redoc")
    await expect(page.get_by_text("Clients pass over").first).to_be_visible(timeout=SHOWN_MS)
    await page.keyboard.press("Control+k")
    await page.get_by_placeholder("Search").last.fill("token")
    await expect(page.get_by_text("Make a token for a session").last).to_be_visible(timeout=SHOWN_MS)
    await page.close()
    assert witness.complaints == []
    assert witness.foreign == []


async def test_swagger_ui_sends_what_a_reader_tries(browser: Browser, origin: str) -> None:
    page = await browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    await page.goto(f"{origin}/docs#/health/read_liveness")
    await expect(page.get_by_role("button", name="Execute")).to_be_visible(timeout=SHOWN_MS)
    async with page.expect_request(f"{origin}/health/live") as request:
        await page.get_by_role("button", name="Execute").click()
    assert (await request.value).method == "GET"
    await page.close()


async def test_the_contents_of_the_event_reference_are_folded_on_a_phone_only(browser: Browser, origin: str) -> None:
    for size, folded in ((DESK, False), (PHONE, True)):
        page = await browser.new_page(viewport=size)  # type: ignore[arg-type]
        await page.goto(f"{origin}/docs/events")
        assert (await page.locator("details.contents").get_attribute("open") is None) == folded
        await page.close()
