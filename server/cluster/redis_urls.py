"""From `REDIS_URL` to clients: one server, Sentinel, or any node of a cluster."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 2.0
_SENTINEL_PORT: Final = 26379
_REDIS_PORT: Final = 6379


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """A parsed URL.

    `redis://user:password@host:port/0` and `rediss://` (TLS) name one server, `unix://path` a socket,
    `redis+sentinel://host,host/service/0` a master that Sentinel knows, `redis+cluster://host,host` the nodes
    of a cluster: what is published on one is heard on all, so any node that answers will do.
    """

    text: str

    def clients(self) -> Iterator[Redis]:
        """Yield the clients to try, in turn, without end; nothing is connected yet."""
        parts = urlsplit(self.text)
        scheme, _, kind = parts.scheme.partition("+")
        if not kind:
            while True:
                yield Redis.from_url(self.text, **_options())
        hosts = list(_hosts(parts, _SENTINEL_PORT if kind == "sentinel" else _REDIS_PORT))
        login: dict[str, Any] = {"username": parts.username, "password": parts.password, "ssl": scheme == "rediss"}
        while True:
            if kind == "sentinel":
                yield _master(hosts, parts.path, login)
            else:
                for host, port in hosts:
                    yield Redis(host=host, port=port, **login, **_options())


def _master(hosts: list[tuple[str, int]], path: str, login: dict[str, Any]) -> Redis:
    service, _, database = path.strip("/").partition("/")
    sentinel = Sentinel(hosts, sentinel_kwargs=_options())  # type: ignore[no-untyped-call]
    client: _Master = sentinel.master_for(service, redis_class=_Master, db=int(database or 0), **login, **_options())
    client.watchers = sentinel.sentinels
    return client


class _Master(Redis):
    """A client that also closes what asked Sentinel for it; the library leaves those connections open."""

    watchers: Sequence[Redis] = ()

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close every connection."""
        await super().aclose(close_connection_pool)
        for watcher in self.watchers:
            await watcher.aclose()


def _hosts(parts: SplitResult, default_port: int) -> Iterator[tuple[str, int]]:
    for place in parts.netloc.rpartition("@")[2].split(","):
        host, _, port = place.rpartition(":") if place.rpartition(":")[2].isdigit() else (place, "", "")
        yield host.strip("[]"), int(port or default_port)


def _options() -> dict[str, Any]:
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),  # whoever calls knows better when to try again
        "protocol": 2,  # all that is needed, on any Redis; with 3 the library asks for maintenance news as well
        "driver_info": None,  # to tell Redis its version, the library would read files inside the loop
    }
