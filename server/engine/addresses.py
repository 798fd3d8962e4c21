"""Who a request comes from, and how often one address may knock."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

_MAX_ADDRESSES = 10_000


class Addresses:
    """Reads the client's address, behind the proxies that are trusted."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(entry, strict=False) for entry in trusted_proxies]

    def of(self, request: web.BaseRequest) -> str:
        """The nearest address that is no trusted proxy; behind a Unix socket there is one."""
        remote = request.remote or ""
        if remote and not self._trusted:
            return remote
        hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        for hop in reversed([hop.strip() for hop in hops]):
            if not self.trusts(remote) or not _is_address(hop):
                break
            remote = hop
        return remote

    def trusts(self, address: str) -> bool:
        """Whether an address is a trusted proxy's; a Unix socket is."""
        if not address:
            return True
        if not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self._trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


class Gate:
    """A token bucket for each key: `rate` a second after a burst; a rate of 0 lets all through.

    The keys used longest ago are forgotten first, so memory is bounded and a flood of new keys
    gains nothing but its own burst.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, key: str, now: float) -> bool:
        """Takes a token; False when there is none."""
        if not self._rate:
            return True
        tokens, since = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        admitted = tokens >= 1
        self._buckets[key] = (tokens - admitted, now)
        if len(self._buckets) > _MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return admitted
