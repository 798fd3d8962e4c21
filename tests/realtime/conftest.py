"""Clients of the two doors; every event that a JavaScript client saw is held to the list of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.protocol.events import check_event
from tests.rest.serving import api, api_on_both, closed_api, http, logged, open_api, tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.services.js_client import JsClient, JsEvent

__all__ = ["api", "api_on_both", "closed_api", "http", "logged", "open_api", "tokens"]

OWN = frozenset({"connect", "disconnect", "connect_error"})


@pytest.fixture(name="js")
async def checked_js(js: JsClient) -> AsyncIterator[JsClient]:
    """The Node process of one test; at its end, everything its sockets saw is checked."""
    yield js
    for socket in js._sockets.values():
        for event in socket.events:
            if event.name not in OWN and not event.name.startswith("$"):
                check(event)


def check(event: JsEvent) -> None:
    said, *offset = event.args
    check_event(event.name, said)
    if event.name == "message_received":
        assert offset in ([], [str(said["seq"])])
    else:
        assert offset == []


def pytest_make_parametrize_id(val: Any) -> str | None:
    return "+".join(val) if isinstance(val, list) and all(isinstance(part, str) for part in val) else None
