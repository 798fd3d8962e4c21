"""Which pages may call: one list for REST, Socket.IO and the raw door."""

from dataclasses import dataclass
from typing import Final

import aiohttp_cors
from aiohttp import hdrs, web

EXPOSED: Final = ("X-Request-ID", "Location", "Retry-After")


@dataclass(frozen=True, slots=True)
class Origins:
    """The configured origins, and our own."""

    allowed: tuple[str, ...]

    def allows(self, origin: str | None, host: str | None) -> bool:
        """Tell whether a request with this `Origin` and `Host` may connect; one without an origin is no page."""
        if origin is None:
            return True
        ours = host is not None and origin in {f"http://{host}", f"https://{host}"}
        return ours or origin in self.allowed

    def allows_request(self, request: web.Request) -> bool:
        """Tell whether a request may connect."""
        return self.allows(request.headers.get("Origin"), request.headers.get("Host"))

    def guard(self, app: web.Application, routes: list[web.AbstractRoute]) -> None:
        """Answer the CORS questions of browsers about these routes (Fetch standard, section 3.2).

        Every other answer can be read by a listed origin too, such as that nothing is there.
        """
        options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]
            allow_credentials=True,
            expose_headers=EXPOSED,
            allow_headers=("Content-Type", "Authorization", "Idempotency-Key", "X-Request-ID"),
            allow_methods="*",
            max_age=600,
        )
        cors = aiohttp_cors.setup(app, defaults=dict.fromkeys(self.allowed, options))
        for route in routes:
            cors.add(route)
        app.on_response_prepare.append(self._sign)

    async def _sign(self, request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        if hdrs.ORIGIN not in headers.get(hdrs.VARY, ""):
            headers.add(hdrs.VARY, hdrs.ORIGIN)  # else a cache would hand one origin's answer to another
        origin = request.headers.get(hdrs.ORIGIN)
        if origin in self.allowed and hdrs.ACCESS_CONTROL_ALLOW_ORIGIN not in headers:
            headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
            headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ",".join(EXPOSED)


def plain_options(request: web.Request) -> web.Response | None:
    """Return the answer to an OPTIONS that asks nothing about CORS: which methods there are; None for any other."""
    if hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
        return None
    resource = request.match_info.route.resource
    methods = sorted({route.method for route in resource or ()})
    return web.Response(status=204, headers={hdrs.ALLOW: ",".join(methods)})
