"""The application of one process: what is opened, kept going and closed, each in its own place."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiohttp import web

from server.assembly import Parts, assemble
from server.config import Config
from server.domain import FRAME_BYTES
from server.errors import DatabaseUnavailable, SeanceError
from server.logs import logger
from server.realtime import farewell
from server.rest.middleware import sign_response, surroundings
from server.store.migrations import migrate, revision

log = logger()

PARTS: Final = web.AppKey("parts", Parts)

COMPARE_SECONDS: Final = 0.8
SWEEP_SECONDS: Final = 1.0
BEAT_SECONDS: Final = 5.0
TAKE_OVER_SECONDS: Final = 5.0
HOUSEKEEPING_SECONDS: Final = 10.0
DEPARTURE_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 1.0


def create_app(config: Config) -> web.Application:
    """Return the application; nothing is opened before it starts, everything is closed when it ends."""
    app = web.Application(middlewares=[surroundings], client_max_size=FRAME_BYTES)
    app[PARTS] = assemble(app, config)
    app.on_response_prepare.append(sign_response)
    app.cleanup_ctx.extend([_database, _message_log, _seats, _backplane, _chores, _serving])
    return app


async def drain(parts: Parts) -> None:
    """Stop being ready, let nobody new in, interrupt the spirit, and send everyone away over `DRAIN_SECONDS`."""
    parts.health.phase = "draining"
    parts.rooms.shut()
    log.info("application.draining")
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + parts.config.drain_seconds
    await parts.core.turns.aclose()
    await farewell.drain(parts.rooms.everyone(), max(0.0, ends_at - loop.time()))
    await _departed(parts)


async def _departed(parts: Parts) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(DEPARTURE_SECONDS):
            await parts.admission.departed()


async def _database(app: web.Application) -> AsyncIterator[None]:
    config, database = app[PARTS].config, app[PARTS].store.database
    if config.migrate_at_start:
        await migrate(config.database_url)
    elif await revision(config.database_url) is None:
        raise DatabaseUnavailable("There are no tables yet: run `seance migrate`")
    yield
    await database.close()


async def _message_log(app: web.Application) -> AsyncIterator[None]:
    message_log = app[PARTS].store.message_log
    await message_log.start()
    yield
    await message_log.aclose()


async def _seats(app: web.Application) -> AsyncIterator[None]:
    seats = app[PARTS].store.seats
    await seats.start()
    yield
    with suppress(SeanceError):
        await seats.stop()


async def _backplane(app: web.Application) -> AsyncIterator[None]:
    backplane = app[PARTS].backplane
    await backplane.start()
    yield
    await backplane.aclose()


async def _chores(app: web.Application) -> AsyncIterator[None]:
    parts = app[PARTS]
    chores = [
        asyncio.create_task(_every(COMPARE_SECONDS, "compare_heads", parts.heads.compare)),
        asyncio.create_task(_every(SWEEP_SECONDS, "sweep_seats", parts.core.presence.sweep)),
        asyncio.create_task(_every(BEAT_SECONDS, "beat", parts.core.presence.beat)),
        asyncio.create_task(_every(TAKE_OVER_SECONDS, "take_over_turns", parts.core.turns.take_over)),
        asyncio.create_task(_every(HOUSEKEEPING_SECONDS, "housekeeping", parts.housekeeping.run)),
    ]
    yield
    for chore in chores:
        chore.cancel()
    await asyncio.gather(*chores, return_exceptions=True)


async def _serving(app: web.Application) -> AsyncIterator[None]:
    parts = app[PARTS]
    parts.health.phase = "ready"
    log.info("application.startup", environment=parts.config.environment, database=parts.store.database.dialect)
    yield
    if parts.health.phase == "ready":
        await drain(parts)
    # Whoever joined during the drain, on a connection made before, must be gone before this process gives up its seats.
    farewell.dismiss(parts.rooms.everyone())
    await parts.sio.shutdown()
    await _departed(parts)
    log.info("application.shutdown")


async def _every(seconds: float, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again, sooner after it failed; a database that is away only costs log lines."""
    pause = seconds
    while True:
        await asyncio.sleep(pause)
        pause = min(seconds, RETRY_SECONDS)
        try:
            await work()
            pause = seconds
        except SeanceError as error:
            log.warning("chore.failed", chore=name, code=error.code)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            log.warning("chore.failed", chore=name, code="CANCELLED")  # what it waited for was, not the chore
        except Exception:
            log.exception("chore.failed", chore=name)
