"""One list of origins for REST, Socket.IO and the raw door; and our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import WSServerHandshakeError

from server.moments import new_id

if TYPE_CHECKING:
    from tests.rest.api import Api
    from tests.rest.serving import Open

LISTED = "https://page.example"
OTHERS = (
    "https://evil.example",
    "https://page.example.evil.example",
    "http://page.example",
    "null",
    "https://page.example:444",
)


@pytest.fixture
async def guarded(open_api: Open) -> Api:
    return await open_api(CORS_ORIGINS=f"{LISTED},http://localhost:3000")


def asking(origin: str, method: str = "POST") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,x-request-id",
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/sessions"), ("GET", "/api/sessions"), ("PATCH", "/api/sessions/x"),
        ("DELETE", "/api/sessions/x"),
        ("POST", "/api/sessions/x/messages"), ("POST", "/api/sessions/x/tokens"), ("GET", "/health"),
    ],
)  # fmt: skip
async def test_a_listed_origin_may_ask_for_every_call(guarded: Api, method: str, path: str) -> None:
    async with guarded.http.options(f"{guarded.url}{path}", headers=asking(LISTED, method)) as answer:
        assert answer.status in {200, 204}
        assert answer.headers["Access-Control-Allow-Origin"] == LISTED
        assert method in answer.headers["Access-Control-Allow-Methods"]
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key", "x-request-id"))


@pytest.mark.parametrize("origin", OTHERS)
async def test_another_origin_may_not(guarded: Api, origin: str) -> None:
    async with guarded.http.options(f"{guarded.url}/api/sessions", headers=asking(origin)) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    made = await guarded.post("/api/sessions", {"name": "x"}, headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in made.headers


async def test_errors_can_be_read_by_a_listed_origin(guarded: Api) -> None:
    for reply in (
        await guarded.post("/api/sessions", {"name": ""}, headers={"Origin": LISTED}),
        await guarded.call("GET", f"/api/sessions/{new_id()}", headers={"Origin": LISTED}),
        await guarded.post("/api/sessions", {"name": "x"}, headers={"Origin": LISTED}),
    ):
        assert reply.headers["Access-Control-Allow-Origin"] == LISTED
        exposed = reply.headers["Access-Control-Expose-Headers"].lower()
        assert all(name in exposed for name in ("x-request-id", "location", "retry-after"))


@pytest.mark.parametrize("origin", [LISTED, "http://localhost:3000", None, "our own"])
async def test_both_doors_open_to_listed_origins_and_our_own(guarded: Api, origin: str | None) -> None:
    said = guarded.url if origin == "our own" else origin
    headers = {} if said is None else {"Origin": said}
    async with guarded.http.get(f"{guarded.url}/socket.io/?EIO=4&transport=polling", headers=headers) as answer:
        assert answer.status == 200
        if said is not None and said != guarded.url:
            assert answer.headers["Access-Control-Allow-Origin"] == said
    for path in ("/socket.io/?EIO=4&transport=websocket", f"/ws/{new_id()}"):
        async with guarded.http.ws_connect(f"{guarded.url}{path}", headers=headers) as socket:
            assert not socket.closed


@pytest.mark.parametrize("origin", OTHERS)
async def test_both_doors_stay_shut_to_others(guarded: Api, origin: str) -> None:
    headers = {"Origin": origin}
    async with guarded.http.get(f"{guarded.url}/socket.io/?EIO=4&transport=polling", headers=headers) as answer:
        assert 400 <= answer.status < 500
        assert "Access-Control-Allow-Origin" not in answer.headers
    for path in ("/socket.io/?EIO=4&transport=websocket", f"/ws/{new_id()}"):
        with pytest.raises(WSServerHandshakeError) as refused:
            await guarded.http.ws_connect(f"{guarded.url}{path}", headers=headers)
        assert 400 <= refused.value.status < 500


async def test_the_default_list_is_that_of_the_contract(api: Api) -> None:
    for origin in ("http://localhost:3000", "http://localhost:3001"):
        async with api.http.options(f"{api.url}/api/sessions", headers=asking(origin)) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == origin


async def test_a_listed_origin_can_read_every_answer(guarded: Api) -> None:
    for method, path in (("GET", "/nothing"), ("PUT", "/api/sessions"), ("GET", "/openapi.json")):
        for origin, told in ((LISTED, LISTED), (OTHERS[0], None)):
            async with guarded.http.request(method, f"{guarded.url}{path}", headers={"Origin": origin}) as answer:
                assert answer.headers.get("Access-Control-Allow-Origin") == told, path


async def test_caches_are_told_that_answers_differ_by_origin(guarded: Api) -> None:
    for headers in ({}, {"Origin": LISTED}, {"Origin": OTHERS[0]}):
        for path in ("/api/sessions", "/health", "/nothing", "/socket.io/?EIO=4&transport=polling"):
            async with guarded.http.get(f"{guarded.url}{path}", headers=headers) as answer:
                said = [value for value in answer.headers.getall("Vary", []) if value == "Origin"]
                assert len(said) == 1, (path, headers)


async def test_options_without_a_question_about_origins_tells_the_methods(guarded: Api) -> None:
    async with guarded.http.options(f"{guarded.url}/api/sessions") as answer:
        assert answer.status == 204
        assert set(answer.headers["Allow"].split(",")) == {"GET", "HEAD", "OPTIONS", "POST"}
    async with guarded.http.options(f"{guarded.url}/api/sessions", headers=asking(OTHERS[0])) as answer:
        refused = (await answer.json())["error"]
        assert (answer.status, refused["code"]) == (403, "FORBIDDEN")
        assert "token" not in refused["message"]
