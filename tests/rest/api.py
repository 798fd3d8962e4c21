"""A client of the REST calls that holds every answer to the envelope."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from server.errors import catalogue
from server.protocol import shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession
    from multidict import CIMultiDictProxy

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
STATUSES = {error.code: error.status for error in catalogue()}
NOTHING: Any = object()


@dataclass(frozen=True)
class Reply:
    """An answer whose envelope was checked."""

    status: int
    headers: CIMultiDictProxy[str]
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        assert self.body["success"], self.body
        return self.body["data"]

    @property
    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["meta"]
        return found

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["error"]
        return found

    @property
    def code(self) -> str:
        """The error's code, or `OK`."""
        return "OK" if self.body["success"] else str(self.error["code"])


@dataclass(frozen=True)
class Api:
    """The calls of one server, with a token or without."""

    http: ClientSession
    url: str
    token: str | None = None

    def bearing(self, token: str | None) -> Api:
        return Api(self.http, self.url, token)

    async def call(
        self,
        method: str,
        path: str,
        said: Any = NOTHING,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Reply:
        bearer = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        content: dict[str, Any] = {} if body is None else {"data": body, "skip_auto_headers": ("Content-Type",)}
        if said is not NOTHING:
            # Not json=: it would send no body for None, and each emoji as twelve characters.
            content = {"data": json.dumps(said, ensure_ascii=False).encode()}
            bearer["Content-Type"] = "application/json"
        async with self.http.request(
            method, f"{self.url}{path}", headers={**bearer, **(headers or {})}, params=query, **content
        ) as answer:
            reply = Reply(answer.status, answer.headers, await answer.json())
        check_envelope(reply)
        return reply

    async def get(self, path: str, **query: Any) -> Reply:
        return await self.call("GET", path, **query)

    async def post(self, path: str, said: Any = NOTHING, **options: Any) -> Reply:
        return await self.call("POST", path, said, **options)

    async def session(self, **settings: Any) -> str:
        """The id of a new session."""
        made = await self.post("/api/sessions", {"name": "Tuesday circle", **settings})
        assert made.status == 201, made.body
        return str(made.data["id"])

    async def say(self, session_id: str, message: str, name: str = "Ada", **more: Any) -> Reply:
        return await self.post(f"/api/sessions/{session_id}/messages", {"message": message, "user_name": name, **more})

    async def texts(self, session_id: str, **query: Any) -> list[str]:
        history = await self.get(f"/api/sessions/{session_id}/messages", **query)
        return [item["message"] for item in history.data]

    async def names(self, session_id: str) -> set[str]:
        users = await self.get(f"/api/sessions/{session_id}/users")
        return {user["user_name"] for user in users.data}


def check_envelope(reply: Reply) -> None:
    assert MOMENT.fullmatch(reply.meta["timestamp"])
    assert reply.headers["X-Request-ID"]
    if reply.body["success"]:
        assert reply.status < 400
        assert reply.body.keys() == {"success", "data", "meta"}
    else:
        assert reply.body.keys() == {"success", "error", "meta"}
        check_error(reply.error)
        assert reply.status == STATUSES[reply.error["code"]]


def check_error(error: Any) -> None:
    assert not shapes.ErrorShape().validate(error), error
