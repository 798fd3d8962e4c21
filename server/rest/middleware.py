"""What surrounds every request: an id, a log line, and an envelope around whatever goes wrong."""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil
from typing import Final

from aiohttp import hdrs, web

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
from server.logs import REQUEST_ID, logger
from server.moments import new_id
from server.protocol.codec import dumps
from server.protocol.envelopes import failure
from server.rest.origins import plain_options

log = logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

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
async def surroundings(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every request an id, the client's own if it is sane; turn its errors into envelopes; log it.

    The id stays set: aiohttp handles each request in a task of its own.
    """
    said = request.headers.get("X-Request-ID")
    REQUEST_ID.set(said if said is not None and _SANE_ID.fullmatch(said) else new_id())
    began = time.perf_counter()
    try:
        response = await handler(request)
    except SeanceError as error:
        response = error_response(error)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        response = _answer_to(request, error)
    except ConnectionResetError:
        raise
    except Exception:
        log.exception("request.failed", method=request.method, path=request.path)
        response = error_response(InternalError())
    if log.is_enabled_for(logging.INFO):
        log.info(
            "request.handled",
            method=request.method,
            path=request.path,
            status=response.status,
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )
    return response


async def sign_response(_: web.Request, response: web.StreamResponse) -> None:
    """Put the request's id on its answer, whoever made it, also one that no handler was asked for."""
    response.headers.setdefault("X-Request-ID", REQUEST_ID.get() or new_id())


def error_response(error: SeanceError, *, allow: str | None = None) -> web.Response:
    """Return the envelope of an error with its status and headers."""
    response = web.Response(body=dumps(failure(error)), status=error.status, content_type="application/json")
    retry_after = error.details.get("retry_after", 1 if isinstance(error, RateLimited) else None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(ceil(float(str(retry_after))))
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer"
    if allow is not None:
        response.headers["Allow"] = allow
    return response


def _answer_to(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if request.method == hdrs.METH_OPTIONS and error.status == Forbidden.status:  # aiohttp-cors refuses like this
        cross_origin = Forbidden("Pages of this origin may not call that", {"origin": request.headers.get(hdrs.ORIGIN)})
        return plain_options(request) or error_response(cross_origin)
    return error_response(_of(error), allow=error.headers.get("Allow"))


def _of(error: web.HTTPException) -> SeanceError:
    kind = _OURS.get(error.status)
    if kind is not None:
        return kind()
    return InternalError() if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ValidationFailed(error.reason)
