"""Who may do what by REST while tokens are asked for; and what tokens do while they are not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from server.domain import Role, SessionId
from server.moments import new_id
from tests.rest.serving import SECRET

if TYPE_CHECKING:
    from server.auth import Tokens
    from tests.rest.api import Api, Reply

CALLS = {
    "create": ("POST", "/api/sessions", {"name": "x"}),
    "list": ("GET", "/api/sessions", None),
    "read": ("GET", "/api/sessions/{}", None),
    "history": ("GET", "/api/sessions/{}/messages", None),
    "users": ("GET", "/api/sessions/{}/users", None),
    "post": ("POST", "/api/sessions/{}/messages", {"message": "hi", "user_name": "Ada"}),
    "change": ("PATCH", "/api/sessions/{}", {"name": "y"}),
    "mint": ("POST", "/api/sessions/{}/tokens", {}),
    "end": ("DELETE", "/api/sessions/{}", None),
}
READING = {"read", "history", "users"}
MAY = {
    Role.SERVICE: set(CALLS),
    Role.HOST: READING | {"post", "change", "mint", "end"},
    Role.MEMBER: READING | {"post"},
    Role.OBSERVER: READING,
}


def token_for(tokens: Tokens, role: Role, session_id: str | None = None, **more: Any) -> str:
    where = None if session_id is None else SessionId(session_id)
    wanted: dict[str, Any] = {"lifetime_seconds": 60, "user_name": "Ada"} | more
    return tokens.issue(role, **wanted, session_id=where)[0]


async def called(api: Api, name: str, session_id: str) -> Reply:
    method, path, said = CALLS[name]
    return await (
        api.call(method, path.format(session_id)) if said is None else api.call(method, path.format(session_id), said)
    )


async def a_session(api: Api, tokens: Tokens) -> str:
    return await api.bearing(token_for(tokens, Role.SERVICE)).session()


@pytest.mark.parametrize("role", Role)
async def test_each_role_may_do_what_it_may(closed_api: Api, tokens: Tokens, role: Role) -> None:
    session_id = await a_session(closed_api, tokens)
    bearer = closed_api.bearing(token_for(tokens, role, None if role is Role.SERVICE else session_id))
    met = {name: (await called(bearer, name, session_id)).code for name in CALLS}
    assert met == {name: "OK" if name in MAY[role] else "FORBIDDEN" for name in CALLS}


async def test_a_stranger_may_nothing(closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    for name in CALLS:
        refused = await called(closed_api, name, session_id)
        assert (refused.status, refused.code) == (401, "UNAUTHORIZED"), name
        assert refused.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("role", Role)
async def test_a_token_of_another_session_is_forbidden(closed_api: Api, tokens: Tokens, role: Role) -> None:
    session_id = await a_session(closed_api, tokens)
    foreign = closed_api.bearing(token_for(tokens, role, new_id()))
    assert {(await called(foreign, name, session_id)).code for name in CALLS} == {"FORBIDDEN"}


def forged(claims: dict[str, Any], secret: str = SECRET, alg: str = "HS256") -> str:
    whole = {"aud": "seance", "sub": "ada", "role": "service", "iat": int(time.time()), "jti": new_id()}
    whole |= {"exp": int(time.time()) + 60} | claims
    kept = {name: value for name, value in whole.items() if value is not ...}
    return jwt.encode({"alg": alg}, kept, OctKey.import_key(secret), algorithms=[alg])


BAD_CLAIMS: list[dict[str, Any]] = [
    *({name: ...} for name in ("aud", "sub", "role", "iat", "jti", "exp")),
    {"aud": "other"}, {"aud": ["other"]}, {"exp": int(time.time()) - 60}, {"exp": int(time.time()) - 1}, {"exp": "x"},
    {"exp": 10**30}, {"exp": 10**17}, {"exp": 1e300}, {"exp": -1}, {"iat": int(time.time()) + 10**6},
    {"nbf": int(time.time()) + 10**6},
    {"role": "king"}, {"role": ["service"]}, {"role": None}, {"role": "host"}, {"sub": ""}, {"sub": "x" * 65},
    {"sub": 5}, {"sub": "a\x00"}, {"session_id": 5}, {"session_id": "x"}, {"session_id": ""}, {"name": "x" * 33},
    {"name": "a\x00b"}, {"name": ""}, {"name": 5}, {"max_uses": "x"}, {"max_uses": 1.5}, {"max_uses": []}, {"jti": ""},
    {"jti": 5}, {"jti": "x" * 500}, {"jti": "\x00"},
]  # fmt: skip


async def test_a_token_whose_claims_do_not_hold_is_refused(closed_api: Api) -> None:
    assert (await closed_api.bearing(forged({})).get("/api/sessions")).status == 200
    assert (await closed_api.bearing(forged({"aud": ["x", "seance"]})).get("/api/sessions")).status == 200
    for claims in BAD_CLAIMS:
        refused = await closed_api.bearing(forged(claims)).get("/api/sessions")
        assert refused.code == "UNAUTHORIZED", claims


async def test_a_forged_token_is_refused(closed_api: Api) -> None:
    head, body, signature = forged({}).split(".")
    unsigned = "eyJhbGciOiJub25lIn0"
    bad = [
        "", "x", "a.b.c", "..", f"{head}.{body}.", f"{head}.{body}", f"{unsigned}.{body}.",
        f"{unsigned}.{body}.{signature}",
        f"{head}.{body}.{signature[:-2]}", f"{head}.{body[:-2]}.{signature}",
        forged({}, "another-secret-of-thirty-two-bytes"),
        forged({}, alg="HS512"), "x" * 8_000, f"{head}.{body}.{signature}.{signature}",
    ]  # fmt: skip
    for token in bad:
        assert (await closed_api.bearing(token).get("/api/sessions")).code == "UNAUTHORIZED", token[:60]


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Token x", "bearer "])
async def test_another_scheme_is_no_token(closed_api: Api, header: str) -> None:
    refused = await closed_api.call("GET", "/api/sessions", headers={"Authorization": header})
    assert refused.code == "UNAUTHORIZED"


async def test_a_host_token_comes_with_a_session_and_rules_it(closed_api: Api, tokens: Tokens) -> None:
    made = await closed_api.bearing(token_for(tokens, Role.SERVICE)).post("/api/sessions", {"name": "x"})
    host = closed_api.bearing(made.data["host_token"])
    path = f"/api/sessions/{made.data['id']}"
    assert (await host.call("PATCH", path, {"max_users": 3})).data["max_users"] == 3
    assert "host_token" not in (await host.get(path)).data
    assert (await host.post("/api/sessions", {"name": "y"})).code == "FORBIDDEN"
    assert (await host.call("DELETE", path)).status == 200


async def test_a_made_token_says_who_speaks(closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    host = closed_api.bearing(token_for(tokens, Role.HOST, session_id))
    wanted = {"role": "member", "user_id": "ben", "user_name": "Ben", "expires_in": 60}
    made = await host.post(f"/api/sessions/{session_id}/tokens", wanted)
    assert made.status == 201
    assert made.data == made.data | {"role": "member", "session_id": session_id}
    ben = closed_api.bearing(made.data["token"])
    said = await ben.say(session_id, "it is me", name="Ada")
    assert (said.data["user_id"], said.data["user_name"]) == ("ben", "Ben")
    unnamed = await ben.post(f"/api/sessions/{session_id}/messages", {"message": "still me"})
    assert unnamed.data["user_id"] == "ben"
    assert (await ben.say(session_id, "as ada", user_id="ada")).code == "FORBIDDEN"


async def test_a_service_may_name_anyone(closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    service = closed_api.bearing(token_for(tokens, Role.SERVICE, user_name=None))
    said = await service.say(session_id, "for Ben", name="Ben", user_id="ben")
    assert (said.data["user_id"], said.data["user_name"]) == ("ben", "Ben")
    assert (await service.say(session_id, "as it", name="Spirit", user_id="spirit")).code == "VALIDATION_ERROR"


async def test_a_token_for_the_spirit_cannot_speak(closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    spirit = closed_api.bearing(token_for(tokens, Role.MEMBER, session_id, user_id="spirit"))
    assert (await spirit.say(session_id, "boo")).code == "VALIDATION_ERROR"


async def test_a_token_is_good_for_as_many_uses_as_it_says(closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    twice = closed_api.bearing(token_for(tokens, Role.MEMBER, session_id, max_uses=2))
    assert [(await twice.say(session_id, "x")).code for _ in range(3)] == ["OK", "OK", "UNAUTHORIZED"]


async def test_the_same_post_again_uses_nothing(closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    once = closed_api.bearing(token_for(tokens, Role.MEMBER, session_id, max_uses=1))
    path, said = f"/api/sessions/{session_id}/messages", {"message": "x", "client_message_id": "k"}
    first, again = await once.post(path, said), await once.post(path, said)
    assert (again.status, again.data) == (201, first.data)
    assert (await once.post(path, said | {"client_message_id": "l"})).code == "UNAUTHORIZED"


async def test_a_token_that_is_used_up_makes_no_other(closed_api: Api, tokens: Tokens) -> None:
    session_id = await a_session(closed_api, tokens)
    host = closed_api.bearing(token_for(tokens, Role.HOST, session_id, max_uses=1))
    path = f"/api/sessions/{session_id}/tokens"
    assert (await host.post(path, {"role": "member"})).status == 201
    assert (await host.say(session_id, "x")).status == 201
    assert (await host.post(path, {"role": "host"})).code == "UNAUTHORIZED"


async def test_while_tokens_are_not_asked_for_anyone_may_do_anything(api: Api) -> None:
    session_id = await api.session()
    assert {(await called(api, name, session_id)).code for name in CALLS} == {"OK"}


async def test_while_tokens_are_not_asked_for_a_token_still_binds(open_api: Any, tokens: Tokens) -> None:
    api: Api = await open_api(JWT_SECRET=SECRET)
    session_id = await api.session()
    observer = api.bearing(token_for(tokens, Role.OBSERVER, session_id))
    assert (await observer.say(session_id, "x")).code == "FORBIDDEN"
    foreign = api.bearing(token_for(tokens, Role.HOST, new_id()))
    assert (await foreign.get(f"/api/sessions/{session_id}")).code == "FORBIDDEN"
    assert (await api.bearing("nonsense").get("/api/sessions")).code == "UNAUTHORIZED"
