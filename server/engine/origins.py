"""Which web pages may connect: one rule for polling, WebSockets and their headers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import web

    from .addresses import Addresses

Allowed = str | Sequence[str] | Callable[..., bool] | None


class Origins:
    """The origin rule of a server.

    A page of the server's own host is always allowed, and so is a request without `Origin`.
    `"*"` allows all, without credentials; an empty list allows no other page.
    """

    def __init__(self, allowed: Any, addresses: Addresses, *, credentials: bool = True) -> None:
        self._ask: Callable[..., bool] | None = allowed if callable(allowed) else None
        listed = [allowed] if isinstance(allowed, str) else allowed
        self._listed = frozenset() if listed is None or self._ask else frozenset(listed)
        self._addresses = addresses
        self._credentials = credentials

    def allow(self, request: web.BaseRequest) -> bool:
        """Whether the page that sent the request may connect."""
        origin = request.headers.get("Origin")
        if origin is None or "*" in self._listed or origin in self._listed:
            return True
        if self._ask is not None and self._ask(origin):
            return True
        return origin.partition("://")[2].lower() == self._own_host(request) != ""

    def _own_host(self, request: web.BaseRequest) -> str:
        headers = request.headers
        host = headers.get("Host", "")
        if self._addresses.trusts(request.remote or ""):
            host = headers.get("X-Forwarded-Host", host).split(",")[0].strip()
        return host.lower()

    def headers(self, request: web.BaseRequest) -> dict[str, str]:
        """The CORS headers of an answer to an allowed page."""
        origin = request.headers.get("Origin")
        if origin is None:
            return {}
        found = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        if "*" in self._listed:
            found = {"Access-Control-Allow-Origin": "*"}
        elif self._credentials:
            found["Access-Control-Allow-Credentials"] = "true"
        if request.method == "OPTIONS":
            found["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            asked = request.headers.get("Access-Control-Request-Headers")
            if asked:
                found["Access-Control-Allow-Headers"] = asked
        return found
