"""The AsyncAPI document, made from the list of events and the schemas that check them."""

from collections.abc import Iterable
from typing import Any, Final

from marshmallow import Schema

from server.domain import FRAME_BYTES
from server.errors import ValidationFailed
from server.moments import iso
from server.protocol.answers import MetaShape, envelope_schema, error_table, failure_example, failure_schema
from server.protocol.envelopes import success
from server.protocol.events import INBOUND, INCOMING, OUTGOING, Incoming, Outgoing
from server.protocol.examples import MOMENT, SESSION_ID
from server.protocol.inbound import JoinSchema, RegisterSchema
from server.protocol.jsonschema import SchemaBook
from server.protocol.shapes import ErrorShape

Json = dict[str, Any]

DOORS: Final = ("socketio", "websocket")

_INTRODUCTION: Final = f"""
What happens inside a session as it happens. There are two doors to the same rooms: Socket.IO, for its client
libraries, and a raw WebSocket. Events and their objects are the same behind both.

Each client event takes one object and is acknowledged with the envelope that REST uses. The server refuses fields
it does not know; clients pass over fields they do not know. A frame has at most {FRAME_BYTES // 1024} KiB.
"""

_SOCKETIO: Final = """
Socket.IO protocol 5 over Engine.IO 4, namespace `/`. Join at connect with the object of `join_session` in `auth`, or
connect without `session_id` and emit `join_session` within 10 seconds. A refusal at connect is `connect_error`, with
the error object in its `data`.
"""

_WEBSOCKET: Final = """
Text frames of JSON. The first frame registers; then frames are `{event, data}`, and those of the server have a
`timestamp` too. With the subprotocol `seance.v1` the server also sends `session_joined`, and answers a frame that
has an `id` with an `ack` of that id. A bad frame gets an `error` and the connection stays; a refused join gets an
`error` and a close code.
"""

CLOSE_CODES: Final[dict[int, str]] = {
    4408: "no registration within 10 seconds",
    4413: "the client did not read",
    4429: "too much too fast",
    1009: "a frame over 1 MiB",
    1012: "the server goes away; come back after `retry_after` of `server_draining`",
}


def build_asyncapi(version: str) -> Json:
    """Return the AsyncAPI 3.0 document of this server; the same each time, so that it can be cached."""
    book = SchemaBook()
    messages = _socketio_messages(book) | _websocket_messages(book)
    return {
        "asyncapi": "3.0.0",
        "info": _info(version),
        "defaultContentType": "application/json",
        "servers": {door: _server(door) for door in DOORS},
        "channels": {
            "socketio": _channel("socketio", "/socket.io/", _SOCKETIO, messages),
            "websocket": _channel("websocket", "/ws/{session_id}", _WEBSOCKET + _close_table(), messages),
        },
        "operations": _operations(messages),
        "components": {"messages": messages, "schemas": book.components()},
    }


def refusal_codes() -> dict[int, list[str]]:
    """Return the close codes of a raw WebSocket whose join is refused, with the error codes that lead to each."""
    found: dict[int, list[str]] = {}
    for error in INBOUND["join_session"].errors:
        if error is ValidationFailed:  # a bad frame, the first one too, leaves the connection usable
            continue
        found.setdefault(error.close_code, []).append(error.code)
    return dict(sorted(found.items()))


def _info(version: str) -> Json:
    return {
        "title": "Séance",
        "version": version,
        "description": f"{_INTRODUCTION.strip()}\n\n{error_table()}",
        "license": {"name": "MIT", "url": "https://spdx.org/licenses/MIT.html"},
    }


def _server(door: str) -> Json:
    return {
        "host": "{host}",
        "protocol": {"socketio": "socket.io", "websocket": "ws"}[door],
        "description": "This server; over TLS the schemes are https and wss.",
        "variables": {"host": {"default": "localhost:8000", "description": "Where the server listens."}},
    }


def _channel(door: str, address: str, description: str, messages: Iterable[str]) -> Json:
    channel: Json = {
        "address": address,
        "description": description.strip(),
        "servers": [{"$ref": f"#/servers/{door}"}],
        "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in messages if key.startswith(f"{door}.")},
    }
    if "{session_id}" in address:
        channel["parameters"] = {"session_id": {"description": "The session to join.", "examples": [SESSION_ID]}}
    return channel


def close_codes() -> dict[int, str]:
    """Return every close code of a raw WebSocket with its meaning, in Markdown."""
    refused = {
        code: f"join refused: {', '.join(f'`{name}`' for name in names)}" for code, names in refusal_codes().items()
    }
    codes = sorted({*refused, *CLOSE_CODES})
    return {code: "; ".join(text[code] for text in (CLOSE_CODES, refused) if code in text) for code in codes}


def _close_table() -> str:
    rows = "\n".join(f"| {code} | {meaning} |" for code, meaning in close_codes().items())
    return f"\n| close code | meaning |\n|---|---|\n{rows}\n"


def _socketio_messages(book: SchemaBook) -> dict[str, Json]:
    found = {
        "socketio.client.connect": _message(
            "connect",
            "Connect; with a session named, join it.",
            _optional(book, JoinSchema, "The `auth` object of the client library; may be left out."),
            dict(INBOUND["join_session"].example),
        ),
        "socketio.server.connect_error": _message(
            "connect_error",
            "The connection was refused; `data` of the client's error is this object.",
            book.ref(ErrorShape),
            failure_example(INBOUND["join_session"].errors[-1])["error"],
        ),
    }
    for incoming in INCOMING:
        said = dict(incoming.example)
        found[f"socketio.client.{incoming.name}"] = _message(
            incoming.name, incoming.summary, book.ref(incoming.schema), said
        )
        found[f"socketio.ack.{incoming.name}"] = _message(
            f"{incoming.name} acknowledged", "The acknowledgement.", _ack(incoming, book), _ack_example(incoming)
        )
    for outgoing in OUTGOING:
        found[f"socketio.server.{outgoing.name}"] = _message(
            outgoing.name, _summary(outgoing), book.ref(outgoing.shape), outgoing.example.data()
        )
    return found


def _websocket_messages(book: SchemaBook) -> dict[str, Json]:
    found = {
        "websocket.client.register": _message(
            "register",
            "The first frame: who joins the session of the path.",
            book.ref(RegisterSchema),
            {"user_id": "ada", "name": "Ada"},
        )
    }
    for incoming in INCOMING:
        example = {"event": incoming.name, "data": dict(incoming.example), "id": 1}
        found[f"websocket.client.{incoming.name}"] = _message(
            incoming.name, incoming.summary, _client_frame(incoming, book), example
        )
        found[f"websocket.ack.{incoming.name}"] = _message(
            f"{incoming.name} acknowledged",
            "The acknowledgement, with `seance.v1` and for a frame with an `id`.",
            _ack_frame(_ack(incoming, book)),
            {"event": "ack", "id": 1, **_ack_example(incoming)},
        )
    for outgoing in OUTGOING:
        example = {"event": outgoing.name, "data": outgoing.example.data(), "timestamp": iso(MOMENT)}
        found[f"websocket.server.{outgoing.name}"] = _message(
            outgoing.name, _summary(outgoing), _server_frame(outgoing, book), example
        )
    return found


def _summary(outgoing: Outgoing) -> str:
    return f"{outgoing.summary} {outgoing.note}".strip()


def _message(name: str, summary: str, payload: Json, example: object) -> Json:
    return {"name": name, "summary": summary, "payload": payload, "examples": [{"payload": example}]}


def _optional(book: SchemaBook, schema: type[Schema], description: str) -> Json:
    return {"description": description, "anyOf": [book.ref(schema), {"type": "null"}]}


def _ack(incoming: Incoming, book: SchemaBook) -> Json:
    """Return the schema of an acknowledgement: the envelope of success, or of one of the event's errors."""
    meta = book.ref(MetaShape)
    said: Json = {"type": "null"} if incoming.ack is None else book.ref(incoming.ack)
    fine = envelope_schema(success=True, about="data", said=said, meta=meta)
    return {"oneOf": [fine, failure_schema(incoming.errors, book.ref(ErrorShape), meta)]}


def _ack_example(incoming: Incoming) -> Json:
    return success(incoming.ack_example, timestamp=iso(MOMENT))


def _client_frame(incoming: Incoming, book: SchemaBook) -> Json:
    return {
        "type": "object",
        "required": ["event", "data"] if incoming.object_required else ["event"],
        "properties": {
            "event": {"const": incoming.name},
            "data": book.ref(incoming.schema),
            "id": {"description": "Wanted back in the `ack`.", "type": ["integer", "string"]},
        },
    }


def _ack_frame(ack: Json) -> Json:
    frame: Json = {
        "type": "object",
        "required": ["event", "id"],
        "properties": {"event": {"const": "ack"}, "id": {"type": ["integer", "string"]}},
    }
    return {"allOf": [frame, ack]}


def _server_frame(outgoing: Outgoing, book: SchemaBook) -> Json:
    return {
        "type": "object",
        "required": ["event", "data", "timestamp"],
        "properties": {
            "event": {"const": outgoing.name},
            "data": book.ref(outgoing.shape),
            "timestamp": {"type": "string", "format": "date-time"},
        },
    }


def _operations(messages: dict[str, Json]) -> Json:
    """Return one operation for each message; the server is the one who sends and receives."""
    found: Json = {}
    for key, message in messages.items():
        door, side, name = key.split(".", 2)
        if side != "ack":
            action = "receive" if side == "client" else "send"
            found[f"{door}.{action}.{name}"] = _operation(
                key, action, message["summary"], _replies(door, side, name, messages)
            )
    return found


def _replies(door: str, side: str, name: str, messages: dict[str, Json]) -> list[str]:
    wanted = {
        "connect": [f"{door}.server.session_joined", f"{door}.server.connect_error"],
        "register": [f"{door}.server.session_joined", f"{door}.server.error"],
    }.get(name, [f"{door}.ack.{name}"])
    return [key for key in wanted if key in messages] if side == "client" else []


def _operation(key: str, action: str, summary: str, replies: list[str]) -> Json:
    channel = f"#/channels/{key.partition('.')[0]}"
    operation: Json = {
        "action": action,
        "channel": {"$ref": channel},
        "summary": summary,
        "messages": [{"$ref": f"{channel}/messages/{key}"}],
    }
    if replies:
        operation["reply"] = {
            "channel": {"$ref": channel},
            "messages": [{"$ref": f"{channel}/messages/{reply}"} for reply in replies],
        }
    return operation
