"""The one list of REST calls: the OpenAPI document is made from it, and the router is compared with it."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from server.errors import (
    Busy,
    DatabaseUnavailable,
    Forbidden,
    InternalError,
    InvalidJson,
    PayloadTooLarge,
    RateLimited,
    SessionClosed,
    SessionNotFound,
    Unauthorized,
    UnsupportedMediaType,
    ValidationFailed,
)
from server.moments import iso
from server.protocol import inbound, objects, shapes
from server.protocol.answers import Answer, HistoryMetaShape, PageMetaShape
from server.protocol.examples import ADA, ENDED, MESSAGE, MOMENT, PEOPLE, SESSION, SESSION_ID, TOKEN
from server.protocol.open_calls import DOCUMENTS, PROBES
from server.protocol.operation import Errors, Operation

_AN_HOUR: Final = timedelta(hours=1)
_LATER: Final = replace(SESSION, name="Friday at ten")

_API: Final[Errors] = (Unauthorized, Forbidden, InternalError, DatabaseUnavailable, Busy)
_QUERY: Final[Errors] = (*_API, ValidationFailed)
_BODY: Final[Errors] = (*_API, ValidationFailed, InvalidJson, PayloadTooLarge, UnsupportedMediaType)


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
                objects.session_object(replace(SESSION, head=0)),
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
                example=[objects.session_object(SESSION)],
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
        (Answer("The session.", shape=shapes.SessionShape, example=objects.session_object(SESSION)),),
        errors=(*_API, SessionNotFound),
        secured=True,
    ),
    Operation(
        "PATCH",
        "/api/sessions/{session_id}",
        "change_session",
        "sessions",
        "Change a session; what is left out stays",
        (Answer("The session as it is now.", shape=shapes.SessionShape, example=objects.session_object(_LATER)),),
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
        (Answer("The session, no longer active.", shape=shapes.SessionShape, example=objects.session_object(ENDED)),),
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
                example=[objects.message_object(MESSAGE)],
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
        (Answer("The message, committed.", 201, shapes.MessageShape, objects.message_object(MESSAGE)),),
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
                example=[objects.user_object(user) for user in PEOPLE],
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

OPERATIONS: Final = (*SESSIONS, *TALK, *PROBES, *DOCUMENTS)
