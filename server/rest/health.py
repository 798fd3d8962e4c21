"""Whether this process is well, for people, load balancers and Prometheus."""

from asyncio import gather, to_thread
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from server.moments import stamp
from server.protocol.codec import dumps

PING_SECONDS: Final = 2.0

Ping = Callable[[float], Awaitable[bool]]


@dataclass(slots=True)
class Health:
    """The state of this process; `phase` goes from `starting` over `ready` to `draining`."""

    environment: str
    ping_database: Ping
    ping_backplane: Ping
    registry: CollectorRegistry
    phase: str = "starting"

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/health", self.health),
            web.get("/health/live", self.live),
            web.get("/health/ready", self.ready),
            web.get("/metrics", self.metrics),
        ]

    async def health(self, _: web.Request) -> web.Response:
        """Tell whether the database answers."""
        connected = await self.ping_database(PING_SECONDS)
        said = {
            "status": "healthy" if connected else "unhealthy",
            "database": "connected" if connected else "disconnected",
            "environment": self.environment,
            "timestamp": stamp(),
        }
        return _plain(said, 200 if connected else 503)

    async def live(self, _: web.Request) -> web.Response:
        """Tell that the loop turns."""
        return _plain({"status": "live"}, 200)

    async def ready(self, _: web.Request) -> web.Response:
        """Tell whether this process should get traffic."""
        if self.phase != "ready":
            return _plain({"status": self.phase}, 503)
        database, backplane = await gather(self.ping_database(PING_SECONDS), self.ping_backplane(PING_SECONDS))
        if database and backplane:
            return _plain({"status": "ready"}, 200)
        return _plain({"status": "no database" if not database else "no backplane"}, 503)

    async def metrics(self, _: web.Request) -> web.Response:
        """Show the counters to Prometheus."""
        return web.Response(
            body=await to_thread(generate_latest, self.registry),  # it reads files of /proc
            headers={"Content-Type": CONTENT_TYPE_LATEST},
        )


def _plain(said: dict[str, str], status: int) -> web.Response:
    return web.Response(body=dumps(said), status=status, content_type="application/json")
