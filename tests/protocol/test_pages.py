"""The documents over HTTP: headers, caching, and nothing but what is meant to be read."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.errors import catalogue
from server.protocol.events import EVENTS, INBOUND
from server.rest.pages import DOCS, add_pages, assets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGES = ("/docs", "/redoc", "/docs/events")
SCHEMAS = ("/openapi.json", "/asyncapi.json")

Client = TestClient[web.Request, web.Application]


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    add_pages(app)
    async with TestClient(TestServer(app)) as found:
        yield found


@pytest.mark.parametrize("path", PAGES)
async def test_pages_are_html_under_a_policy_that_allows_no_inline_code(client: Client, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'; img-src 'self' data:")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", SCHEMAS)
async def test_schemas_are_bare_json_that_clients_may_keep(client: Client, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.content_type == "application/json"
        document = json.loads(await answer.read())
        assert {"openapi", "asyncapi"} & set(document)
        tag = answer.headers["ETag"]
    async with client.get(path, headers={"If-None-Match": tag}) as again:
        assert again.status == 304
        assert await again.read() == b""
        assert again.headers["ETag"] == tag
    async with client.get(path, headers={"If-None-Match": '"other"'}) as other:
        assert other.status == 200


@pytest.mark.parametrize("asset", assets())
async def test_assets_are_served_with_their_type(client: Client, asset: str) -> None:
    types = {"css": "text/css", "js": "javascript", "svg": "image/svg+xml", "txt": "text/plain"}
    async with client.get(f"/assets/{asset}") as answer:
        assert answer.status == 200
        assert types[asset.rpartition(".")[2]] in answer.headers["Content-Type"]
        kept = "immutable" in answer.headers["Cache-Control"]
        assert kept == ("/" in asset)
        assert await answer.read() == (DOCS / asset).read_bytes()


@pytest.mark.parametrize("path", ["swagger.html", "..%2f..%2frest%2fpages.py", "redoc-3.0.1/", "none.js"])
async def test_nothing_else_is_served_as_an_asset(client: Client, path: str) -> None:
    async with client.get(f"/assets/{path}") as answer:
        assert answer.status == 404


class Anchors(HTMLParser):
    """Collects ids, links, and the names of elements left open."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [value for key, value in attrs if key in {"href", "src", "spec-url"} and value]
        self.inline += [key for key in found if key.startswith("on") or key == "style"]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in found) else []
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def read(client: Client, path: str) -> Anchors:
    async with client.get(path) as answer:
        page = Anchors()
        page.feed(await answer.text())
        return page


async def test_the_event_reference_has_a_place_for_each_event_and_error(client: Client) -> None:
    page = await read(client, "/docs/events")
    expected = {f"server.{name}" for name in EVENTS} | {f"client.{name}" for name in INBOUND}
    assert expected | {f"error.{error.code}" for error in catalogue()} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("path", PAGES)
async def test_every_link_of_a_page_leads_somewhere_of_ours(client: Client, path: str) -> None:
    page = await read(client, path)
    assert page.open == []
    assert page.inline == []
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif link not in {"data:,", "/"}:  # the room is another's page
            async with client.get(link) as answer:
                assert answer.status == 200, link
