"""Starts this checkout's server on a private database and runs the documented scenarios against it.

python -m benchmarks.run                          all of them, on PostgreSQL
python -m benchmarks.run --database sqlite rooms6 rate200
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from benchmarks.guard import fingerprint
from benchmarks.stage import database, prepared, serving
from server.loadtest.plan import Plan
from server.loadtest.probe import cost_of
from server.loadtest.run import gathered, load_test
from server.loadtest.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.services.processes import ServerProcess

RESULTS = Path(__file__).with_name("results")
CALLERS = 32
GONE_SECONDS = 0.5

Found = dict[str, Any]
TALKS = {
    "rooms6": "200 rooms of 6, one message in flight in each",
    "rooms6x4": "200 rooms of 6, four in flight in each",
    "fan1000x1": "a room of 1,000, one in flight",
    "fan1000": "a room of 1,000, eight in flight",
    "rate200": "50 rooms of 6, 200 messages a second by chance",
    "connects": "2,000 connections in rooms of 2, which stay and say nothing",
}
PLANS: dict[str, dict[str, Any]] = {
    "rooms6": {"rooms": 200},
    "rooms6x4": {"rooms": 200, "in_flight": 4},
    "fan1000x1": {"rooms": 1, "people": 1000},
    "fan1000": {"rooms": 1, "people": 1000, "in_flight": 8},
    "rate200": {"rate": 200.0},
    "connects": {"rooms": 1000, "people": 2, "connect_only": True},
}


async def talk(name: str, server: ServerProcess, seconds: float) -> Found:
    report = await load_test(Plan(server.url, pid=server.pid, seconds=seconds, warmup=1.0, **PLANS[name]))
    print(f"\n{name}: {TALKS[name]}\n{report}")
    return report.as_object()


async def storm(server: ServerProcess, _: float) -> Found:
    """2,000 clients vanish at once: what each costs, counted until the server is quiet."""
    async with gathered(Plan(server.url, rooms=1000, people=2, connect_only=True)) as crowd:
        before = now = cost_of(server.pid)
        gone = len(crowd.everyone)
        for guest in crowd.everyone:
            guest.vanish()
        while True:
            await asyncio.sleep(GONE_SECONDS)
            last, now = now, cost_of(server.pid)
            if now.cpu_seconds - last.cpu_seconds <= 0.05 * GONE_SECONDS:
                break
    found = {"connections": gone, "cpu_us_per_connection": round(now.since(before).cpu_seconds * 1e6 / gone, 1)}
    print(f"\nstorm: {gone:,} clients vanish at once: {found['cpu_us_per_connection']} us of CPU each")
    return found


async def rest(server: ServerProcess, seconds: float) -> Found:
    """Sessions made and read by callers with connections that stay open."""
    async with Sessions(Plan(server.url)) as sessions:
        (made,) = await sessions.create(1)
    url = f"{server.url}/api/sessions"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CALLERS)) as http:
        calls: dict[str, Callable[[], Any]] = {
            "create": lambda: http.post(url, json={"name": "Benchmark"}),
            "get": lambda: http.get(f"{url}/{made}"),
        }
        found = {name: await _calls(call, server, seconds) for name, call in calls.items()}
    for name, figures in found.items():
        print(f"\nrest {name}: {figures['cpu_us_per_call']} us of CPU a call, {figures['calls_per_s']:,} a second")
    return found


async def _calls(call: Callable[[], Any], server: ServerProcess, seconds: float) -> Found:
    until = time.perf_counter() + seconds
    before, began = cost_of(server.pid), time.perf_counter()

    async def caller() -> int:
        done = 0
        while time.perf_counter() < until:
            async with call() as answer:
                answer.raise_for_status()
                await answer.read()
            done += 1
        return done

    done = sum(await asyncio.gather(*(caller() for _ in range(CALLERS))))
    spent = cost_of(server.pid).since(before).cpu_seconds
    rate = round(done / (time.perf_counter() - began))
    return {"calls_per_s": rate, "cpu_us_per_call": round(spent * 1e6 / done, 1)}


OTHERS: dict[str, Callable[[ServerProcess, float], Awaitable[Found]]] = {"storm": storm, "rest": rest}
NAMES = (*PLANS, *OTHERS)


async def scenario(name: str, kind: str, seconds: float) -> Found:
    """The figures of one scenario: a fresh server on an empty database."""
    with database(kind) as (url, _):
        async with serving(url) as server:
            if name in PLANS:
                return await talk(name, server, seconds)
            return await OTHERS[name](server, seconds)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="NAME", choices=[*NAMES, []], help=f"of {', '.join(NAMES)}")
    options.add_argument("--database", choices=("postgres", "sqlite"), default="postgres")
    options.add_argument("--seconds", type=float, default=5.0, help="measured for each (%(default)s)")
    options.add_argument("--json", type=Path, help="where to record the figures, instead of benchmarks/results/")
    wished = options.parse_args()
    with prepared():
        found = {name: asyncio.run(scenario(name, wished.database, wished.seconds)) for name in wished.names or NAMES}
    moment = datetime.now(UTC)
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    record = {
        "at": moment.isoformat(timespec="seconds"),
        "machine": fingerprint(),
        "revision": head.stdout.strip(),
        "database": wished.database,
        "scenarios": found,
    }
    file = wished.json or RESULTS / f"{moment:%Y%m%dT%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"\nrecorded in {file}")
    return int(not all(figures.get("passed", True) for figures in found.values()))


if __name__ == "__main__":
    sys.exit(main())
