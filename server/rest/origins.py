"""Which pages may call: one list for REST, Socket.IO and the raw door."""

from dataclasses import dataclass

import aiohttp_cors
from aiohttp import web


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
        """Answer the CORS questions of browsers about these routes (Fetch standard, section 3.2)."""
        options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]
            allow_credentials=True,
            expose_headers=("X-Request-ID", "Location", "Retry-After"),
            allow_headers=("Content-Type", "Authorization", "Idempotency-Key", "X-Request-ID"),
            allow_methods="*",
            max_age=600,
        )
        cors = aiohttp_cors.setup(app, defaults=dict.fromkeys(self.allowed, options))
        for route in routes:
            cors.add(route)
