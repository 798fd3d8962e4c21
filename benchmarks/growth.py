"""What one unit of work costs as there is more of everything; draws docs/growth-*.svg.

    python -m benchmarks.growth                    measure all, then draw
    python -m benchmarks.growth rooms history      measure these anew, then draw all
    python -m benchmarks.growth --draw             draw what was measured last

Costs are CPU of the server process as Linux counts it. The private PostgreSQL waits for no disk, whose moods would
decide how many messages share a commit, and so what each costs. Takes about ten minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import aiohttp
import psutil

from benchmarks.guard import fingerprint
from benchmarks.nowhere import Process
from benchmarks.plot import draw
from benchmarks.rows import backend_seconds, filled, new_sessions
from benchmarks.stage import database, prepared, serving
from server.core.messages import drafted
from server.domain import Participant, UserId
from server.loadtest.plan import Plan, Trouble
from server.loadtest.probe import NOTHING, Cost, cost_of
from server.loadtest.run import gathered, measured

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.services.processes import ServerProcess

FIGURES = Path(__file__).with_name("growth.json")
# Heartbeats of many thousands would be charged to the messages that we want to count.
QUIET = {"PING_INTERVAL_SECONDS": "300", "PING_TIMEOUT_SECONDS": "300"}
LOOKS = 3
SECONDS = 2.0
PAGES, STORED_AT_ONCE = 200, 20
SEATED_AT_ONCE, TRIES = 500, 5
TOLD = 5_000
GUEST = Participant(UserId("guest"), "Guest")
WEIGHED = 500  # fewer connections weigh less than the allocator's whims
SPARE_FILES = 1_000

Point = tuple[int, float]
Lines = dict[str, list[Point]]


def say(what: str, at: int, **figures: float) -> None:
    print(f"{what:<12}{at:>12,}   " + ", ".join(f"{name} {value:,.2f}" for name, value in figures.items()), flush=True)


async def message_cost(server: ServerProcess, sessions: list[str], **wishes: Any) -> dict[str, float]:
    """CPU of the server for one message and one delivery in these sessions, in microseconds."""
    plan = Plan(server.url, rooms=len(sessions), pid=server.pid, **{"seconds": SECONDS, "warmup": 0.5} | wishes)
    async with gathered(plan, sessions) as crowd:
        report = await measured(crowd)
    if not report.passed:
        raise RuntimeError(f"this run is worth nothing:\n{report}")
    found: dict[str, float] = report.as_object()["server"]
    return found


async def settle(stack: AsyncExitStack, server: ServerProcess, sessions: list[str], *, people: int) -> Cost:
    """What it cost to seat people in these sessions, who stay until `stack` ends.

    A disk that hesitates may have some refused; then they come again, as real ones would, and count only then.
    """
    plan, spent = Plan(server.url, people=people, connect_only=True, pid=server.pid), NOTHING
    for first in range(0, len(sessions), SEATED_AT_ONCE):
        for patience in reversed(range(TRIES)):
            try:
                crowd = await stack.enter_async_context(gathered(plan, sessions[first : first + SEATED_AT_ONCE]))
            except Trouble:
                if not patience:
                    raise
                await asyncio.sleep(SECONDS)
            else:
                cost = crowd.connect_cost
                spent = Cost(spent.cpu_seconds + cost.cpu_seconds, spent.memory_bytes + cost.memory_bytes)
                break
    return spent


def open_connections() -> int:
    """How many connections this process may have."""
    return psutil.Process().rlimit(psutil.RLIMIT_NOFILE)[0] - SPARE_FILES


async def rooms(most: int) -> Lines:
    """An active set of 20 rooms of 6 beside ever more rooms in which one person keeps silent.

    A control server without them is measured in turns: the machine has its moods.
    """
    lines: Lines = {"beside idle rooms": [], "beside none": [], "memory": []}
    async with AsyncExitStack() as stack:
        (url, _), (control_url, _) = (stack.enter_context(database("postgres", durable=False)) for _ in range(2))
        server = await stack.enter_async_context(serving(url, **QUIET))
        control = await stack.enter_async_context(serving(control_url, **QUIET))
        active, alone = await new_sessions(url, 20), await new_sessions(control_url, 20)
        await message_cost(server, active)
        joined = made = 0
        for count in steps(10, most):
            ids = await new_sessions(url, count - made)
            made = count
            free = open_connections() - 20 * 6 - joined
            if ids[:free]:
                spent = await settle(stack, server, ids[:free], people=1)
                joined += len(ids[:free])
                if len(ids[:free]) >= WEIGHED:
                    lines["memory"].append((joined, spent.memory_bytes / len(ids[:free])))
            gc.freeze()
            costs = [(await message_cost(server, active), await message_cost(control, alone)) for _ in range(LOOKS)]
            beside, none = (median(pair[which]["cpu_us_per_message"] for pair in costs) for which in (0, 1))
            lines["beside idle rooms"].append((count, beside))
            lines["beside none"].append((count, none))
            say("rooms", count, joined=joined, beside=beside, none=none)
    return lines | await rooms_on_no_network(most)


async def rooms_on_no_network(most: int) -> Lines:
    """The same in this process, without the kernel and the database: past what the limit of open files allows."""
    lines: Lines = {"no network": [], "memory, no network": []}
    with tempfile.TemporaryDirectory() as home:
        process = Process(Path(home))
        rooms, active = process.parts.rooms, await process.open_room(6)
        seqs = itertools.count(1)
        for count in steps(10, most):
            missing = count - len(rooms.sessions())
            weighed = missing - missing // 2
            for _ in range(missing // 2):  # these fill what telling has freed
                await process.open_room(1)
            before = psutil.Process().memory_info().rss
            for _ in range(weighed):
                await process.open_room(1)
            held = (psutil.Process().memory_info().rss - before) / weighed
            gc.freeze()
            began = time.thread_time()
            for seq in itertools.islice(seqs, TOLD):
                said = drafted(active, GUEST, "Is anybody there?")
                said.seq = seq
                rooms.tell_messages(active, [said])
                await asyncio.sleep(0)
            lines["no network"].append((count, (time.thread_time() - began) * 1e6 / TOLD))
            if weighed >= WEIGHED:
                lines["memory, no network"].append((count, held))
            say("no network", count, cost=lines["no network"][-1][1], memory=held)
    return lines


async def size(most: int) -> Lines:
    """One room of ever more connections, a hundred people at most; one and eight messages in flight."""
    lines: Lines = {"one in flight": [], "eight in flight": [], "joining": []}
    with database("postgres", durable=False) as (url, _):
        async with serving(url, **QUIET) as server:
            for count in [2, *steps(10, min(most, open_connections()))]:
                people = min(count, 100)
                found: dict[str, float] = {}
                for name, in_flight in (("one in flight", 1), ("eight in flight", 8)):
                    (session,) = await new_sessions(url, 1)
                    wishes = {"people": people, "tabs": count // people, "in_flight": in_flight}
                    found = await message_cost(server, [session], **wishes, seconds=2 * SECONDS)
                    lines[name].append((count, found["cpu_us_per_delivery"]))
                if count >= WEIGHED:
                    lines["joining"].append((count, found["cpu_us_per_connect"]))
                say("size", count, **{name: points[-1][1] for name, points in lines.items() if points})
    return lines


async def history(most: int) -> Lines:
    """Sessions with ever more messages: reading pages of 50, then storing some thousands more; the first warms up."""
    lines: Lines = {"store: server": [], "store: PostgreSQL": [], "read: newest": [], "read: from the middle": []}
    with database("postgres", durable=False) as (url, postgres):
        async with serving(url, **QUIET) as server, aiohttp.ClientSession() as http:
            for count in [0, *steps(1, most)]:
                (session,) = await new_sessions(url, 1)
                await filled(url, session, count)
                for name, where in {"read: newest": "", "read: from the middle": f"&after_seq={count // 2}"}.items():
                    page = f"{server.url}/api/sessions/{session}/messages?limit=50{where}"
                    read = [await page_cost(http, page, server, postgres) for _ in range(LOOKS)]
                    lines[name].append((count, median(read)))
                stored = [await storing_cost(server, url, session, postgres) for _ in range(LOOKS)]
                lines["store: server"].append((count, median(cost for cost, _ in stored)))
                lines["store: PostgreSQL"].append((count, median(cost for _, cost in stored)))
                say("history", count, **{name: points[-1][1] for name, points in lines.items()})
    return {name: points[1:] for name, points in lines.items()}


async def storing_cost(server: ServerProcess, url: str, session: str, postgres: int | None) -> tuple[float, float]:
    """CPU of the server and of PostgreSQL for one more message, in microseconds."""
    head, before = await filled(url, session, 0), backend_seconds(postgres)
    found = await message_cost(server, [session], in_flight=STORED_AT_ONCE, warmup=0.0)
    spent = backend_seconds(postgres) - before
    return found["cpu_us_per_message"], spent * 1e6 / (await filled(url, session, 0) - head)


async def page_cost(http: aiohttp.ClientSession, url: str, server: ServerProcess, postgres: int | None) -> float:
    """CPU of the server and of PostgreSQL for one page, in microseconds."""
    before = cost_of(server.pid).cpu_seconds + backend_seconds(postgres)
    for _ in range(PAGES):
        async with http.get(url) as answer:
            answer.raise_for_status()
            await answer.read()
    return (cost_of(server.pid).cpu_seconds + backend_seconds(postgres) - before) * 1e6 / PAGES


async def connections(most: int) -> Lines:
    """Ever more connections, in rooms of 6: what each cost and holds that came since the step before."""
    lines: Lines = {"CPU of a connect": [], "memory": []}
    async with AsyncExitStack() as stack:
        url, _ = stack.enter_context(database("postgres", durable=False))
        server = await stack.enter_async_context(serving(url, **QUIET))
        await settle(stack, server, await new_sessions(url, 100), people=6)
        joined = 0
        for count in [*(step for step in (100, 300, 1_000, 3_000, 10_000) if step < most), most]:
            count = min(count, open_connections() - 600) // 6 * 6  # noqa: PLW2901 - as far as we may go
            spent = await settle(stack, server, await new_sessions(url, (count - joined) // 6), people=6)
            connect, held = spent.cpu_seconds * 1e6 / (count - joined), spent.memory_bytes / (count - joined)
            joined = count
            gc.freeze()
            lines["CPU of a connect"].append((count, connect))
            if count >= WEIGHED:
                lines["memory"].append((count, held))
            say("connections", count, connect=connect, memory=held)
    return lines


def steps(first: int, last: int) -> list[int]:
    """Powers of ten times `first`, up to `last` and with it."""
    found = []
    while first < last:
        found.append(first)
        first *= 10
    return [*found, last]


MEASURES: dict[str, tuple[Callable[[int], Coroutine[Any, Any, Lines]], int]] = {
    "rooms": (rooms, 100_000),
    "size": (size, 10_000),
    "history": (history, 10_000_000),
    "connections": (connections, 20_000),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="NAME", choices=[*MEASURES, []], help=f"of {', '.join(MEASURES)}")
    options.add_argument("--draw", action="store_true", help="measure nothing")
    options.add_argument("--most", type=int, help="go up to here only, and draw nothing")
    wished = options.parse_args()
    figures: dict[str, Any] = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    if not wished.draw:
        for name in wished.names or MEASURES:
            measure, most = MEASURES[name]
            with prepared():
                figures[name] = asyncio.run(measure(min(most, wished.most or most)))
        figures["machine"] = fingerprint()
    if wished.most is None:
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        draw(figures)


if __name__ == "__main__":
    main()
