"""Every error a client can meet: one class is one row of the catalogue.

    SeanceError
    ├── ValidationFailed       400  VALIDATION_ERROR        4400
    ├── InvalidJson            400  INVALID_JSON            4400
    ├── Unauthorized           401  UNAUTHORIZED            4401
    ├── Forbidden              403  FORBIDDEN               4403
    ├── SessionNotFound        404  SESSION_NOT_FOUND       4404
    ├── NotFound               404  NOT_FOUND               4404
    ├── MethodNotAllowed       405  METHOD_NOT_ALLOWED
    ├── SessionFull            409  SESSION_FULL            4409
    ├── SpiritDisabled         409  SPIRIT_DISABLED
    ├── NotJoined              409  NOT_JOINED              4408
    ├── SessionClosed          410  SESSION_CLOSED          4410
    ├── PayloadTooLarge        413  PAYLOAD_TOO_LARGE
    ├── UnsupportedMediaType   415  UNSUPPORTED_MEDIA_TYPE
    ├── UnknownEvent           400  UNKNOWN_EVENT
    ├── RateLimited            429  RATE_LIMITED            4429  retryable
    ├── SpiritFailed           502  SPIRIT_FAILED           retryable
    ├── InternalError          500  INTERNAL_ERROR          1011  retryable
    ├── DatabaseUnavailable    503  DATABASE_UNAVAILABLE    1013  retryable
    └── Busy                   503  BUSY                    1013  retryable

The columns are the HTTP status, the code, and the close code of a raw WebSocket whose join it refuses.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar


class SeanceError(Exception):
    """Base of what a client is told; carries the error object of the wire."""

    code: ClassVar[str]
    status: ClassVar[int]
    close_code: ClassVar[int] = 1008
    retryable: ClassVar[bool] = False
    summary: ClassVar[str]

    def __init__(self, message: str | None = None, details: Mapping[str, object] | None = None) -> None:
        """Keep what the client is told: a sentence, and facts a program can use."""
        self.message = message or self.summary
        self.details = dict(details or {})
        super().__init__(self.message)

    def as_dict(self) -> dict[str, object]:
        """Return the error object: `{code, message, details, retryable}`."""
        return {
            "code": self.code,
            "message": self.message,
            "details": self.details,
            "retryable": self.retryable,
        }


class ValidationFailed(SeanceError):
    """A field is missing, unknown or out of bounds; details name each field."""

    code, status, close_code = "VALIDATION_ERROR", 400, 4400
    summary = "The input is not valid"


class InvalidJson(SeanceError):
    """The body or frame is not JSON."""

    code, status, close_code = "INVALID_JSON", 400, 4400
    summary = "The input is not valid JSON"


class Unauthorized(SeanceError):
    """No token, or one that is bad, expired or used up."""

    code, status, close_code = "UNAUTHORIZED", 401, 4401
    summary = "A valid token is required"


class Forbidden(SeanceError):
    """The token is good, but not for this."""

    code, status, close_code = "FORBIDDEN", 403, 4403
    summary = "This token does not allow that"


class SessionNotFound(SeanceError):
    """No session has this id; ids that could not be one count too."""

    code, status, close_code = "SESSION_NOT_FOUND", 404, 4404
    summary = "No such session"

    @classmethod
    def of(cls, session_id: str) -> "SessionNotFound":
        """Return the error for one id, cut to 64 characters."""
        shown = session_id[:64]
        return cls(f"Session with id '{shown}' not found", {"session_id": shown})


class NotFound(SeanceError):
    """No such path."""

    code, status, close_code = "NOT_FOUND", 404, 4404
    summary = "Nothing is here"


class MethodNotAllowed(SeanceError):
    """The path exists, but not for this method."""

    code, status = "METHOD_NOT_ALLOWED", 405
    summary = "This method is not allowed here"


class SessionFull(SeanceError):
    """All `max_users` seats are taken."""

    code, status, close_code = "SESSION_FULL", 409, 4409
    summary = "All seats of this session are taken"


class SpiritDisabled(SeanceError):
    """The session has no spirit that could be asked."""

    code, status = "SPIRIT_DISABLED", 409
    summary = "The spirit does not answer in this session"


class NotJoined(SeanceError):
    """The connection has to join a session first."""

    code, status, close_code = "NOT_JOINED", 409, 4408
    summary = "Join a session first"


class SessionClosed(SeanceError):
    """The session has ended."""

    code, status, close_code = "SESSION_CLOSED", 410, 4410
    summary = "This session has ended"


class PayloadTooLarge(SeanceError):
    """The body or frame is over its bound."""

    code, status = "PAYLOAD_TOO_LARGE", 413
    summary = "The payload is too large"


class UnsupportedMediaType(SeanceError):
    """The body is not declared as JSON."""

    code, status = "UNSUPPORTED_MEDIA_TYPE", 415
    summary = "The content type must be application/json"


class UnknownEvent(SeanceError):
    """No event has this name."""

    code, status = "UNKNOWN_EVENT", 400
    summary = "No such event"


class RateLimited(SeanceError):
    """Too much too fast; details say when to come back."""

    code, status, close_code, retryable = "RATE_LIMITED", 429, 4429, True
    summary = "Too many requests"


class SpiritFailed(SeanceError):
    """The spirit could not answer; details name the cause in one word."""

    code, status, retryable = "SPIRIT_FAILED", 502, True
    summary = "The spirit could not answer"


class InternalError(SeanceError):
    """A fault of ours; the log has the rest under the request id."""

    code, status, close_code, retryable = "INTERNAL_ERROR", 500, 1011, True
    summary = "Something went wrong on our side"


class DatabaseUnavailable(SeanceError):
    """The database did not answer; nothing was acknowledged."""

    code, status, close_code, retryable = "DATABASE_UNAVAILABLE", 503, 1013, True
    summary = "The database does not answer"


class Busy(SeanceError):
    """Too much is waiting; nothing was taken."""

    code, status, close_code, retryable = "BUSY", 503, 1013, True
    summary = "The server is busy"


def catalogue() -> Iterator[type[SeanceError]]:
    """Yield every error class, in the order of the table above."""
    yield from sorted(SeanceError.__subclasses__(), key=lambda error: (error.status, error.code))
