"""Runs the application so that also what is no readable request gets our envelope, and never reaches the log."""

from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from server.errors import InternalError, ValidationFailed
from server.logs import REQUEST_ID, logger
from server.moments import new_id
from server.rest.middleware import error_response

log = logger()

# Proxies give up idle connections after a minute; half a request is not waited for any longer.
KEEPALIVE_SECONDS: Final = 75.0


class Runner(web.AppRunner):
    """An `AppRunner` whose connections are `Connection`s; takes the same options."""

    def __init__(self, app: web.Application, **options: Any) -> None:
        super().__init__(app, **{"access_log": None, "keepalive_timeout": KEEPALIVE_SECONDS, **options})

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server  # aiohttp has no other way to name the class of its connections
        return server


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class Connection(web.RequestHandler):
    """Answers what goes wrong outside of every handler.

    aiohttp's own words for that repeat what was sent, in the answer and in the log: a message's text, or a token.
    """

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Return the error's envelope; the connection ends behind it."""
        request_id = REQUEST_ID.get() or new_id()
        REQUEST_ID.set(request_id)
        self.log_exception(exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is written already")
        unreadable = ValidationFailed(details={"_request": [_what_is_wrong(exc)]})
        response = error_response(unreadable if status < InternalError.status else InternalError())
        response.headers["X-Request-ID"] = request_id
        response.force_close()
        return response

    def log_exception(self, *_: object, exc_info: BaseException | None = None, **__: object) -> None:
        """Log a fault of ours with its place, one of the client's by its kind."""
        if isinstance(exc_info, HttpProcessingError | web.RequestPayloadError):
            log.info("request.unreadable", error=type(exc_info).__name__)
        else:
            log.error("request.failed", exc_info=exc_info)


def _what_is_wrong(error: BaseException | None) -> str:
    if isinstance(error, LineTooLong):
        return "A line of the request's head is too long."
    return "Not a request of HTTP/1.1."
