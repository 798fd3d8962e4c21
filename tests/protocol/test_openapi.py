"""The OpenAPI document: valid, complete, and true to the schemas that the server checks with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openapi_spec_validator
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from server.errors import catalogue
from server.protocol import inbound
from server.protocol.openapi import build_openapi
from server.protocol.operations import OPERATIONS
from tests.protocol.walk import references, resolve

if TYPE_CHECKING:
    from server.protocol.operation import Operation

DOCUMENT: dict[str, Any] = json.loads(json.dumps(build_openapi("1.2.3")))
EVENTS_ONLY = {"NOT_JOINED", "SESSION_FULL", "SPIRIT_DISABLED", "SPIRIT_FAILED", "UNKNOWN_EVENT"}
ANY_PATH = {"NOT_FOUND", "METHOD_NOT_ALLOWED"}


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


def valid(schema: dict[str, Any], value: object) -> bool:
    resource = DRAFT202012.create_resource(DOCUMENT)
    registry: Registry[Any] = Registry().with_resource("doc:", resource)
    absolute = json.loads(json.dumps(schema).replace('"#/', '"doc:#/'))
    return bool(OAS31Validator(absolute, registry=registry).is_valid(value))


def test_the_document_is_valid_openapi() -> None:
    openapi_spec_validator.validate(DOCUMENT)


def test_a_faulty_document_would_be_seen() -> None:
    with pytest.raises(OpenAPIValidationError):
        openapi_spec_validator.validate({**DOCUMENT, "paths": {"/x": {"get": {"responses": 3}}}})


def test_the_document_is_the_same_each_time() -> None:
    assert build_openapi("1.2.3") == build_openapi("1.2.3")
    assert DOCUMENT["info"]["version"] == "1.2.3"


def test_every_call_of_the_contract_is_described() -> None:
    api = {(operation.method, operation.path) for operation in OPERATIONS if operation.path.startswith("/api")}
    one = "/api/sessions/{session_id}"
    assert api == {
        ("POST", "/api/sessions"),
        ("GET", "/api/sessions"),
        ("GET", one),
        ("PATCH", one),
        ("DELETE", one),
        ("GET", f"{one}/messages"),
        ("POST", f"{one}/messages"),
        ("GET", f"{one}/users"),
        ("POST", f"{one}/tokens"),
        ("GET", f"{one}/spirit/context"),
    }
    others = {operation.path for operation in OPERATIONS} - {path for _, path in api}
    assert others == {
        "/",
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/docs",
        "/redoc",
        "/docs/events",
        "/openapi.json",
        "/asyncapi.json",
    }


def test_every_error_of_rest_belongs_to_a_call_or_to_any_path() -> None:
    found = {error.code for operation in OPERATIONS for error in operation.errors}
    assert found | EVENTS_ONLY | ANY_PATH == {error.code for error in catalogue()}
    assert all(f"`{error.code}`" in DOCUMENT["info"]["description"] for error in catalogue())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_error_of_a_call_stands_under_its_status(operation: Operation) -> None:
    responses = described(operation)["responses"]
    for error in operation.errors:
        media = resolve(DOCUMENT, responses[str(error.status)]["$ref"])["content"]["application/json"]
        assert valid(media["schema"], media["examples"][error.code]["value"])
        assert not valid(media["schema"], {**media["examples"][error.code]["value"], "error": {"code": "OTHER"}})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_example_of_an_answer_fits_its_schema(operation: Operation) -> None:
    for answer in operation.answers:
        media = described(operation)["responses"][str(answer.status)]["content"][answer.media_type]
        assert ("schema" in media) == (answer.shape is not None)
        if answer.shape is not None:
            assert valid(media["schema"], media["example"])
            assert not valid(media["schema"], {})


@pytest.mark.parametrize(
    "operation", [operation for operation in OPERATIONS if operation.body], ids=lambda operation: operation.name
)
def test_every_example_of_a_body_is_taken_by_the_server(operation: Operation) -> None:
    assert operation.body is not None
    inbound.read(operation.body(), operation.body_example)
    assert valid(described(operation)["requestBody"]["content"]["application/json"]["schema"], operation.body_example)


def test_examples_of_answers_hold_what_the_shapes_hold() -> None:
    for operation in OPERATIONS:
        for answer in operation.answers:
            if answer.shape is not None:
                answer.shape(many=answer.many).load(answer.example)


def test_bodies_are_closed_and_answers_are_open() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["CreateSession"]["additionalProperties"] is False
    assert not valid({"$ref": "#/components/schemas/CreateSession"}, {"name": "x", "colour": "red"})
    assert "additionalProperties" not in schemas["Session"]


def test_bounds_and_defaults_are_those_of_the_contract() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    created = schemas["CreateSession"]["properties"]
    assert (created["name"]["minLength"], created["name"]["maxLength"]) == (1, 100)
    assert (created["max_users"]["minimum"], created["max_users"]["maximum"]) == (1, 10_000)
    assert created["max_users"]["default"] == 6
    assert schemas["PostMessage"]["properties"]["message"]["maxLength"] == 8_000
    assert schemas["MintToken"]["properties"]["role"] == {
        "type": "string",
        "enum": ["host", "member", "observer"],
        "default": "member",
    }
    limit = next(p for p in DOCUMENT["paths"]["/api/sessions"]["get"]["parameters"] if p.get("name") == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}


def test_headers_are_described() -> None:
    created = DOCUMENT["paths"]["/api/sessions"]["post"]
    assert "Location" in created["responses"]["201"]["headers"]
    assert "WWW-Authenticate" in resolve(DOCUMENT, created["responses"]["401"]["$ref"])["headers"]
    posted = DOCUMENT["paths"]["/api/sessions/{session_id}/messages"]["post"]
    assert "Retry-After" in resolve(DOCUMENT, posted["responses"]["429"]["$ref"])["headers"]
    assert {"$ref": "#/components/parameters/Idempotency-Key"} in posted["parameters"]
    for operation in OPERATIONS:
        found = described(operation)
        assert all("X-Request-ID" in resolve_once(answer)["headers"] for answer in found["responses"].values())


def resolve_once(node: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resolve(DOCUMENT, node["$ref"]) if "$ref" in node else node
    return found


def test_calls_below_api_take_a_bearer_token_and_others_do_not() -> None:
    for operation in OPERATIONS:
        secured = any("bearer" in way for way in described(operation)["security"])
        assert secured == operation.path.startswith("/api")


def test_nothing_is_described_that_nothing_refers_to() -> None:
    used = set(references(DOCUMENT))
    for kind in ("schemas", "responses", "parameters", "headers"):
        for name in DOCUMENT["components"][kind]:
            assert f"#/components/{kind}/{name}" in used
