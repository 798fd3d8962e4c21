"""The OpenAPI document, made from the list of calls and the schemas that check them."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from server.domain import CLIENT_MESSAGE_ID_CHARS, FRAME_BYTES
from server.errors import RateLimited, SeanceError, Unauthorized
from server.protocol.answers import (
    Answer,
    MetaShape,
    envelope_schema,
    error_table,
    example_of,
    failure_example,
    failure_schema,
    in_order,
    meaning,
)
from server.protocol.examples import SESSION_ID
from server.protocol.jsonschema import SchemaBook
from server.protocol.operation import Operation
from server.protocol.operations import OPERATIONS
from server.protocol.shapes import ErrorShape

Json = dict[str, Any]

TAGS: Final = {
    "sessions": "A session is a durable conversation with at most `max_users` people and one spirit.",
    "messages": "Messages of a session are numbered by `seq`: 1, 2, 3 … without holes.",
    "people": "Who is in a session, and tokens that let people in.",
    "health": "Probes and metrics.",
    "documents": "Pages and schemas.",
}

_INTRODUCTION: Final = f"""
What happens inside a session as it happens is told by [events](/docs/events), over Socket.IO or a raw WebSocket.

Every JSON answer has an envelope: `{{"success": true, "data": …, "meta": {{"timestamp": …}}}}`, or
`{{"success": false, "error": {{"code", "message", "details", "retryable"}}, "meta": …}}`. Probes, metrics and
documents have none. Clients pass over fields they do not know; the server refuses fields it does not know.

Bodies are JSON of at most {FRAME_BYTES // 1024} KiB. Any path that is not listed answers 404 `NOT_FOUND`, any
other method 405 `METHOD_NOT_ALLOWED` with `Allow`.
"""

_HEADERS: Final[Json] = {
    "X-Request-ID": {
        "description": "The request's own id if it was sane, else one made by the server; logs have it too.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "The path of what was created.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait, rounded up.", "schema": {"type": "integer", "minimum": 1}},
}

_TOLD_IN_HEADERS: Final[dict[type[SeanceError], str]] = {Unauthorized: "WWW-Authenticate", RateLimited: "Retry-After"}

_PARAMETERS: Final[Json] = {
    "session_id": {
        "name": "session_id",
        "in": "path",
        "required": True,
        "description": "The session's id. Anything that is not one answers 404 `SESSION_NOT_FOUND`.",
        "schema": {"type": "string"},
        "example": SESSION_ID,
    },
    "X-Request-ID": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "An id of your own for this request; it comes back in the answer.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Stands for `client_message_id`: the same key of the same person is stored once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": CLIENT_MESSAGE_ID_CHARS},
    },
}

_BEARER: Final[Json] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Needed when the server runs with `AUTH_REQUIRED`. Claims: `aud` `seance`, `sub`, `name`, "
    "`session_id`, `role` (`service`, `host`, `member`, `observer`), `iat`, `exp`, `jti`.",
}


def build_openapi(version: str) -> Json:
    """Return the OpenAPI 3.1 document of this server; the same each time, so that it can be cached."""
    book = SchemaBook()
    failures: dict[str, Json] = {}
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, book, failures)
    return {
        "openapi": "3.1.0",
        "info": _info(version),
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": book.components(),
            "responses": dict(sorted(failures.items())),
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "securitySchemes": {"bearer": _BEARER},
        },
    }


def _info(version: str) -> Json:
    return {
        "title": "Séance",
        "version": version,
        "summary": "Rooms of several people and one spirit.",
        "description": f"{_INTRODUCTION.strip()}\n\n{error_table()}",
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def _operation(operation: Operation, book: SchemaBook, failures: dict[str, Json]) -> Json:
    answers = {str(answer.status): _answer(answer, book) for answer in operation.answers}
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": _parameters(operation, book),
        "responses": answers | _failures(operation.errors, book, failures),
        "security": [{"bearer": []}, {}] if operation.secured else [],
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        media = {"schema": book.ref(operation.body), "example": operation.body_example}
        described["requestBody"] = {"required": operation.body_required, "content": {"application/json": media}}
    return described


def _parameters(operation: Operation, book: SchemaBook) -> list[Json]:
    named = ["session_id"] if "{session_id}" in operation.path else []
    named += [*operation.headers, "X-Request-ID"]
    query = book.parameters(operation.query) if operation.query is not None else []
    return [{"$ref": f"#/components/parameters/{name}"} for name in named] + query


def _answer(answer: Answer, book: SchemaBook) -> Json:
    media: Json = {}
    if answer.shape is not None:
        schema = _success_schema(answer, book.ref(answer.shape), book)
        media = {"schema": schema, "example": example_of(answer)}
    return {
        "description": answer.summary,
        "headers": _headers("X-Request-ID", *answer.headers),
        "content": {answer.media_type: media},
    }


def _success_schema(answer: Answer, one: Json, book: SchemaBook) -> Json:
    said: Json = {"type": "array", "items": one} if answer.many else one
    if not answer.enveloped:
        return said
    return envelope_schema(success=True, about="data", said=said, meta=book.ref(answer.meta))


def _failures(errors: Iterable[type[SeanceError]], book: SchemaBook, failures: dict[str, Json]) -> Json:
    """Return one response for each status, kept once for all calls that may answer it."""
    found: Json = {}
    for status, group in groupby(in_order(errors), key=lambda error: error.status):
        same = tuple(group)
        name = "Or".join(error.__name__ for error in same)
        failures.setdefault(name, _failure(same, book))
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def _failure(errors: tuple[type[SeanceError], ...], book: SchemaBook) -> Json:
    media = {
        "schema": failure_schema(errors, book.ref(ErrorShape), book.ref(MetaShape)),
        "examples": {error.code: {"summary": error.summary, "value": failure_example(error)} for error in errors},
    }
    headers = ("X-Request-ID", *(header for error, header in _TOLD_IN_HEADERS.items() if error in errors))
    return {
        "description": "; ".join(f"`{error.code}`: {meaning(error)}" for error in errors),
        "headers": _headers(*headers),
        "content": {"application/json": media},
    }


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
