"""The AsyncAPI document: valid by the official schema, complete, and true to the schemas the server checks with."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from server.errors import catalogue
from server.moments import iso
from server.protocol import inbound
from server.protocol.asyncapi import build_asyncapi, close_codes
from server.protocol.envelopes import failure, success
from server.protocol.events import EVENTS, INBOUND
from server.protocol.examples import MOMENT
from tests.protocol.walk import references, resolve
from tests.services.node import find_node

DOCUMENT: dict[str, Any] = json.loads(json.dumps(build_asyncapi("1.2.3")))
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
OPERATIONS: dict[str, Any] = DOCUMENT["operations"]
SPECIFICATION = Path(__file__).parent / "specification"
INSTALL_SECONDS = 120


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Draft7Validator:
    """The JSON Schema of AsyncAPI 3.0, from the package of the specification."""
    folder = tmp_path_factory.mktemp("asyncapi")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SPECIFICATION / name, folder)
    _, npm = find_node()
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    subprocess.run(command, cwd=folder, timeout=INSTALL_SECONDS, check=True, capture_output=True)
    path = folder / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
    return Draft7Validator(json.loads(path.read_text(encoding="utf-8")))


def valid(schema: dict[str, Any], value: object) -> bool:
    whole = {**schema, "components": DOCUMENT["components"]}
    return bool(Draft7Validator(whole).is_valid(value))


def payload(key: str) -> dict[str, Any]:
    found: dict[str, Any] = MESSAGES[key]["payload"]
    return found


def test_the_document_is_valid_asyncapi(official: Draft7Validator) -> None:
    assert [fault.message for fault in official.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    "fault", [{"operations": {"x": {"action": "shout"}}}, {"channels": {"x": {"adress": "/"}}}, {"asyncapi": "2.6.0"}]
)
def test_a_faulty_document_would_be_seen(official: Draft7Validator, fault: dict[str, Any]) -> None:
    assert not official.is_valid({**DOCUMENT, **fault})


def test_the_document_is_the_same_each_time() -> None:
    assert build_asyncapi("1.2.3") == build_asyncapi("1.2.3")
    assert DOCUMENT["info"]["version"] == "1.2.3"


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        resolve(DOCUMENT, reference)


def test_every_event_can_be_sent_and_received_at_both_doors() -> None:
    for door in ("socketio", "websocket"):
        sent = {key.split(".", 2)[2] for key in MESSAGES if key.startswith(f"{door}.server.")}
        received = {key.split(".", 2)[2] for key in MESSAGES if key.startswith(f"{door}.client.")}
        assert sent - {"connect_error"} == set(EVENTS)
        assert received - {"connect", "register"} == set(INBOUND)


def test_every_message_belongs_to_its_channel_and_to_an_operation() -> None:
    used = set(references(OPERATIONS))
    for key in MESSAGES:
        channel = key.partition(".")[0]
        assert f"#/channels/{channel}/messages/{key}" in used
        assert key in DOCUMENT["channels"][channel]["messages"]


def test_every_event_of_a_client_is_acknowledged_at_both_doors() -> None:
    for name in INBOUND:
        for door in ("socketio", "websocket"):
            operation = OPERATIONS[f"{door}.receive.{name}"]
            assert operation["action"] == "receive"
            assert operation["reply"]["messages"] == [{"$ref": f"#/channels/{door}/messages/{door}.ack.{name}"}]


@pytest.mark.parametrize("key", MESSAGES)
def test_every_example_fits_its_payload(key: str) -> None:
    example = MESSAGES[key]["examples"][0]["payload"]
    assert valid(payload(key), example)
    assert not valid(payload(key), 3)


@pytest.mark.parametrize("name", INBOUND)
def test_an_acknowledgement_is_a_success_or_one_of_the_event_s_errors(name: str) -> None:
    event = INBOUND[name]
    acknowledged = payload(f"socketio.ack.{name}")
    assert valid(acknowledged, success(event.ack_example))
    for error in catalogue():
        assert valid(acknowledged, failure(error())) == (error in event.errors), error.code


@pytest.mark.parametrize("name", INBOUND)
def test_the_schema_of_a_client_event_takes_what_the_server_takes(name: str) -> None:
    event = INBOUND[name]
    inbound.read(event.schema(), event.example)
    assert valid(payload(f"socketio.client.{name}"), event.example)
    assert not valid(payload(f"socketio.client.{name}"), {**event.example, "colour": "red"})
    assert valid(payload(f"websocket.client.{name}"), {"event": name, "data": event.example})
    assert valid(payload(f"websocket.client.{name}"), {"event": name}) != event.object_required
    assert not valid(payload(f"websocket.client.{name}"), {"event": "dance", "data": event.example})


@pytest.mark.parametrize("name", EVENTS)
def test_a_frame_of_the_server_has_a_name_an_object_and_a_time(name: str) -> None:
    frame = {"event": name, "data": EVENTS[name].example.data(), "timestamp": iso(MOMENT)}
    assert valid(payload(f"websocket.server.{name}"), frame)
    for part in frame:
        assert not valid(payload(f"websocket.server.{name}"), {key: frame[key] for key in frame if key != part})


def test_every_error_and_close_code_is_in_the_text() -> None:
    assert all(f"`{error.code}`" in DOCUMENT["info"]["description"] for error in catalogue())
    assert all(f"| {code} |" in DOCUMENT["channels"]["websocket"]["description"] for code in close_codes())
    assert {4401, 4403, 4404, 4408, 4409, 4410, 4413, 4429, 1009, 1012} <= set(close_codes())
