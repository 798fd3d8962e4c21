"""Clients that send until acked, come back on any process, and report all they are told."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.faults.links import BROKEN, Answered, Heard, Joined, Link, RefusedError, Self

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    import aiohttp

    from tests.faults.checker import Checker

ANSWER_SECONDS = 7.0
RESEND_SECONDS = 0.3
COME_BACK_SECONDS = (0.05, 0.5)


@dataclass
class Load:
    """What all clients share: where to connect, how fast to speak, and when to stop."""

    http: aiohttp.ClientSession
    checker: Checker
    urls: list[str]
    choice: random.Random
    pause_seconds: float
    speaks: bool = True
    ends: bool = False
    began: float = field(default_factory=time.monotonic)
    sent_total: int = 0
    reconnects: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    ack_seconds: list[float] = field(default_factory=list)

    def at(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def somewhere(self) -> str:
        return self.choice.choice(self.urls)

    def count_refusal(self, code: str) -> None:
        self.refusals[code] = self.refusals.get(code, 0) + 1


class Speaker:
    """One person with one connection at a time and up to `window` messages under way, in order."""

    def __init__(self, load: Load, session_id: str, name: str, link: Callable[[], Link], window: int) -> None:
        self.name = name
        self.is_in = False
        self._load = load
        self._me = Self(session_id, name)
        self._make = link
        self._window = window
        self._count = 0
        # In the order of the first send; the time is that of the last send, 0 while it has to be sent again.
        self._waiting: dict[str, float] = {}
        self._firsts: dict[str, float] = {}
        load.checker.begins(name, session_id)
        self._has_begun = False

    @property
    def last_seq(self) -> int:
        return self._me.last_seq

    @property
    def session_id(self) -> str:
        return self._me.session_id

    @property
    def is_quiet(self) -> bool:
        """Whether everything it said was acked."""
        return not self._waiting

    async def run(self) -> None:
        while not self._load.ends:
            link = self._make()
            try:
                await link.open(self._load.http, self._load.somewhere(), self._me)
                await self._talk(link)
            except RefusedError as error:
                self._load.count_refusal(error.code)
            except BROKEN:
                pass
            finally:
                self.is_in = False
                self._note("gone")
                await link.close()
            self._load.reconnects += 1
            await asyncio.sleep(self._load.choice.uniform(*COME_BACK_SECONDS))

    async def _talk(self, link: Link) -> None:
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._guarded(self._speak(link)))
            hearing = tasks.create_task(self._guarded(self._hear(link)))
            done, _ = await asyncio.wait({speaking, hearing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (speaking, hearing):
                task.cancel()
        fault = next(iter(done)).result()
        if fault is not None:
            raise fault

    async def _guarded(self, work: object) -> Exception | None:
        """What ended it, as a value: the group must not see it as a fault of ours."""
        try:
            await work  # type: ignore[misc]
        except (RefusedError, *BROKEN) as error:
            return error
        return None

    async def _hear(self, link: Link) -> None:
        while True:
            news = await link.next()
            match news:
                case Joined():
                    self._joined(news)
                case Heard():
                    self._load.checker.heard(self._load.at(), self.name, news.seq, news.id)
                case Answered():
                    self._answered(news)

    def _joined(self, news: Joined) -> None:
        if not self.is_in:
            self._load.checker.joined(self._load.at(), self.name, news.after, news.head, complete=news.complete)
        self.is_in = True

    def _answered(self, news: Answered) -> None:
        now = self._load.at()
        if news.code:
            self._load.count_refusal(news.code)
            self._load.checker.refused(now, self.name, news.key, news.code)
            if news.key in self._waiting:
                self._waiting[news.key] = 0.0
            return
        self._load.checker.acked(now, self.name, news.key, news.seq, news.id)
        if self._waiting.pop(news.key, None) is not None:
            self._load.ack_seconds.append(now - self._firsts.pop(news.key))

    async def _speak(self, link: Link) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            while not self.is_in:
                await asyncio.sleep(0.02)
        for key in list(self._waiting):
            await self._send(link, key)
        while True:
            await asyncio.sleep(self._load.choice.expovariate(1 / self._load.pause_seconds))
            refused = [key for key, sent in self._waiting.items() if not sent]
            if refused:
                await asyncio.sleep(RESEND_SECONDS)
                for key in refused:
                    await self._send(link, key)
            elif self._load.speaks and len(self._waiting) < self._window:
                await self._send(link, self._next_key())
            if time.monotonic() - min(filter(None, self._waiting.values()), default=1e12) > ANSWER_SECONDS:
                raise TimeoutError

    def _next_key(self) -> str:
        self._count += 1
        key = f"{self.name}-{self._count}"
        self._firsts[key] = self._load.at()
        self._load.sent_total += 1
        self._load.checker.sent(self._firsts[key], self.name, key)
        return key

    async def _send(self, link: Link, key: str) -> None:
        self._waiting[key] = time.monotonic()
        await link.send(key)

    def _note(self, what: str) -> None:
        self._load.checker.noted(self._load.at(), self.name, self._me.session_id, what)


class Claimant:
    """One of more people than there are seats: takes one, holds it for a moment, gives it back."""

    def __init__(self, load: Load, session_id: str, name: str, max_users: int, link: Callable[[], Link]) -> None:
        self.seats_taken = 0
        self._load = load
        self._session_id = session_id
        self._name = name
        self._max_users = max_users
        self._make = link

    async def run(self, gate: asyncio.Event) -> None:
        """Tries whenever the gate opens, together with all others."""
        while not self._load.ends:
            await gate.wait()
            link, me = self._make(), Self(self._session_id, self._name)
            try:
                await link.open(self._load.http, self._load.somewhere(), me)
                await self._sit(link)
            except RefusedError as error:
                self._load.count_refusal(error.code)
            except BROKEN:
                pass
            finally:
                await link.close()

    async def _sit(self, link: Link) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            while not isinstance(await link.next(), Joined):
                pass
        self.seats_taken += 1
        self._load.checker.seated(self._load.at(), self._name, self._session_id, self._max_users)
        try:
            async with asyncio.timeout(self._load.choice.uniform(0.2, 1.0)):
                while True:
                    await link.next()
        except BROKEN:
            pass
        finally:
            self._load.checker.leaves(self._load.at(), self._name, self._session_id)
        await link.leave()
