"""A test from its first connection to its verdict."""

import asyncio
import contextlib
import errno
import itertools
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from server.loadtest.guest import Guest, opening
from server.loadtest.ledger import Meter, Room
from server.loadtest.plan import RATE_LIMITED, Plan, Trouble, trouble_of
from server.loadtest.probe import NOTHING, Cost, cost_of
from server.loadtest.report import Connected, Report
from server.loadtest.sessions import Sessions

CONNECTING_AT_ONCE: Final = 64
PATIENCE_SECONDS: Final = 5.0
AFTER_AN_ERROR_SECONDS: Final = 0.1
# A loop's timer is up to 1 ms late; for that long we look again and again instead.
SPIN_SECONDS: Final = 0.0015
_LOOK_SECONDS: Final = 0.02
_TLS_PORT, _PLAIN_PORT = 443, 80


class Crowd:
    """The people of a test, and what they see."""

    def __init__(self, plan: Plan) -> None:
        """Begin with nobody."""
        self.plan = plan
        self.meter = Meter()
        self.guests: dict[Room, list[Guest]] = {}
        self.connect_seconds = 0.0
        self.connect_cost = NOTHING
        self._trouble: Trouble | None = None
        self._is_in_trouble = asyncio.Event()
        self._text = ("Is anybody there? " * (plan.text_chars // 18 + 1))[: plan.text_chars]
        self.meter.on_error = self._told

    def _told(self, code: str, told: str) -> None:
        if code == RATE_LIMITED:
            self._trouble = trouble_of(code, told, token=False)
            self._is_in_trouble.set()

    @property
    def everyone(self) -> list[Guest]:
        """Return all connections."""
        return [guest for guests in self.guests.values() for guest in guests]

    async def connect(self, session_ids: list[str]) -> None:
        """Return once everyone is in their room; raises `Trouble`."""
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)
        sources = itertools.cycle(self.plan.sources or (None,))
        before, began, number = self.cost(), time.perf_counter(), 0
        async with asyncio.TaskGroup() as joining:
            for session_id in session_ids:
                room = Room(session_id, self.meter)
                self.guests[room] = []
                for place in range(self.plan.people * self.plan.tabs):
                    if self.plan.connect_rate is not None:
                        await asyncio.sleep(began + number / self.plan.connect_rate - time.perf_counter())
                    number += 1
                    await gate.acquire()
                    joining.create_task(self._join(room, place % self.plan.people, next(sources), gate))
        self.connect_seconds = time.perf_counter() - began
        self.connect_cost = self.cost().since(before)

    def cost(self) -> Cost:
        """Return what the server has cost so far; nothing if its process is not known."""
        return NOTHING if self.plan.pid is None else cost_of(self.plan.pid)

    async def _join(self, room: Room, person: int, source: str | None, gate: asyncio.Semaphore) -> None:
        address = self.plan.address
        tls = ssl.create_default_context() if address.scheme == "https" else None
        auth = {"session_id": room.id, "user_id": f"guest-{person}", "user_name": f"Guest {person}"}
        if self.plan.token:
            auth["token"] = self.plan.token
        guest = Guest(room, opening(address.netloc.rpartition("@")[2], address.path.rstrip("/")), auth)
        self.guests[room].append(guest)
        began = time.perf_counter()
        try:
            port = address.port or (_TLS_PORT if tls else _PLAIN_PORT)
            await guest.join(str(address.hostname), port, tls=tls, source=source)
        except TimeoutError:
            raise Trouble("the server lets a connection wait for half a minute") from None
        except OSError as error:
            raise Trouble(_local_trouble(error)) from None
        finally:
            gate.release()
        self.meter.connect_times.append(time.perf_counter() - began)

    async def stay(self, seconds: float) -> None:
        """Return after a while, or raise the `Trouble` that makes going on useless."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_in_trouble.wait(), seconds)
        if self._trouble is not None:
            raise self._trouble

    def speak(self) -> Callable[[], object]:
        """Have people speak as planned from now on; return how to stop that."""
        if self.plan.connect_only:
            return lambda: None
        if self.plan.rate is None:
            return self.keep_in_flight()
        return asyncio.create_task(self.arrive(self.plan.rate)).cancel

    def keep_in_flight(self) -> Callable[[], None]:
        """Have messages under way in every room from now on, spoken in turn; return how to stop that."""
        turns = {room: itertools.cycle(guests) for room, guests in self.guests.items()}
        loop = asyncio.get_running_loop()
        going = True

        def speak(room: Room) -> None:
            if going:
                next(turns[room]).send(self._text, time.perf_counter())

        def answered(room: Room, good: bool) -> None:
            if good:
                speak(room)
            else:
                loop.call_later(AFTER_AN_ERROR_SECONDS, speak, room)

        def stop() -> None:
            nonlocal going
            going = False

        for guest in self.everyone:
            guest.on_answer = answered
        for room in self.guests:
            for _ in range(self.plan.in_flight):
                speak(room)
        return stop

    async def arrive(self, rate: float) -> None:
        """Send messages of anyone in any room by chance, until cancelled."""
        chance, everyone = random.Random(1), self.everyone  # noqa: S311 - the same arrivals each time are wanted
        due = time.perf_counter()
        while True:
            due += chance.expovariate(rate)
            await asyncio.sleep(due - time.perf_counter() - SPIN_SECONDS)  # lets others go on even if we are late
            while time.perf_counter() < due:
                await asyncio.sleep(0)
            if self.meter.counting:
                self.meter.sent_late.append(time.perf_counter() - due)
            chance.choice(everyone).send(self._text, due)

    async def settle(self) -> None:
        """Give what is under way its time, then close the books."""
        until = time.perf_counter() + PATIENCE_SECONDS
        while time.perf_counter() < until and not self._is_quiet():
            await asyncio.sleep(_LOOK_SECONDS)
        self.meter.faults.acks_lost += sum(
            len(guest.pending) for guest in self.everyone if guest in guest.room.listeners
        )
        for room in self.guests:
            room.close()

    def _is_quiet(self) -> bool:
        return all(room.is_quiet for room in self.guests) and not any(guest.pending for guest in self.everyone)


async def load_test(plan: Plan) -> Report:
    """Return what a test found; raises `Trouble` if it could not be done."""
    async with gathered(plan) as crowd:
        return await measured(crowd)


@asynccontextmanager
async def gathered(plan: Plan, session_ids: list[str] | None = None) -> AsyncIterator[Crowd]:
    """Give a crowd that is in its rooms, in sessions of its own if none are named; raises `Trouble`."""
    plan.address  # noqa: B018 - raises for a bad one
    async with Sessions(plan) as sessions:
        own = await sessions.create(plan.rooms) if session_ids is None else []
        crowd = Crowd(plan)
        try:
            await crowd.connect(session_ids or own)
            yield crowd
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the others came of it, or are the same
        finally:
            for guest in crowd.everyone:
                guest.leave()
            with contextlib.suppress(Trouble):  # what was found out matters more
                await sessions.end(own)


async def measured(crowd: Crowd) -> Report:
    """Have a crowd do what is planned, and return what was found."""
    plan, meter = crowd.plan, crowd.meter
    stop = crowd.speak()
    await crowd.stay(0 if plan.connect_only else plan.warmup)
    before = crowd.cost()
    meter.counting, began, cpu = True, time.perf_counter(), time.process_time()
    await crowd.stay(plan.seconds)
    meter.counting, seconds, busy = False, time.perf_counter() - began, time.process_time() - cpu
    spent = crowd.cost().since(before)
    stop()
    await crowd.settle()
    connected = Connected(len(meter.connect_times), crowd.connect_seconds, crowd.connect_cost)
    return Report(plan, meter, connected, seconds, busy / seconds, spent)


def _local_trouble(error: OSError) -> str:
    if error.errno == errno.EMFILE:
        return "this machine lets the tester open too few files: raise `ulimit -n` above the number of people"
    if error.errno == errno.EADDRNOTAVAIL:
        return "no local port is free any more: connect from several addresses with --source"
    return f"connecting failed: {error.strerror or error}"
