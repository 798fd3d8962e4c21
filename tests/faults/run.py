"""One run: clients speak, faults come one after another, then everything has to be there."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from tests.faults import breakages
from tests.faults.breakages import Fault, FaultError
from tests.faults.checker import Checker, Row, Violation
from tests.faults.clients import Claimant, Load, Speaker
from tests.faults.js_speakers import JsSpeakers
from tests.faults.links import RawLink, SocketIoLink
from tests.faults.world import DiedError, FaultyServer, World

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

SETTLE_SECONDS: Final = 30.0
MAX_USERS: Final = 3
CLAIMANTS: Final = 7
COMPLAINT_CHARS: Final = 50
SAMPLE_CHARS: Final = 3_000
ROWS: Final = "SELECT session_id, seq, id, user_id, text FROM messages"


@dataclass(frozen=True)
class Plan:
    """How much, how hard, and from which seed; `sqlite` is a file for a run without PostgreSQL and Redis."""

    messages: int = 20_000
    faults: int = 40
    seed: int = 1
    sessions: int = 5
    speakers: int = 4
    js_speakers: int = 2
    doors: int = 2
    processes: int = 3
    messages_per_second: float = 220.0
    pause_seconds: tuple[float, float] = (0.3, 2.0)
    sqlite: Path | None = None
    mutation: str = ""
    kinds: tuple[Fault, ...] = breakages.OF_SEVERAL


@dataclass
class Outcome:
    plan: Plan
    violations: list[Violation] = field(default_factory=list)
    acked: int = 0
    heard: int = 0
    seconds: float = 0.0
    settle_seconds: float = 0.0
    reconnects: int = 0
    seats_taken: int = 0
    js_recovered: int = 0
    ack_seconds: list[float] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    complaints: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        centiles = statistics.quantiles(self.ack_seconds, n=100) if len(self.ack_seconds) > 1 else [0.0] * 99
        return (
            f"seed {self.plan.seed}: {self.acked} acked, {self.heard} heard, {sum(self.faults.values())} faults"
            f" in {self.seconds:.0f} s, settled in {self.settle_seconds:.1f} s; {self.reconnects} reconnects,"
            f" {self.seats_taken} seats taken, {self.js_recovered} recoveries of socket.io-client;"
            f" ack median {centiles[49] * 1000:.0f} ms, 99 % {centiles[98]:.2f} s\n"
            f"refusals {self.refusals}\nfaults {dict(self.faults)}\ncomplaints {dict(self.complaints)}"
            + "".join(f"\n{sample}" for sample in self.samples.values())
        )


async def run(plan: Plan) -> Outcome:
    """What came of a plan; a violation is an answer, not an exception."""
    outcome = Outcome(plan)
    world = World(processes=plan.processes, sqlite=plan.sqlite, mutation=plan.mutation)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with world, aiohttp.ClientSession(connector=connector) as http:
        await Run(plan, world, http, outcome).whole()
        for line in world.complaints():
            kind = str(line.get("event"))[:COMPLAINT_CHARS]
            outcome.complaints[kind] += 1
            outcome.samples.setdefault(kind, json.dumps(line)[-SAMPLE_CHARS:])
    return outcome


class Run:
    def __init__(self, plan: Plan, world: World, http: aiohttp.ClientSession, outcome: Outcome) -> None:
        self._plan = plan
        self._world = world
        self._outcome = outcome
        self._choice = random.Random(plan.seed)
        self._checker = Checker()
        count = plan.sessions * plan.speakers + plan.js_speakers
        self._load = Load(http, self._checker, world.urls, self._choice, count / plan.messages_per_second)
        self._speakers: list[Speaker] = []
        self._claimants: list[Claimant] = []
        self._gates: list[asyncio.Event] = []

    async def whole(self) -> None:
        async with asyncio.TaskGroup() as tasks, JsSpeakers(self._load) as js:
            running = [tasks.create_task(work) for work in await self._begin(js)]
            running += [tasks.create_task(self._supervise(server)) for server in self._world.servers]
            try:
                await self._break_things()
                await self._enough()
                await self._settle(js)
            except FaultError as error:
                self._broken(error)
            finally:
                self._load.ends = True
                for task in running:
                    task.cancel()
        await self._account(js)

    async def _supervise(self, server: FaultyServer) -> None:
        try:
            await server.supervise()
        except DiedError as error:
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        self._checker.violations.append(Violation("life and death", str(error), ""))

    # -- the clients

    async def _begin(self, js: JsSpeakers) -> list[Coroutine[Any, Any, None]]:
        works: list[Coroutine[Any, Any, None]] = []
        session_ids = [await self._session(100) for _ in range(self._plan.sessions)]
        for place, session_id in enumerate(session_ids):
            for number in range(self._plan.speakers):
                link = RawLink if number % 3 == 2 else SocketIoLink
                speaker = Speaker(self._load, session_id, f"p{place}.{number}", link, 1 if number % 2 else 8)
                self._speakers.append(speaker)
                works.append(speaker.run())
        works += js.begin(session_ids, self._plan.js_speakers)
        for place in range(self._plan.doors):
            session_id, gate = await self._session(MAX_USERS), asyncio.Event()
            self._gates.append(gate)
            for number in range(CLAIMANTS):
                link = RawLink if number % 2 else SocketIoLink
                self._claimants.append(Claimant(self._load, session_id, f"c{place}.{number}", MAX_USERS, link))
                works.append(self._claimants[-1].run(gate))
            works.append(self._open_gate(gate))
        return works

    async def _open_gate(self, gate: asyncio.Event) -> None:
        """Lets all who want a seat try at the same moment."""
        while True:
            gate.set()
            await asyncio.sleep(0.05)
            gate.clear()
            await asyncio.sleep(1.0)

    async def _session(self, max_users: int) -> str:
        body = {"name": "fault", "max_users": max_users}
        async with self._load.http.post(f"{self._load.urls[0]}/api/sessions", json=body) as answer:
            return str((await answer.json())["data"]["id"])

    # -- the course of the run

    async def _break_things(self) -> None:
        for fault in breakages.schedule(self._plan.kinds, self._plan.faults, self._choice):
            await asyncio.sleep(self._choice.uniform(*self._plan.pause_seconds))
            self._note(f"{fault.__name__} begins")
            await fault(self._world, self._choice)
            self._outcome.faults[fault.__name__] += 1
            self._note(f"{fault.__name__} is over")
            if self._checker.violations:
                return

    async def _enough(self) -> None:
        """Returns when as much was acked as the plan wants."""
        while self._checker.acked_total < self._plan.messages and not self._checker.violations:
            await asyncio.sleep(0.2)

    async def _settle(self, js: JsSpeakers) -> None:
        """Nobody says anything new; what is left has to arrive within half a minute of the last fault."""
        self._load.speaks = False
        began = self._load.at()
        self._note("nothing new from here on")
        while self._load.at() - began < SETTLE_SECONDS and not await self._is_settled(js):
            await asyncio.sleep(0.25)
        self._outcome.settle_seconds = self._load.at() - began

    async def _is_settled(self, js: JsSpeakers) -> bool:
        if not js.are_quiet() or not all(speaker.is_in and speaker.is_quiet for speaker in self._speakers):
            return False
        heads = dict(await self._world.rows("SELECT id, last_seq FROM sessions"))
        everyone = [(speaker.session_id, speaker.last_seq) for speaker in self._speakers]
        everyone += [(speaker.session_id, speaker.last_seq) for speaker in js.speakers]
        return all(heads[session_id] == last_seq for session_id, last_seq in everyone)

    async def _account(self, js: JsSpeakers) -> None:
        outcome, load = self._outcome, self._load
        rows = [Row(*row) for row in await self._world.rows(ROWS)]
        # A run that broke off has much that did not arrive yet.
        outcome.violations = self._checker.violations or self._checker.finish(rows)
        outcome.acked, outcome.heard = self._checker.acked_total, self._checker.heard_total
        outcome.seconds, outcome.reconnects, outcome.refusals = load.at(), load.reconnects, load.refusals
        outcome.ack_seconds = load.ack_seconds
        outcome.seats_taken = sum(claimant.seats_taken for claimant in self._claimants)
        outcome.js_recovered = sum(speaker.recovered for speaker in js.speakers)

    def _note(self, what: str) -> None:
        self._checker.noted(self._load.at(), "fault", "", what)
