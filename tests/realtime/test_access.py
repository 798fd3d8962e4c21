"""Tokens at the two doors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from server.domain import Role, SessionId
from server.moments import new_id
from tests.realtime.joining import QUICK, acked, connected, faulted, heard, refused, said
from tests.realtime.raw_client import SEANCE, raw_door
from tests.rest.serving import CLOSED, SECRET

if TYPE_CHECKING:
    from server.auth import Tokens
    from tests.rest.api import Api
    from tests.rest.serving import Open
    from tests.services.js_client import JsClient, JsSocket


def token_for(tokens: Tokens, role: Role, session_id: str | None, **more: Any) -> str:
    where = None if session_id is None else SessionId(session_id)
    wanted: dict[str, Any] = {"lifetime_seconds": 60, "user_name": "Ada", "user_id": "ada"} | more
    return tokens.issue(role, **wanted, session_id=where)[0]


async def a_session(api: Api, tokens: Tokens) -> str:
    return await api.bearing(token_for(tokens, Role.SERVICE, None)).session()


async def entered(js: JsClient, api: Api, session_id: str, token: str, **more: Any) -> JsSocket:
    socket = await connected(js, api, auth={"session_id": session_id, "token": token, **more})
    await socket.wait("session_joined")
    return socket


async def raw_refusal(api: Api, session_id: str, first: dict[str, Any]) -> tuple[str, int | None]:
    async with raw_door(api, session_id) as raw:
        await raw.send(first)
        return await raw.error(), await raw.closed()


async def test_both_doors_ask_for_a_token(js: JsClient, closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    late = await connected(js, closed_api)
    foreign = token_for(tokens, Role.MEMBER, new_id())
    expired = token_for(tokens, Role.MEMBER, session_id, lifetime_seconds=-60)
    for token, code, close in (
        (None, "UNAUTHORIZED", 4401),
        ("nonsense", "UNAUTHORIZED", 4401),
        (expired, "UNAUTHORIZED", 4401),
        (foreign, "FORBIDDEN", 4403),
    ):
        held = {} if token is None else {"token": token}
        wish = {"session_id": session_id, "user_name": "Ada", **held}
        assert await refused(js, closed_api, wish) == code
        assert await faulted(late, "join_session", wish) == code
        assert await raw_refusal(closed_api, session_id, {"name": "Ada", **held}) == (code, close)


@pytest.mark.parametrize("role", [Role.HOST, Role.MEMBER, Role.OBSERVER])
async def test_the_token_says_who_joins(js: JsClient, closed_api: Api, tokens: Tokens, role: Role) -> None:
    session_id = await a_session(closed_api, tokens)
    token = token_for(tokens, role, session_id)
    person = {"user_id": "ada", "user_name": "Ada", "role": role}
    socket = await entered(js, closed_api, session_id, token, user_name="Somebody else")
    assert socket.named("session_joined")[0].args[0]["user"] == person
    async with raw_door(closed_api, session_id, SEANCE) as raw:
        await raw.send({"name": "Somebody else", "token": token})
        assert (await raw.frame())["data"]["user"] == person
        assert (
            await refused(js, closed_api, {"session_id": session_id, "token": token, "user_id": "ben"}) == "FORBIDDEN"
        )
        users = await closed_api.bearing(token).get(f"/api/sessions/{session_id}/users")
    assert users.data == [person]


async def test_an_observer_hears_and_may_not_send(js: JsClient, closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    observer = await entered(js, closed_api, session_id, token_for(tokens, Role.OBSERVER, session_id, user_id="obs"))
    member = await entered(js, closed_api, session_id, token_for(tokens, Role.MEMBER, session_id))
    for event, wish in (
        ("send_message", {"message": "x"}),
        ("typing", {"is_typing": True}),
        ("stop_spirit", {}),
        ("summon_spirit", {}),
    ):
        assert await faulted(observer, event, wish) == "FORBIDDEN"
    await said(member, "for all to hear")
    await heard(observer, "for all to hear")
    async with raw_door(closed_api, session_id) as raw:
        await raw.send({"token": token_for(tokens, Role.OBSERVER, session_id)})
        await raw.say("send_message", {"message": "x"})
        assert await raw.error() == "FORBIDDEN"
    assert await faulted(observer, "leave_session", {"now": 1}) == "VALIDATION_ERROR"
    await acked(observer, "leave_session", {})


async def test_a_service_may_join_as_anyone_but_the_spirit(js: JsClient, closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    service = token_for(tokens, Role.SERVICE, None)
    ben = await entered(js, closed_api, session_id, service, user_name="Ben", user_id="ben")
    assert ben.named("session_joined")[0].args[0]["user"] == {"user_id": "ben", "user_name": "Ben", "role": "member"}
    spirit = {"session_id": session_id, "token": service, "user_id": "spirit"}
    assert await refused(js, closed_api, spirit) == "VALIDATION_ERROR"
    as_spirit = token_for(tokens, Role.MEMBER, session_id, user_id="spirit")
    assert await refused(js, closed_api, {"session_id": session_id, "token": as_spirit}) == "VALIDATION_ERROR"


async def test_a_token_is_used_up_by_joins_but_not_by_coming_back(
    js: JsClient, closed_api: Api, tokens: Tokens
) -> None:
    session_id = await a_session(closed_api, tokens)
    once = token_for(tokens, Role.MEMBER, session_id, max_uses=1)
    ada = await entered(js, closed_api, session_id, once)
    for _ in range(2):
        await ada.drop()
        await ada.wait("disconnect")
        assert (await ada.wait("connect")).args[0]["recovered"] is True
    assert await refused(js, closed_api, {"session_id": session_id, "token": once}) == "UNAUTHORIZED"
    assert await raw_refusal(closed_api, session_id, {"token": once}) == ("UNAUTHORIZED", 4401)
    assert await said(ada, "still here") == 1


async def test_a_refused_join_costs_no_use_when_the_session_is_another(closed_api: Api, tokens: Tokens) -> None:
    session_id, other = await a_session(closed_api, tokens), await a_session(closed_api, tokens)
    once = token_for(tokens, Role.MEMBER, session_id, max_uses=1)
    assert await raw_refusal(closed_api, other, {"token": once}) == ("FORBIDDEN", 4403)
    async with raw_door(closed_api, session_id, SEANCE) as raw:
        await raw.send({"token": once})
        await raw.until("session_joined")


async def test_who_comes_back_is_checked_again(js: JsClient, open_api: Open, tokens: Tokens) -> None:
    api = await open_api(**CLOSED)
    session_id = await a_session(api, tokens)
    token = token_for(tokens, Role.MEMBER, session_id, lifetime_seconds=2)
    ada = await js.connect(
        api.url, transports=["websocket"], auth={"session_id": session_id, "token": token}, **QUICK, reconnection=False
    )
    expires = time.time() + 2
    await ada.drop()
    await ada.wait("disconnect")
    while time.time() < expires:
        await api.http.get(f"{api.url}/health/live")
    await ada.reconnect()
    assert (await ada.wait("connect_error")).args[0]["data"]["code"] == "UNAUTHORIZED"


async def test_a_pid_alone_opens_nothing(js: JsClient, closed_api: Api, tokens: Tokens) -> None:
    """What lets a client recover is no token: without one it stays out."""
    session_id = await a_session(closed_api, tokens)
    ada = await entered(js, closed_api, session_id, token_for(tokens, Role.MEMBER, session_id))
    await ada.drop()
    await ada.wait("disconnect")
    await ada.reconnect(auth={})
    outcome = await ada.wait("connect", "connect_error")
    if outcome.name == "connect_error":
        assert outcome.args[0]["data"]["code"] == "UNAUTHORIZED"


async def test_while_tokens_are_not_asked_for_ids_are_taken_at_their_word(
    js: JsClient, open_api: Open, tokens: Tokens
) -> None:
    api = await open_api(JWT_SECRET=SECRET)
    session_id = await api.session()
    anyone = await connected(
        js, api, auth={"session_id": session_id, "user_name": "Ada", "user_id": "any ïd \N{GHOST}"}
    )
    assert (await anyone.wait("session_joined")).args[0]["user"]["user_id"] == "any ïd \N{GHOST}"
    host = await entered(js, api, session_id, token_for(tokens, Role.HOST, session_id))
    assert host.named("session_joined")[0].args[0]["user"]["role"] == "host"
    assert await refused(js, api, {"session_id": session_id, "user_name": "x", "token": "nonsense"}) == "UNAUTHORIZED"
