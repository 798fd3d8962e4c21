"""The one list of REST calls: the OpenAPI document is made from it, and the router is compared with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from server.domain import iso
from server.errors import (
    Busy,
    DatabaseUnavailable,
    Forbidden,
    InternalError,
    InvalidJson,
    PayloadTooLarge,
    RateLimited,
    SeanceError,
    SessionClosed,
    SessionNotFound,
    Unauthorized,
    UnsupportedMediaType,
    ValidationFailed,
)
from server.protocol import inbound, outbound, shapes
from server.protocol.answers import Answer, HistoryMetaShape, PageMetaShape
from server.protocol.examples import ADA, ENDED, MESSAGE, MOMENT, PEOPLE, SESSION, SESSION_ID, TOKEN

Errors = tuple[type[SeanceError], ...]

_AN_HOUR: Final = timedelta(hours=1)
_LATER: Final = replace(SESSION, name="Friday at ten")

_API: Final[Errors] = (Unauthorized, Forbidden, InternalError, DatabaseUnavailable, Busy)
_QUERY: Final[Errors] = (*_API, ValidationFailed)
_BODY: Final[Errors] = (*_API, ValidationFailed, InvalidJson, PayloadTooLarge, UnsupportedMediaType)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: what it takes, what it answers, how it may fail.

    `secured` calls want a bearer token when the server requires authentication.
    """

    method: str
    path: str
    name: str
    tag: str
    summary: str
    answers: tuple[Answer, ...]
    description: str = ""
    query: type[inbound.CommandSchema[Any]] | None = None
    body: type[inbound.CommandSchema[Any]] | None = None
    body_example: Mapping[str, object] | None = None
    body_required: bool = True
    headers: tuple[str, ...] = ()
    errors: Errors = ()
    secured: bool = False


def _health(status: int, summary: str, health: str, database: str) -> Answer:
    example = {"status": health, "database": database, "environment": "development", "timestamp": iso(MOMENT)}
    return Answer(summary, status, shapes.HealthShape, example, enveloped=False)


def _readiness(status: int, summary: str, word: str) -> Answer:
    return Answer(summary, status, shapes.ReadinessShape, {"status": word}, enveloped=False)


def _page(path: str, name: str, summary: str, media_type: str = "text/html") -> Operation:
    answer = Answer("The document.", media_type=media_type, enveloped=False)
    return Operation("GET", path, name, "documents", summary, (answer,))


PROBES: Final = (
    Operation(
        "GET",
        "/health",
        "read_health",
        "health",
        "Tell whether the server and its database are well",
        (
            _health(200, "The database answers.", "healthy", "connected"),
            _health(503, "The database does not answer.", "unhealthy", "disconnected"),
        ),
    ),
    Operation(
        "GET",
        "/health/live",
        "read_liveness",
        "health",
        "Tell that the process turns",
        (_readiness(200, "It does.", "live"),),
    ),
    Operation(
        "GET",
        "/health/ready",
        "read_readiness",
        "health",
        "Tell whether this process should get traffic",
        (_readiness(200, "It should.", "ready"), _readiness(503, "Not now.", "draining")),
        "Not ready while it starts or drains, without its database, or when Redis is configured and a ping "
        "through it does not come back.",
    ),
    Operation(
        "GET",
        "/metrics",
        "read_metrics",
        "health",
        "Read the metrics for Prometheus",
        (Answer("The metrics.", media_type="text/plain", enveloped=False),),
    ),
)

SESSIONS: Final = (
    Operation(
        "POST",
        "/api/sessions",
        "create_session",
        "sessions",
        "Create a session",
        (
            Answer(
                "The session.",
                201,
                shapes.CreatedSessionShape,
                outbound.session_object(replace(SESSION, head=0)),
                headers=("Location",),
            ),
        ),
        "When the server requires authentication: by a `service` token; the answer then has `host_token`.",
        body=inbound.CreateSessionSchema,
        body_example={"name": SESSION.name, "max_users": SESSION.max_users},
        errors=_BODY,
        secured=True,
    ),
    Operation(
        "GET",
        "/api/sessions",
        "list_sessions",
        "sessions",
        "List sessions, newest first",
        (
            Answer(
                "A page of sessions.",
                shape=shapes.SessionShape,
                example=[outbound.session_object(SESSION)],
                many=True,
                meta=PageMetaShape,
                meta_example=(("next_cursor", None),),
            ),
        ),
        description="When the server requires authentication: by a `service` token.",
        query=inbound.PageSchema,
        errors=_QUERY,
        secured=True,
    ),
    Operation(
        "GET",
        "/api/sessions/{session_id}",
        "read_session",
        "sessions",
        "Read a session",
        (Answer("The session.", shape=shapes.SessionShape, example=outbound.session_object(SESSION)),),
        errors=(*_API, SessionNotFound),
        secured=True,
    ),
    Operation(
        "PATCH",
        "/api/sessions/{session_id}",
        "change_session",
        "sessions",
        "Change a session; what is left out stays",
        (Answer("The session as it is now.", shape=shapes.SessionShape, example=outbound.session_object(_LATER)),),
        "Everyone in it is told `session_updated`. When the server requires authentication: by the session's "
        "host or a `service` token.",
        body=inbound.ChangeSessionSchema,
        body_example={"name": _LATER.name},
        errors=(*_BODY, SessionNotFound, SessionClosed),
        secured=True,
    ),
    Operation(
        "DELETE",
        "/api/sessions/{session_id}",
        "end_session",
        "sessions",
        "End a session",
        (Answer("The session, no longer active.", shape=shapes.SessionShape, example=outbound.session_object(ENDED)),),
        "Everyone in it is told `session_closed` and disconnected within 5 seconds. When the server requires "
        "authentication: by the session's host or a `service` token.",
        errors=(*_API, SessionNotFound),
        secured=True,
    ),
)

TALK: Final = (
    Operation(
        "GET",
        "/api/sessions/{session_id}/messages",
        "read_messages",
        "messages",
        "Read messages in their order",
        (
            Answer(
                "A range of messages.",
                shape=shapes.MessageShape,
                example=[outbound.message_object(MESSAGE)],
                many=True,
                meta=HistoryMetaShape,
                meta_example=(("has_more", True),),
            ),
        ),
        "They ascend by `seq`. Without a bound: the newest `limit` messages.",
        query=inbound.HistoryRangeSchema,
        errors=(*_QUERY, SessionNotFound),
        secured=True,
    ),
    Operation(
        "POST",
        "/api/sessions/{session_id}/messages",
        "post_message",
        "messages",
        "Post a message",
        (Answer("The message, committed.", 201, shapes.MessageShape, outbound.message_object(MESSAGE)),),
        "It has the effect of the event `send_message`. Without authentication the body names the person; with it "
        "the token does, and only a `service` token may name another. The same `client_message_id` of the same "
        "person is stored and told once, and answered the same way each time.",
        body=inbound.PostMessageSchema,
        body_example={"message": "Is anyone there?", "user_name": "Ada", "user_id": "ada", "client_message_id": "c-17"},
        headers=("Idempotency-Key",),
        errors=(*_BODY, SessionNotFound, SessionClosed, RateLimited),
        secured=True,
    ),
    Operation(
        "GET",
        "/api/sessions/{session_id}/users",
        "list_users",
        "people",
        "List who is there now, over all processes",
        (
            Answer(
                "The people.",
                shape=shapes.UserShape,
                example=[outbound.user_object(user) for user in PEOPLE],
                many=True,
            ),
        ),
        errors=(*_API, SessionNotFound),
        secured=True,
    ),
    Operation(
        "POST",
        "/api/sessions/{session_id}/tokens",
        "create_token",
        "people",
        "Make a token for a session",
        (
            Answer(
                "The token.",
                201,
                shapes.TokenShape,
                {"token": TOKEN, "role": ADA.role, "session_id": SESSION_ID, "expires_at": iso(MOMENT + _AN_HOUR)},
            ),
        ),
        "When the server requires authentication: by the session's host or a `service` token.",
        body=inbound.MintTokenSchema,
        body_example={"role": "host", "user_id": "ada", "user_name": "Ada", "expires_in": 3600},
        body_required=False,
        errors=(*_BODY, SessionNotFound),
        secured=True,
    ),
    Operation(
        "GET",
        "/api/sessions/{session_id}/spirit/context",
        "read_spirit_context",
        "messages",
        "See what would be sent to the spirit's model now",
        (
            Answer(
                "The messages to the model.",
                shape=shapes.ContextShape,
                example={
                    "messages": [{"role": "system", "content": "You are a spirit at a séance."}],
                    "prompt_tokens": 12,
                    "left_out": 0,
                },
            ),
        ),
        "When the server requires authentication: by the session's host or a `service` token. The offline spirit "
        "sends nothing.",
        errors=(*_API, SessionNotFound),
        secured=True,
    ),
)

DOCUMENTS: Final = (
    _page("/", "open_room", "Open the room in a browser"),
    _page("/docs", "open_swagger_ui", "Read this document in Swagger UI"),
    _page("/redoc", "open_redoc", "Read this document in ReDoc"),
    _page("/docs/events", "open_event_reference", "Read the reference of the events"),
    _page("/openapi.json", "read_openapi", "Read the OpenAPI document", "application/json"),
    _page("/asyncapi.json", "read_asyncapi", "Read the AsyncAPI document", "application/json"),
)

OPERATIONS: Final = (*SESSIONS, *TALK, *PROBES, *DOCUMENTS)
