"""What the spirit costs the people's chat, as a ratio within one run, and how soon its first word is in the room.

`python -m tests.turns.latency --rooms 20 --rate 40 --rounds 6`

Three servers stand side by side on one PostgreSQL: without a spirit, with the offline one, and with one from an
endpoint, which answer in every room. The same talk goes to each in turns, so that whatever else the machine does meets
all; each round is compared with the one beside it. On a machine that is busy otherwise only the CPU time says much.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
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
SETTLE_SECONDS = 1.5
FIRST_WORDS = 100


@dataclass
class Side:
    """One of the servers, with its rooms of two and what was measured there."""

    rooms: list[tuple[Guest, Guest]] = field(default_factory=list)
    acks_ms: list[float] = field(default_factory=list)
    arrivals_ms: list[float] = field(default_factory=list)
    cpu_ms: float = 0.0
    turns: int = 0

    async def talk(self, rate: float) -> None:
        """A round of messages, evenly over time and rooms."""
        began_at, sending = time.monotonic(), []
        for number in range(int(ROUND_SECONDS * rate)):
            await asyncio.sleep(max(0.0, began_at + number / rate - time.monotonic()))
            sending.append(asyncio.create_task(self._send(*self.rooms[number % len(self.rooms)])))
        await asyncio.gather(*sending)

    async def _send(self, one: Guest, other: Guest) -> None:
        text = f"{time.monotonic_ns()}?"
        sent_at = time.monotonic()
        await one.say(text)
        acked_at = time.monotonic()
        heard = await other.heard(text)
        self.acks_ms.append((acked_at - sent_at) * 1_000)
        self.arrivals_ms.append((heard.at - sent_at) * 1_000)

    def forget(self) -> None:
        """Begins anew; and looking through what the guests have heard would take longer and longer."""
        self.acks_ms, self.arrivals_ms = [], []
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
        sides: dict[str, list[Side]] = {}
        voices = {
            "none": {"SPIRIT_PROVIDER": "none"},
            "ouija": {"SPIRIT_PROVIDER": "ouija"},
            "openai": SPEAKING | {"SPIRIT_BASE_URL": endpoint},
        }
        servers = {}
        for name, own in voices.items():
            servers[name] = await stack.enter_async_context(ServerProcess(**common, **own))
            sides[name] = [await furnish(stack, http, servers[name].url, rooms)]
        before = machine_ticks()
        for count in range(rounds + 1):  # the first warms up
            names = list(sides) if count % 2 else list(sides)[::-1]
            for name in names:
                measured = await one_round(servers[name], sides[name][0], rate)
                sides[name] += [measured] if count else []
        after = machine_ticks()
        for name in voices:
            show(name, sides[name][1:], sides["none"][1:])
        idle, both = after[0] - before[0], after[1] - before[1]
        print(f"machine idle {100 * idle / both:.0f} % of the time; below 50 % the latencies say little")  # noqa: T201


async def one_round(server: ServerProcess, side: Side, rate: float) -> Side:
    """Talks on one server; what was measured is a side of its own."""
    cpu_ms = process_ms(server.pid)
    await side.talk(rate)
    await asyncio.sleep(SETTLE_SECONDS)  # the last turns end
    measured = Side(side.rooms, side.acks_ms, side.arrivals_ms)
    measured.cpu_ms = process_ms(server.pid) - cpu_ms
    measured.turns = sum(len(pair[0].named("spirit_finished")) for pair in side.rooms)
    side.forget()
    return measured


def process_ms(pid: int) -> float:
    """The CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000 / os.sysconf("SC_CLK_TCK")


def machine_ticks() -> tuple[int, int]:
    """How much of all CPUs' time was idle, and how much there was."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    return ticks[3] + ticks[4], sum(ticks[:8])


def show(name: str, spirit: Sequence[Side], none: Sequence[Side]) -> None:
    """Prints what a voice costs: CPU a message, and each percentile of all rounds together and of each pair of rounds.

    A round is too short for a 99th percentile of its own: it would be its second worst message.
    """
    sent = sum(len(side.acks_ms) for side in spirit)
    turns, cpu_ms = sum(side.turns for side in spirit), sum(side.cpu_ms for side in spirit)
    print(f"{name:7} n={sent} turns={turns} CPU {1_000 * cpu_ms / sent:.0f} us a message")  # noqa: T201
    for what in ("acks_ms", "arrivals_ms"):
        for label, cut in (("median", 50), ("p95", 95), ("p99", 99)):
            a, b = ([quantile(getattr(side, what), cut) for side in sides] for sides in (spirit, none))
            ratios = sorted(one / other for one, other in zip(a, b, strict=True))
            mine, plain = (
                quantile([ms for side in sides for ms in getattr(side, what)], cut) for sides in (spirit, none)
            )
            spread = f"of the rounds {statistics.median(ratios):5.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
            print(f"  {what:12} {label:7} {mine:7.2f} ms  ratio {mine / plain:5.2f}, {spread}")  # noqa: T201


def quantile(times: Sequence[float], cut: int) -> float:
    return statistics.quantiles(times, n=100)[cut - 1]


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
