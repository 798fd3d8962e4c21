"""The room page at `/`, and the files it is made of under `/room/`."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from aiohttp import web

from server.errors import NotFound

# Own files keep their names when they change, so a browser asks each time; vendored ones carry a version.
OWN_CACHE: Final = "no-cache"
VENDORED_CACHE: Final = "public, max-age=86400"

CONTENT_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

# The Socket.IO client is there for any page of a developer's: a module from another origin needs this.
SHARED_HEADERS: Final[Mapping[str, str]] = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    body: bytes
    etag: str
    headers: Mapping[str, str]


ASSETS: Final = web.AppKey("room_assets", dict[str, Asset])


def add_room_page(app: web.Application) -> None:
    """Serve the page at `/` and its files at `/room/…`; they are read once, when the application starts."""
    app.on_startup.append(_read_assets)
    app.router.add_get("/", show_page)
    app.router.add_get("/room/{path:.+}", show_file)


async def show_page(request: web.Request) -> web.Response:
    """The room page."""
    return _answer(request, request.app[ASSETS]["index.html"])


async def show_file(request: web.Request) -> web.Response:
    """One of the page's files; raises `NotFound` for any other name."""
    asset = request.app[ASSETS].get(request.match_info["path"])
    if asset is None:
        raise NotFound
    return _answer(request, asset)


async def _read_assets(app: web.Application) -> None:
    app[ASSETS] = await asyncio.to_thread(_assets)


def _assets() -> dict[str, Asset]:
    room = files("server").joinpath("web", "room")
    return {path: _asset(path, file.read_bytes()) for path, file in _walk(room) if _suffix(path) in CONTENT_TYPES}


def _answer(request: web.Request, asset: Asset) -> web.Response:
    known = {tag.value for tag in request.if_none_match or ()}
    if asset.etag in known or "*" in known:
        answer = web.Response(status=304, headers=asset.headers)
    else:
        answer = web.Response(body=asset.body, headers=asset.headers)
    answer.etag = asset.etag
    return answer


def _asset(path: str, body: bytes) -> Asset:
    vendored = path.startswith(("vendor/", "fonts/"))
    headers = {
        "Content-Type": CONTENT_TYPES[_suffix(path)],
        "Cache-Control": VENDORED_CACHE if vendored else OWN_CACHE,
        **SECURITY_HEADERS,
        **(SHARED_HEADERS if path.startswith("vendor/") else {}),
    }
    return Asset(body, hashlib.sha256(body).hexdigest()[:32], headers)


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for child in folder.iterdir():
        if child.is_dir():
            yield from _walk(child, f"{prefix}{child.name}/")
        else:
            yield f"{prefix}{child.name}", child


def _suffix(path: str) -> str:
    return f".{path.rpartition('.')[2]}"
