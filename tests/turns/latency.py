"""What the spirit costs the people's chat, as a ratio within one run, and how soon its first word is in the room.

`python -m tests.turns.latency --rooms 20 --rate 40 --rounds 6`

Two servers stand side by side on one PostgreSQL, one with a spirit that answers in every room and one without; the
same talk goes to both in turns, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from tests.cluster.guests import Guest, guest
from tests.conftest import migrate
from tests.services.postgres import Postgres
from tests.services.processes import ServerProcess
from tests.spirit.fake_openai import Mode, endpoint_process, serving
from tests.turns.endpoint import HeldOpenAI

if TYPE_CHECKING:
    from collections.abc import Sequence

QUIET = {"RATE_LIMITS": "off", "LOG_LEVEL": "warning", "MIGRATE_AT_START": "off"}
SPEAKING = {"SPIRIT_PROVIDER": "openai", "SPIRIT_API_KEY": "none"}
ROUND_SECONDS = 5.0
FIRST_WORDS = 100


@dataclass
class Side:
    """One of the two servers, with its rooms of two and what was measured there."""

    rooms: list[tuple[Guest, Guest]] = field(default_factory=list)
    acks_ms: list[float] = field(default_factory=list)
    arrivals_ms: list[float] = field(default_factory=list)

    async def talk(self, rate: float, *, is_counted: bool) -> None:
        """A round of messages, evenly over time and rooms."""
        began_at, sending = time.monotonic(), []
        for number in range(int(ROUND_SECONDS * rate)):
            await asyncio.sleep(max(0.0, began_at + number / rate - time.monotonic()))
            sending.append(asyncio.create_task(self._send(*self.rooms[number % len(self.rooms)], is_counted)))
        await asyncio.gather(*sending)

    async def _send(self, one: Guest, other: Guest, is_counted: bool) -> None:
        text = f"{time.monotonic_ns()}?"
        sent_at = time.monotonic()
        await one.say(text)
        acked_at = time.monotonic()
        heard = await other.heard(text)
        if is_counted:
            self.acks_ms.append((acked_at - sent_at) * 1_000)
            self.arrivals_ms.append((heard.at - sent_at) * 1_000)

    def forget(self) -> None:
        """Drops what the guests heard, or looking through it would take longer and longer."""
        for pair in self.rooms:
            for one in pair:
                one.told.clear()


async def furnish(stack: AsyncExitStack, http: aiohttp.ClientSession, url: str, rooms: int) -> Side:
    side = Side()
    for number in range(rooms):
        async with http.post(f"{url}/api/sessions", json={"name": f"room {number}"}) as answer:
            session_id = (await answer.json())["data"]["id"]
        pair = [await stack.enter_async_context(guest(http, url, session_id, name)) for name in ("ada", "bo")]
        side.rooms.append((pair[0], pair[1]))
    return side


async def compare(postgres: Postgres, rooms: int, rate: float, rounds: int) -> None:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        endpoint = await stack.enter_async_context(endpoint_process(Mode.SLOW))
        common = QUIET | {"DATABASE_URL": postgres.url}
        settings = {"with": SPEAKING | {"SPIRIT_BASE_URL": endpoint}, "without": {"SPIRIT_PROVIDER": "none"}}
        sides = {}
        for name, own in settings.items():
            server = await stack.enter_async_context(ServerProcess(**common, **own))
            sides[name] = await furnish(stack, http, server.url, rooms)
        for count in range(rounds + 1):  # the first warms up
            for side in sides.values():
                await side.talk(rate, is_counted=count > 0)
                await asyncio.sleep(1.0)  # the last turns end
                side.forget()
        for what in ("acks_ms", "arrivals_ms"):
            show(what, getattr(sides["with"], what), getattr(sides["without"], what))


def show(what: str, spirit: Sequence[float], none: Sequence[float]) -> None:
    for name, cut in (("median", 50), ("p95", 95), ("p99", 99)):
        a, b = (statistics.quantiles(times, n=100)[cut - 1] for times in (spirit, none))
        print(f"{what:12} {name:7} with {a:7.2f}  without {b:7.2f}  ratio {a / b:5.2f}  n={len(spirit)}")  # noqa: T201


async def first_words(postgres: Postgres) -> None:
    fake = HeldOpenAI(says=("The ", "candle ", "leans."))
    waits_ms = []
    async with serving(fake) as endpoint, aiohttp.ClientSession() as http:
        settings = QUIET | SPEAKING | {"SPIRIT_BASE_URL": endpoint, "DATABASE_URL": postgres.url}
        async with ServerProcess(**settings) as server, AsyncExitStack() as stack:
            ada, _ = (await furnish(stack, http, server.url, 1)).rooms[0]
            for _ in range(FIRST_WORDS):
                await ada.say("Go on?")
                heard = await ada.wait("spirit_delta")
                waits_ms.append((heard.at - fake.first_word_at) * 1_000)
                await ada.wait("spirit_finished")
                ada.told.clear()
    cuts = statistics.quantiles(waits_ms, n=100)
    print(f"first word to first delta, ms: median {cuts[49]:.2f}, p95 {cuts[94]:.2f}, n={len(waits_ms)}")  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=20)
    parser.add_argument("--rate", type=float, default=40.0, help="messages a second, over all rooms")
    parser.add_argument("--rounds", type=int, default=6)
    asked = parser.parse_args()
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(durable=True))
        migrate(postgres.url)
        asyncio.run(first_words(postgres))
        asyncio.run(compare(postgres, asked.rooms, asked.rate, asked.rounds))


if __name__ == "__main__":
    main()
