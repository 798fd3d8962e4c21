"""What the bodies of the REST calls may hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.rest.api import Api

JSON = {"Content-Type": "application/json"}
GHOST = "\N{GHOST}"
BAD_NAMES: list[Any] = [
    "",
    " ",
    "\t",
    "x" * 101,
    GHOST * 101,
    "a\x00b",
    "a\nb",
    "a\u2028b",
    "\x7f",
    None,
    5,
    True,
    ["a"],
    {},
]
BAD_COUNTS: list[Any] = [0, -1, 10_001, "6", 6.5, True, None, [6], 10**30]
BAD_SPIRITS: list[Any] = [None, "every", [], {"answers": "always"}]
BAD_SESSIONS: list[tuple[str, dict[str, Any]]] = [
    *(("name", {"name": name}) for name in BAD_NAMES),
    ("name", {}),
    *(("max_users", {"name": "x", "max_users": bad}) for bad in BAD_COUNTS),
    ("colour", {"name": "x", "colour": "red"}),
    *(("spirit", {"name": "x", "spirit": bad}) for bad in BAD_SPIRITS),
    *(("spirit", {"name": "x", "spirit": {"overlap": bad}}) for bad in ("", 1, None, "MERGE")),
    *(("spirit", {"name": "x", "spirit": {"debounce_ms": bad}}) for bad in (-1, 10_001, "5", 0.5, False)),
    *(("spirit", {"name": "x", "spirit": {"name": bad}}) for bad in ("", "x" * 33, "a\nb", None)),
    *(("spirit", {"name": "x", "spirit": {"persona": bad}}) for bad in ("x" * 4001, "\x00", 7)),
    ("spirit", {"name": "x", "spirit": {"mood": "dark"}}),
]


async def refused_by_field(api: Api, path: str, table: Iterable[tuple[str, Any]], good: dict[str, Any]) -> None:
    """Each of the table's objects, put over a good one, is refused and names its one faulty field."""
    for field, said in table:
        refused = await api.post(path, good | said)
        assert refused.code == "VALIDATION_ERROR", (said, refused.body)
        assert list(refused.error["details"]) == [field], said
        assert refused.error["retryable"] is False


async def test_a_session_out_of_bounds_is_refused_by_field(api: Api) -> None:
    await refused_by_field(api, "/api/sessions", BAD_SESSIONS, {})
    assert (await api.get("/api/sessions")).data == []


async def test_a_body_is_an_object(api: Api) -> None:
    for said in (None, [], "x", 5, True, [{"name": "x"}]):
        assert (await api.post("/api/sessions", said)).code == "VALIDATION_ERROR"


async def test_a_name_within_bounds_comes_back_as_it_was(api_on_both: Api) -> None:
    for name in ("x", "x" * 100, GHOST * 100, "Séance à Łódź", "مرحبا", " a ", "e\u0301"):
        made = await api_on_both.post("/api/sessions", {"name": name})
        assert made.data["name"] == name
        assert (await api_on_both.get(made.headers["Location"])).data["name"] == name


async def test_a_lone_surrogate_is_a_fault_of_its_field(api: Api) -> None:
    """JavaScript sends one when a string is cut inside an emoji; an answer that repeats it could not be encoded."""
    for body in (b'{"name": "\\ud83d"}', b'{"name": "x", "\\ud83d": 1}', b'{"name": "x", "spirit": {"\\ud83d": 1}}'):
        refused = await api.post("/api/sessions", body=body, headers=JSON)
        assert refused.code == "VALIDATION_ERROR", body


async def test_an_unknown_field_is_named_in_few_characters(api: Api) -> None:
    refused = await api.post("/api/sessions", {"name": "x", "y" * 60_000: 1})
    assert len(str(refused.error)) < 300


async def test_every_faulty_field_is_named_at_once(api: Api) -> None:
    refused = await api.post("/api/sessions", {"name": "", "max_users": "6", "colour": "red"})
    assert refused.error["details"].keys() == {"name", "max_users", "colour"}


BAD_MESSAGES: list[tuple[str, dict[str, Any]]] = [
    *(("message", {"message": bad}) for bad in ("", " \n", "x" * 8001, GHOST * 8001, "a\x00b", None, 5, ["a"])),
    *(("user_name", {"user_name": bad}) for bad in ("", "x" * 33, "a\nb", "\x00", None, 5)),
    *(("user_id", {"user_id": bad}) for bad in ("", "x" * 65, "a\x00", None, 5, "spirit")),
    *(("client_message_id", {"client_message_id": bad}) for bad in ("", "x" * 129, "\x00", 5, None)),
    ("is_spirit", {"is_spirit": True}),
]


async def test_a_message_out_of_bounds_is_refused_by_field(api: Api) -> None:
    session_id = await api.session()
    good = {"message": "hi", "user_name": "Ada", "user_id": "ada"}
    await refused_by_field(api, f"/api/sessions/{session_id}/messages", BAD_MESSAGES, good)
    assert await api.texts(session_id) == []


async def test_a_whole_number_may_be_written_with_a_point(api: Api) -> None:
    made = await api.post("/api/sessions", {"name": "x", "max_users": 6.0})
    assert (made.status, made.data["max_users"]) == (201, 6)


@pytest.mark.parametrize("said", ["1_0", "\u0663", " 5", "+5", "5.0", "0x5", "5" * 200])
async def test_a_number_in_a_query_is_written_in_digits(api: Api, said: str) -> None:
    refused = await api.get(f"/api/sessions?limit={quote(said)}")
    assert (refused.code, refused.error["details"].keys()) == ("VALIDATION_ERROR", {"limit"})


async def test_what_is_in_a_query_twice_is_refused(api: Api) -> None:
    refused = await api.get("/api/sessions?limit=1&limit=2&cursor=x")
    assert (refused.code, refused.error["details"].keys()) == ("VALIDATION_ERROR", {"limit"})


async def test_an_id_of_a_person_is_any_text(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    for user_id in ("a\tb", "\u2028", "\x7f", GHOST * 64, " "):
        said = {"message": "x", "user_name": "Ada", "user_id": user_id}
        made = await api_on_both.post(f"/api/sessions/{session_id}/messages", said)
        assert (made.status, made.data["user_id"]) == (201, user_id)


async def test_texts_within_bounds_come_back_as_they_were(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    texts = [
        "x",
        "x" * 8000,
        GHOST * 8000,
        "two\nlines\ttab\r\n",
        "\u200b\u202eright",
        '"quotes" \\ </script>',
        "\x01\x1f",
    ]
    for text in texts:
        said = await api_on_both.say(session_id, text)
        assert said.status == 201, said.body
        assert said.data["message"] == text
    assert await api_on_both.texts(session_id) == texts


BAD_TOKENS: list[tuple[str, dict[str, Any]]] = [
    ("role", {"role": "service"}),
    ("role", {"role": "king"}),
    ("role", {"role": None}),
    *(("expires_in", {"expires_in": bad}) for bad in (0, -1, "60", 1.5, True, 366 * 86_400 + 1)),
    *(("max_uses", {"max_uses": bad}) for bad in (0, -1, "1", True, 1_000_001)),
    ("user_id", {"user_id": "x" * 65}),
    ("user_id", {"user_id": "spirit"}),
    ("user_name", {"user_name": "x" * 33}),
    ("sub", {"sub": "x"}),
]


async def test_a_token_out_of_bounds_is_refused_by_field(api: Api) -> None:
    await refused_by_field(api, f"/api/sessions/{await api.session()}/tokens", BAD_TOKENS, {})


NO_JSON = (
        b"", b"{", b"nope", b"{'name': 'x'}", b'{"name": NaN}', b'{"name": "x", "max_users": 1e999}', b"\xff\xfe{}",
        b'{"name": "\xff"}', b"[" * 60_000, b'{"a":' * 10_000, b'{"name": "x"} {"name": "y"}', b'{"name": "x",}',
        b'{"name": "\x00"}', b'\xef\xbb\xbf{"name": "x"}', b'{"n": ' + b"[" * 30_000 + b'"\\ud800"', b"\\ud800",
)  # fmt: skip


async def test_a_body_that_is_no_json_says_so(api: Api) -> None:
    for body in NO_JSON:
        refused = await api.post("/api/sessions", body=body, headers=JSON)
        assert refused.code == "INVALID_JSON", body[:40]


async def test_a_body_of_another_type_is_not_read(api: Api) -> None:
    for kind in (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nope"):
        headers = {} if kind is None else {"Content-Type": kind}
        refused = await api.post("/api/sessions", body=b'{"name": "x"}', headers=headers)
        assert refused.code == "UNSUPPORTED_MEDIA_TYPE", kind


async def test_a_type_with_a_charset_is_read(api: Api) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert (await api.post("/api/sessions", body=b'{"name": "x"}', headers=headers)).status == 201


async def test_a_body_over_its_bound_is_refused(api: Api) -> None:
    session = f"/api/sessions/{await api.session()}"
    body = json.dumps({"message": "x", "user_name": "x" * 66_000}).encode()
    for path in ("/messages", "/tokens"):
        assert (await api.post(session + path, body=body, headers=JSON)).code == "PAYLOAD_TOO_LARGE"


async def test_a_body_of_exactly_the_bound_is_read(api: Api) -> None:
    body = b'{"name": "x"' + b" " * (65_536 - 13) + b"}"
    assert (await api.post("/api/sessions", body=body, headers=JSON)).status == 201
    over = await api.post("/api/sessions", body=body + b" ", headers=JSON)
    assert over.code == "PAYLOAD_TOO_LARGE"
