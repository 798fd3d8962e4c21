"""The first look at a request: is it Engine.IO, and which of its kinds."""

from __future__ import annotations

from dataclasses import dataclass
from random import randint
from typing import TYPE_CHECKING

from .takeover import is_upgrade

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp import web

PROTOCOL_VERSION = "4"
RETRY_AFTER_SECONDS = (1, 5)


class Rejection(Exception):  # noqa: N818 - an answer, not a failure
    """Raised to answer a request with an error; `code` is Engine.IO's number for it."""

    def __init__(self, code: int, message: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers


def unknown_transport() -> Rejection:
    """For a transport the server does not have."""
    return Rejection(0, "Transport unknown")


def unknown_sid() -> Rejection:
    """For a connection that does not exist, or no more."""
    return Rejection(1, "Session ID unknown")


def bad_method() -> Rejection:
    """For a handshake by another method than GET, or a method with no meaning here."""
    return Rejection(2, "Bad handshake method")


def bad_request() -> Rejection:
    """For anything else that is no Engine.IO."""
    return Rejection(3, "Bad request")


def forbidden(message: str, status: int = 403) -> Rejection:
    """For what the server will not do for this client."""
    return Rejection(4, message, status)


def shutting_down() -> Rejection:
    """For who comes when the server goes; clients, and proxies, try again or elsewhere."""
    # Spread, so that not all come back in the same second.
    return Rejection(4, "Server is shutting down", 503, {"Retry-After": str(randint(*RETRY_AFTER_SECONDS))})  # noqa: S311


def unsupported_version() -> Rejection:
    """For another version of Engine.IO."""
    return Rejection(5, "Unsupported protocol version")


@dataclass(slots=True)
class Knock:
    """A request that may be answered: its transport, and the connection it names."""

    websocket: bool
    sid: str | None


def read_knock(request: web.Request, transports: Sequence[str]) -> Knock:
    """What a request asks for; Rejection for what is no Engine.IO."""
    query = request.query
    transport = query.get("transport")
    if transport not in transports:
        raise unknown_transport()
    if "j" in query:
        raise bad_request()
    sid = query.get("sid")
    websocket = transport == "websocket"
    if websocket and not is_upgrade(request):
        raise bad_request()
    if request.method not in {"GET", "POST"}:
        raise bad_method()
    if sid is None and request.method != "GET":
        raise bad_method()
    # A poll names its connection, which has a version; everything that opens one must say it.
    if (sid is None or websocket) and query.get("EIO") != PROTOCOL_VERSION:
        raise unsupported_version()
    return Knock(websocket, sid)
