"""What surrounds every request: an id, a log line, and an envelope around whatever goes wrong."""

import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil
from typing import Final

import structlog
from aiohttp import web

from server.domain import new_id
from server.errors import (
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    SeanceError,
    Unauthorized,
    UnsupportedMediaType,
    ValidationFailed,
)
from server.logs import logger
from server.protocol.codec import dumps
from server.protocol.envelopes import failure

log = logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID: Final = web.RequestKey("request_id", str)
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
_OURS: Final[dict[int, type[SeanceError]]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    413: PayloadTooLarge,
    415: UnsupportedMediaType,
}


@web.middleware
async def request_ids(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every request an id, the client's own if it is sane, and log it under that id."""
    said = request.headers.get("X-Request-ID", "")
    request_id = said if _SANE_ID.fullmatch(said) else new_id()
    request[REQUEST_ID] = request_id
    began = time.perf_counter()
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        response = await handler(request)
        log.info(
            "request.handled",
            method=request.method,
            path=request.path,
            status=response.status,
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )
    return response


@web.middleware
async def error_envelopes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into its envelope, aiohttp's own too."""
    try:
        return await handler(request)
    except SeanceError as error:
        return error_response(error)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return error_response(_of(error), allow=error.headers.get("Allow"))
    except ConnectionResetError:
        raise
    except Exception:
        log.exception("request.failed", method=request.method, path=request.path)
        return error_response(InternalError())


async def sign_response(request: web.Request, response: web.StreamResponse) -> None:
    """Put the request's id on its answer, whoever made it."""
    if (request_id := request.get(REQUEST_ID)) is not None:
        response.headers.setdefault("X-Request-ID", request_id)


def error_response(error: SeanceError, *, allow: str | None = None) -> web.Response:
    """Return the envelope of an error with its status and headers."""
    response = web.Response(body=dumps(failure(error)), status=error.status, content_type="application/json")
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(ceil(float(str(error.details.get("retry_after", 1)))))
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer"
    if allow is not None:
        response.headers["Allow"] = allow
    return response


def _of(error: web.HTTPException) -> SeanceError:
    kind = _OURS.get(error.status)
    if kind is not None:
        return kind()
    return InternalError() if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ValidationFailed(error.reason)
