"""Rooms full of people who talk over each other while the owners of turns are killed.

`python -m tests.turns.crowd --sessions 200 --seconds 60 --kills 6`
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.cluster.guests import Guest, RefusedError, connect
from tests.faults.world import World
from tests.spirit.fake_openai import Mode, endpoint_process
from tests.turns.checking import Watcher

if TYPE_CHECKING:
    from tests.services.processes import ServerProcess

PROCESSES = 4
PEOPLE = 2
OVERLAPS = ("merge", "queue", "interrupt", "drop")
PAUSE_SECONDS = 0.15
RETRY_SECONDS = 0.3
ARRIVAL_SECONDS = 0.02
SETTLE_SECONDS = 60.0
OPEN = "SELECT count(*) FROM turns WHERE ended_at IS NULL"
TOGETHER = """
    SELECT a.id, b.id FROM turns a JOIN turns b ON a.session_id = b.session_id AND a.id < b.id
    WHERE a.started_at < b.ended_at AND b.started_at < a.ended_at
"""
TWICE = """
    SELECT session_id, client_message_id FROM messages WHERE is_spirit GROUP BY 1, 2 HAVING count(*) > 1
"""
REASONS = "SELECT reason, count(*) FROM turns GROUP BY reason"


@dataclass(frozen=True)
class Plan:
    """How many, how long; people of a room talk about every `every_seconds`, nearly at once."""

    sessions: int = 200
    seconds: float = 60.0
    kills: int = 6
    every_seconds: float = 8.0
    seed: int = 1


@dataclass
class Outcome:
    """What was seen: figures, and a sentence for each breach of the rules."""

    faults: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)


@dataclass
class Person:
    """Someone who comes back to another process whenever theirs is gone."""

    session_id: str
    user_id: str
    crowd: Crowd
    guest: Guest | None = None
    watcher: Watcher = field(default_factory=Watcher)

    async def stay(self) -> None:
        """Holds every connection to the rules, one after the other."""
        while True:
            with suppress(RefusedError, aiohttp.ClientError, OSError, AssertionError, TypeError, TimeoutError):
                await self._stay_once()
            self.crowd.outcome.figures["connections lost"] += 1
            await asyncio.sleep(RETRY_SECONDS)

    async def say(self, text: str) -> None:
        if self.guest is not None and not self.guest.is_gone:
            with suppress(TimeoutError, aiohttp.ClientError, OSError):
                await self.guest.call("send_message", {"message": text})
                self.crowd.outcome.figures["messages"] += 1

    async def _stay_once(self) -> None:
        server = self.crowd.random.choice([one for one in self.crowd.world.servers if one.returncode is None])
        one = await connect(self.crowd.http, server.url, session_id=self.session_id, user_id=self.user_id)
        self.watcher = Watcher()
        reading = asyncio.create_task(one.read())
        try:
            one.joined = (await one.wait("session_joined")).said
            self.watcher.joins(one.joined.get("turn"))
            self.guest = one
            await reading
        finally:
            reading.cancel()
            self._check(one)
            await one.socket.close()

    def _check(self, one: Guest) -> None:
        self.guest = None
        for told in one.told:
            self.watcher.hear(told)
        self.crowd.outcome.figures["deltas"] += len(one.named("spirit_delta"))
        self.crowd.outcome.figures["ends seen"] += len(one.named("spirit_finished"))
        for told in one.named("spirit_finished"):
            if error := told.said.get("error"):
                self.crowd.causes[told.said["turn_id"]] = error["details"].get("cause", error["code"])
        self.crowd.outcome.faults += [f"{self.user_id} in {self.session_id}: {fault}" for fault in self.watcher.faults]


@dataclass
class Crowd:
    """A run under way."""

    plan: Plan
    world: World
    http: aiohttp.ClientSession
    outcome: Outcome = field(default_factory=Outcome)
    people: list[list[Person]] = field(default_factory=list)
    causes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.plan.seed)

    async def run(self) -> Outcome:
        for number in range(self.plan.sessions):
            session_id = await self._session(OVERLAPS[number % len(OVERLAPS)])
            self.people.append([Person(session_id, f"p{count}", self) for count in range(PEOPLE)])
        staying = []
        for person in (person for room in self.people for person in room):
            staying.append(asyncio.create_task(person.stay()))
            await asyncio.sleep(ARRIVAL_SECONDS)
        talking = [asyncio.create_task(self._talk(room)) for room in self.people]
        try:
            await self._kill()
            await asyncio.gather(*talking)
            await self._settle()
        finally:
            for task in staying:
                task.cancel()
            await asyncio.gather(*staying, return_exceptions=True)
        await self._check_table()
        self.outcome.figures.update(f"failed by {cause}" for cause in self.causes.values())
        return self.outcome

    async def _session(self, overlap: str) -> str:
        url = f"{self.world.servers[0].url}/api/sessions"
        async with self.http.post(url, json={"name": "crowd", "spirit": {"overlap": overlap}}) as answer:
            made: dict[str, Any] = (await answer.json())["data"]
        return str(made["id"])

    async def _talk(self, room: list[Person]) -> None:
        until = time.monotonic() + self.plan.seconds
        await asyncio.sleep(self.random.uniform(0, self.plan.every_seconds))
        while time.monotonic() < until:
            for person in room:
                await person.say(f"{person.user_id} asks {self.random.random()}")
                await asyncio.sleep(self.random.uniform(0, 1.2))
            await asyncio.sleep(self.random.uniform(0.5, 1.5) * self.plan.every_seconds)

    async def _kill(self) -> None:
        pause = self.plan.seconds / (self.plan.kills + 1)
        for _ in range(self.plan.kills):
            await asyncio.sleep(pause)
            victim: ServerProcess = self.random.choice(self.world.servers)
            await victim.kill()
            self.outcome.figures["kills"] += 1
            await victim.start()

    async def _settle(self) -> None:
        """Returns when no turn is under way; with all chairs taken, so that everyone hears the last one end."""
        give_up_at = time.monotonic() + SETTLE_SECONDS
        quiet = 0
        while quiet < 3 and time.monotonic() < give_up_at:
            await asyncio.sleep(0.5)
            quiet = quiet + 1 if (await self.world.rows(OPEN))[0][0] == 0 else 0
        for room in self.people:
            for person in room:
                self._check_silence(person)

    def _check_silence(self, person: Person) -> None:
        """Whoever is there has heard the end of whatever they heard begin."""
        if person.guest is None:
            return
        watcher = Watcher()
        watcher.joins(person.guest.joined.get("turn"))
        for told in person.guest.told:
            watcher.hear(told)
        if watcher.running is not None:
            self.outcome.faults.append(f"{person.user_id} in {person.session_id}: turn {watcher.running} did not end")

    async def _check_table(self) -> None:
        left = (await self.world.rows(OPEN))[0][0]
        self.outcome.faults += [f"{left} turns are open in the table"] if left else []
        self.outcome.faults += [f"turns {a} and {b} ran together" for a, b in await self.world.rows(TOGETHER)]
        self.outcome.faults += [f"turn {turn} in {room} spoke twice" for room, turn in await self.world.rows(TWICE)]
        self.outcome.figures.update({f"turns {reason}": count for reason, count in await self.world.rows(REASONS)})


async def run(plan: Plan) -> Outcome:
    """The outcome of a run with its own PostgreSQL, Redis, endpoint and servers."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    endpoint = endpoint_process(Mode.SLOW, pause_seconds=PAUSE_SECONDS)
    async with endpoint as url, aiohttp.ClientSession(connector=connector) as http:
        settings = {"SPIRIT_PROVIDER": "openai", "SPIRIT_BASE_URL": url, "SPIRIT_API_KEY": "none"}
        patient = {"PING_TIMEOUT_SECONDS": "20", "LOG_LEVEL": "error"}
        async with World(processes=PROCESSES, has_proxies=False, settings=settings | patient) as world:
            return await Crowd(plan, world, http).run()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=Plan.sessions)
    parser.add_argument("--seconds", type=float, default=Plan.seconds)
    parser.add_argument("--kills", type=int, default=Plan.kills)
    parser.add_argument("--every-seconds", type=float, default=Plan.every_seconds)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    plan = Plan(**vars(parser.parse_args()))
    outcome = asyncio.run(run(plan))
    print(plan, dict(sorted(outcome.figures.items())), *outcome.faults[:20], f"{len(outcome.faults)} faults", sep="\n")  # noqa: T201
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
