"""What a call may answer: status, shape and an example, as the documents show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import fields as f
from marshmallow import validate

from server.errors import (
    RateLimited,
    SeanceError,
    SessionNotFound,
    ValidationFailed,
    catalogue,
)
from server.moments import iso
from server.protocol import envelopes, inbound
from server.protocol.examples import MOMENT, SESSION_ID
from server.protocol.shapes import Shape

Json = dict[str, Any]


class MetaShape(Shape):
    """What is said about every answer."""

    timestamp = f.String(required=True, metadata={"format": "date-time", "description": "When it was given, UTC."})


class PageMetaShape(MetaShape):
    """What is said about a page of sessions."""

    next_cursor = f.String(
        required=True,
        allow_none=True,
        validate=validate.Length(1, 200),
        metadata={"description": "Pass it as `cursor` for the next page; null on the last."},
    )


class HistoryMetaShape(MetaShape):
    """What is said about a range of messages."""

    has_more = f.Boolean(required=True, metadata={"description": "Whether there is more beyond the bound by `limit`."})


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a call.

    With `enveloped` the shape is that of `data`, a list of it with `many`; without, that of the whole body.
    A body that is no JSON has a `media_type` and no shape.
    """

    summary: str
    status: int = 200
    shape: type[Shape] | None = None
    example: Any = None
    many: bool = False
    enveloped: bool = True
    meta: type[MetaShape] = MetaShape
    meta_example: tuple[tuple[str, Any], ...] = ()
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()


def example_of(answer: Answer) -> Any:
    """Return the whole body of an example, in its envelope."""
    if not answer.enveloped:
        return answer.example
    return envelopes.success(answer.example, timestamp=iso(MOMENT), **dict(answer.meta_example))


def envelope_schema(*, success: bool, about: str, said: Json, meta: Json) -> Json:
    """Return the schema of an envelope around `said`, which is named `data` or `error`."""
    return {
        "type": "object",
        "required": ["success", about, "meta"],
        "properties": {"success": {"const": success}, about: said, "meta": meta},
    }


def failure_schema(errors: Iterable[type[SeanceError]], error: Json, meta: Json) -> Json:
    """Return the schema of an envelope whose error has one of these codes."""
    codes = {"type": "object", "properties": {"code": {"enum": [error.code for error in errors]}}}
    return envelope_schema(success=False, about="error", said={"allOf": [error, codes]}, meta=meta)


def error_table() -> str:
    """Return the catalogue of errors in Markdown."""
    head = "| status | code | meaning |\n|---|---|---|\n"
    again = {True: " Retryable.", False: ""}
    rows = (f"| {error.status} | `{error.code}` | {meaning(error)}{again[error.retryable]} |" for error in catalogue())
    return head + "\n".join(rows)


def in_order(errors: Iterable[type[SeanceError]]) -> list[type[SeanceError]]:
    """Return errors in the order of the catalogue."""
    return sorted(errors, key=lambda error: (error.status, error.code))


def meaning(error: type[SeanceError]) -> str:
    """Return what an error means, in a sentence."""
    return (error.__doc__ or "").strip()


def failure_example(error: type[SeanceError]) -> Json:
    """Return the envelope of an error as a client could meet it."""
    met = _MET.get(error)
    return {**envelopes.failure(met or error()), "meta": {"timestamp": iso(MOMENT)}}


def _refusal() -> ValidationFailed:
    try:
        inbound.read(inbound.CreateSessionSchema(), {"max_users": "6", "color": "red"})
    except ValidationFailed as error:
        return error
    raise AssertionError("the example of a refusal was accepted")


_MET: Final[dict[type[SeanceError], SeanceError]] = {
    ValidationFailed: _refusal(),
    SessionNotFound: SessionNotFound.of(SESSION_ID),
    RateLimited: RateLimited(details={"retry_after": 2}),
}
