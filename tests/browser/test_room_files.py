"""How the page and its files are served."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from server.errors import SeanceError
from server.rest.room_page import add_room_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler

ROOM = Path(__file__).resolve().parents[2] / "server" / "web" / "room"

Client = TestClient[web.Request, web.Application]


@web.middleware
async def as_status(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except SeanceError as error:
        return web.Response(status=error.status)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application(middlewares=[as_status])
    add_room_page(app)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_every_file_that_the_page_names_is_served_with_its_type(client: Client) -> None:
    page = await (await client.get("/")).text()
    style = (ROOM / "room.css").read_text()
    named = re.findall(r'(?:href|src)="(/room/[^"]+)"', page) + re.findall(r'url\("([^"]+)"\)', style)
    imported = {f"/room/{path.name}" for path in ROOM.glob("*.js")} | {"/room/vendor/socket.io.esm.min.js"}
    assert len(named) >= 5
    for path in {*named, *imported}:
        answer = await client.get(path)
        assert answer.status == 200, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_type != "application/octet-stream"


async def test_the_policy_allows_nothing_inline_and_nothing_foreign(client: Client) -> None:
    policy = (await client.get("/")).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    page = (ROOM / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


async def test_a_known_etag_is_answered_304_without_a_body(client: Client) -> None:
    first = await client.get("/room/room.js")
    assert first.headers["Cache-Control"] == "no-cache"
    again = await client.get("/room/room.js", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert await again.read() == b""


async def test_only_the_client_library_may_be_loaded_by_other_origins(client: Client) -> None:
    shared = await client.get("/room/vendor/socket.io.esm.min.js")
    assert shared.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in shared.headers["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in (await client.get("/room/room.js")).headers


@pytest.mark.parametrize("path", ["/room/nothing.js", "/room/../../errors.py", "/room/%2e%2e/%2e%2e/errors.py"])
async def test_anything_else_is_not_found(client: Client, path: str) -> None:
    url = URL(path, encoded=True)
    assert (await client.get(url)).status == 404


async def test_no_text_of_the_page_is_built_as_markup() -> None:
    for path in ROOM.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", path.read_text()), (
            path.name
        )


GROUNDS = ("ground", "panel", "mine")
TEXTS = ("ink", "faint", "flame", "ghost", "alarm")
LEAST_CONTRAST = 4.5


def palettes() -> dict[str, dict[str, str]]:
    """The colours by name, with the six voices, in the dark and in the light."""
    style = (ROOM / "room.css").read_text()
    first, second = (
        re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block) for block in re.findall(r"(?s):root \{.*?\}", style)
    )
    voices = re.findall(r'\[data-hue="\d"\] \{ --who: (#[0-9a-f]{6})', style)
    named = [[(f"voice{number}", colour) for number, colour in enumerate(half)] for half in (voices[:6], voices[6:])]
    return {"dark": dict([*first, *named[0]]), "light": dict([*first, *second, *named[1]])}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_text_colour_is_readable_on_every_ground(scheme: str) -> None:
    colours = palettes()[scheme]
    voices = [name for name in colours if name.startswith("voice")]
    assert len(voices) == 6
    pairs = [(text, ground) for text in (*TEXTS, *voices) for ground in GROUNDS] + [("on-flame", "flame")]
    for text, ground in pairs:
        lighter, darker = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= LEAST_CONTRAST, f"{text} on {ground}"
