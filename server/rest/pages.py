"""The documents over HTTP: OpenAPI, AsyncAPI, and the pages that show them, with assets of our own."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import ETag, hdrs, web

from server import VERSION

DOCS: Final = Path(__file__).resolve().parent.parent / "web" / "docs"
YEAR_SECONDS: Final = 365 * 86_400

# No inline script or style, and nothing from elsewhere; Swagger UI draws its icons from data: addresses.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# ReDoc has a font in itself, and makes empty style elements that it fills by script: the hash is that of no text.
REDOC_POLICY: Final = (
    f"{CONTENT_SECURITY_POLICY}; font-src 'self' data:; "
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
)
SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Document:
    """A text that is built on its first request, in a thread, and kept from then on."""

    build: Callable[[], str]
    media_type: str
    _body: bytes = b""
    _tag: str = ""
    _building: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def answer(self, request: web.Request) -> web.Response:
        """Return the document, or 304 to a client that has it."""
        async with self._building:
            if not self._body:
                self._body = (await asyncio.to_thread(self.build)).encode()
                self._tag = hashlib.sha256(self._body).hexdigest()[:32]
        fresh = any(tag.value in (self._tag, "*") for tag in request.if_none_match or ())
        response = web.Response(status=304) if fresh else web.Response(body=self._body, content_type=self.media_type)
        if not fresh:
            response.charset = "utf-8"
        response.etag = ETag(self._tag)
        _secure(response, "no-cache")
        return response


def add_pages(app: web.Application) -> None:
    """Add the documents, the pages that show them, and `/assets/` to an application."""
    documents = {
        "/openapi.json": Document(_openapi, "application/json"),
        "/asyncapi.json": Document(_asyncapi, "application/json"),
        "/docs/events": Document(_event_reference, "text/html"),
    }
    for path, document in documents.items():
        app.router.add_get(path, document.answer)
    app.router.add_get("/docs", _file(DOCS / "swagger.html", "no-cache"))
    app.router.add_get("/redoc", _file(DOCS / "redoc.html", "no-cache", REDOC_POLICY))
    for asset in assets():
        app.router.add_get(f"/assets/{asset}", _file(DOCS / asset, _cache_control(asset)))


def assets() -> list[str]:
    """Return the files below `/assets/`, by their path there."""
    found = (path for path in DOCS.rglob("*") if path.suffix in {".css", ".js", ".svg", ".txt"})
    return sorted(path.relative_to(DOCS).as_posix() for path in found)


def _cache_control(asset: str) -> str:
    """Let what others made be kept for a year: its folder is named after its version."""
    return f"public, max-age={YEAR_SECONDS}, immutable" if "/" in asset else "no-cache"


def _file(path: Path, cache_control: str, policy: str = CONTENT_SECURITY_POLICY) -> Handler:
    async def answer(_: web.Request) -> web.FileResponse:
        # The kernel sends the file: megabytes of scripts cost the rooms nothing.
        response = web.FileResponse(path)
        _secure(response, cache_control, policy)
        return response

    return answer


def _secure(response: web.StreamResponse, cache_control: str, policy: str = CONTENT_SECURITY_POLICY) -> None:
    response.headers.update(SECURITY_HEADERS)
    response.headers["Content-Security-Policy"] = policy
    response.headers[hdrs.CACHE_CONTROL] = cache_control


# The builders import late: apispec costs a tenth of a second that a start does not have to pay.


def _openapi() -> str:
    from server.protocol.openapi import build_openapi  # noqa: PLC0415 - see above

    return json.dumps(build_openapi(VERSION), ensure_ascii=False)


def _asyncapi() -> str:
    from server.protocol.asyncapi import build_asyncapi  # noqa: PLC0415 - see above

    return json.dumps(build_asyncapi(VERSION), ensure_ascii=False)


def _event_reference() -> str:
    from server.rest.reference import event_reference  # noqa: PLC0415 - see above

    return event_reference()
