"""What a load test is asked to do, and why one cannot be done."""

import contextlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

RATE_LIMITED: Final = "RATE_LIMITED"


class Trouble(Exception):  # noqa: N818 - an answer for the user, in one line
    """Raised when a test cannot go on; the text is one line for the person who started it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One test.

    With `rate` messages come by chance (Poisson arrivals), so many a second in all; else each room has `in_flight`
    of them under way, and one that is acknowledged makes room for the next.
    """

    url: str
    rooms: int = 50
    people: int = 6
    tabs: int = 1
    rate: float | None = None
    in_flight: int = 1
    seconds: float = 10.0
    warmup: float = 2.0
    text_chars: int = 50
    connect_only: bool = False
    connect_rate: float | None = None
    token: str | None = None
    sources: tuple[str, ...] = ()
    spirit: bool = False
    pid: int | None = None

    @property
    def address(self) -> SplitResult:
        """Return the server's address in its parts; raises `Trouble` if it is none."""
        with contextlib.suppress(ValueError):  # a port that is none
            parts = urlsplit(self.url)
            if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
                return parts
        raise Trouble(f"{self.url} is no address of a server; one looks like http://localhost:8000")


def trouble_of(code: str, told: str, *, token: bool) -> Trouble:
    """Return what to tell the user about a refusal of the server."""
    if code == RATE_LIMITED:
        return Trouble(
            "the server's rate limits are in the way: start it with RATE_LIMITS=off, or use fewer people, "
            "a lower --rate, or --connect-rate"
        )
    if code in {"UNAUTHORIZED", "FORBIDDEN"}:
        why = "it refuses this --token" if token else "it asks for tokens"
        return Trouble(f"the server lets nobody in: {why}; `seance token create` there makes a service token ({code})")
    return Trouble(f"the server refuses: {code}: {told}")
