"""The raw WebSocket, the curl lines, and the least browser page."""

from __future__ import annotations

import functools
import http.server
import threading
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright, expect

from tests.clients.conftest import EXAMPLES, Run, python
from tests.services.debian import ensure_program
from tests.services.processes import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


async def test_raw_frames_come_in_the_order_of_the_original(server: ServerProcess, run: Run) -> None:
    ran = await run(*python("raw.py"), "--url", server.url, "Is anybody there?")
    assert ran.status == 0, ran.err
    events = [line.split()[0] for line in ran.lines()]
    assert events[:2] == ["message_received", "spirit_thinking"]
    assert events[-2:] == ["message_received", "spirit_finished"]
    assert set(events[2:-2]) == {"spirit_delta"}


async def test_every_curl_line_succeeds(server: ServerProcess, run: Run) -> None:
    ensure_program("curl", "curl")
    ran = await run("sh", EXAMPLES / "curl.sh", server.url)
    assert ran.status == 0, ran.out[-2000:] + ran.err
    assert ran.out.count('"success":true') >= 11
    assert '"is_active":false' in ran.out


async def test_curl_lines_stop_at_the_first_error(run: Run, server: ServerProcess) -> None:
    ensure_program("curl", "curl")
    ran = await run("sh", EXAMPLES / "curl.sh", f"{server.url}/nowhere")
    assert ran.status != 0


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The browser example on an origin of its own, as a developer serves it."""
    handler = functools.partial(Quiet, directory=str(EXAMPLES / "browser"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages:
        thread = threading.Thread(target=pages.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{pages.server_port}"
        pages.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


async def test_the_least_page_chats_from_another_origin(elsewhere: str, chromium_path: Path, run: Run) -> None:
    async with (
        ServerProcess(RATE_LIMITS="off", CORS_ORIGINS=elsewhere) as server,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = await browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(f"{elsewhere}/?server={server.url}&name=Ada")
        await expect(page.locator("#status")).to_contain_text("You are Ada")
        await page.fill("#text", "Is anybody there?")
        await page.press("#text", "Enter")
        await expect(page.locator("#log li").first).to_have_text("Ada: Is anybody there?")
        await expect(page.locator("#log li").nth(1)).to_contain_text("Spirit: ", timeout=20_000)
        session = (await page.locator("#status").inner_text()).rsplit("=", 1)[1]
        ran = await run(
            *python("chat.py"), "--url", server.url, "--session", session, "--name", "Ben", "--once", "I am"
        )
        assert ran.status == 0, ran.err
        await expect(page.locator("#log")).to_contain_text("Ben: I am")
        assert faults == []
        await browser.close()
