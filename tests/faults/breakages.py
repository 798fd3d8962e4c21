"""The faults: each breaks something, waits, and puts it right again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from server.store.leases import LEASE_SECONDS
from tests.faults.world import World

if TYPE_CHECKING:
    from tests.faults.proxy import Proxy

EXIT_SECONDS: Final = 10.0
# Slow enough to reorder what comes over several ways, fast enough to answer within every timeout.
SLOW_SECONDS: Final = (0.02, 0.25)


class FaultError(Exception):
    """The server did not do what a fault leaves it free to do: it did not end, or not well."""


Fault = Callable[[World, random.Random], Awaitable[None]]


async def kill_one(world: World, choice: random.Random) -> None:
    await _kill(world, [choice.randrange(world.processes)], choice)


async def kill_all(world: World, choice: random.Random) -> None:
    await _kill(world, list(range(world.processes)), choice)


async def freeze_one(world: World, choice: random.Random) -> None:
    """SIGSTOP, longer than heartbeats at times, and SIGCONT."""
    server = choice.choice(world.servers)
    server.freeze()
    await asyncio.sleep(choice.uniform(0.5, 5.0))
    server.thaw()


async def outlive_lease(world: World, choice: random.Random) -> None:
    """SIGSTOP until the others take a process for dead, and SIGCONT."""
    server = choice.choice(world.servers)
    server.freeze()
    await asyncio.sleep(LEASE_SECONDS + choice.uniform(0.5, 5.0))
    server.thaw()


async def restart_one(world: World, choice: random.Random) -> None:
    """SIGTERM, as a rolling restart does it, process after process."""
    await _restart(world, choice.randrange(world.processes))


async def restart_all(world: World, _: random.Random) -> None:
    for place in range(world.processes):
        await _restart(world, place)
        await world.servers[place].wait_ready()


async def kill_redis(world: World, choice: random.Random) -> None:
    assert world.redis is not None
    await asyncio.to_thread(world.redis.kill)
    await asyncio.sleep(choice.uniform(0.2, 3.0))
    await asyncio.to_thread(world.redis.start)


async def hang_redis(world: World, choice: random.Random) -> None:
    assert world.redis is not None
    world.redis.freeze()
    await asyncio.sleep(choice.uniform(0.5, 4.0))
    world.redis.thaw()


async def part_redis(world: World, choice: random.Random) -> None:
    """One process loses Redis without being told."""
    await _mute(choice.choice(world.redis_ways), choice.uniform(0.5, 5.0))


async def slow_redis(world: World, choice: random.Random) -> None:
    await _slow(choice.choice(world.redis_ways), choice)


async def restart_postgres(world: World, choice: random.Random) -> None:
    """An immediate stop: recovery from the log follows."""
    assert world.postgres is not None
    await asyncio.sleep(choice.uniform(0, 0.2))
    await asyncio.to_thread(world.postgres.restart_immediate)


async def freeze_postgres(world: World, choice: random.Random) -> None:
    assert world.postgres is not None
    world.postgres.freeze()
    await asyncio.sleep(choice.uniform(0.5, 3.5))
    world.postgres.thaw()


async def end_backends(world: World, _: random.Random) -> None:
    await world.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", "seance")


async def part_postgres(world: World, choice: random.Random) -> None:
    """One process loses the database without being told."""
    await _mute(choice.choice(world.database_ways), choice.uniform(0.5, 4.0))


async def slow_postgres(world: World, choice: random.Random) -> None:
    await _slow(choice.choice(world.database_ways), choice)


async def cut_clients(world: World, choice: random.Random) -> None:
    choice.choice(world.entrances).cut_now()


async def cut_slow_clients(world: World, choice: random.Random) -> None:
    """Connections end while much is on its way: sends that arrived, acks that did not."""
    entrance = choice.choice(world.entrances)
    entrance.slow(choice.uniform(*SLOW_SECONDS))
    await asyncio.sleep(choice.uniform(0.5, 1.5))
    entrance.cut_now()
    entrance.clear()


async def mute_clients(world: World, choice: random.Random) -> None:
    await _mute(choice.choice(world.entrances), choice.uniform(0.5, 6.0))


async def slow_clients(world: World, choice: random.Random) -> None:
    await _slow(choice.choice(world.entrances), choice)


OF_ONE_PROCESS: Final[tuple[Fault, ...]] = (
    kill_all,
    freeze_one,
    restart_one,
    cut_clients,
    cut_slow_clients,
    mute_clients,
    slow_clients,
)
OF_SEVERAL: Final[tuple[Fault, ...]] = (
    *OF_ONE_PROCESS,
    kill_one,
    restart_all,
    kill_redis,
    hang_redis,
    part_redis,
    slow_redis,
    restart_postgres,
    freeze_postgres,
    end_backends,
    part_postgres,
    slow_postgres,
)

# For runs that have the time.
OF_HOURS: Final[tuple[Fault, ...]] = (*OF_SEVERAL, outlive_lease)


def schedule(kinds: tuple[Fault, ...], count: int, choice: random.Random) -> list[Fault]:
    """`count` faults in random order, each kind as often as any other."""
    whole = [kinds[place % len(kinds)] for place in range(count)]
    choice.shuffle(whole)
    return whole


async def _kill(world: World, places: list[int], choice: random.Random) -> None:
    await asyncio.gather(*(world.servers[place].kill() for place in places))
    await asyncio.sleep(choice.uniform(0, 0.5))
    await asyncio.gather(*(world.servers[place].start(ready=False) for place in places))


async def _restart(world: World, place: int) -> None:
    """A clean end within 10 s, with status 0. Raises FaultError for another."""
    server = world.servers[place]
    await server.wait_ready()
    try:
        status = await server.terminate(seconds=EXIT_SECONDS)
    except TimeoutError:
        words = server.last_words
        raise FaultError(f"process {place} was still there {EXIT_SECONDS} s after SIGTERM:\n{words}") from None
    if status:
        raise FaultError(f"process {place} ended with {status} after SIGTERM:\n{server.last_words}")
    await server.start(ready=False)


async def _mute(way: Proxy, seconds: float) -> None:
    way.mute()
    await asyncio.sleep(seconds)
    way.clear()


async def _slow(way: Proxy, choice: random.Random) -> None:
    way.slow(choice.uniform(*SLOW_SECONDS))
    await asyncio.sleep(choice.uniform(1.0, 4.0))
    way.clear()
