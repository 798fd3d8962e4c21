"""A process from its start to its end: serve, drain at SIGTERM, be gone."""

import asyncio
import gc
import os
import signal
import threading
from typing import Final

from aiohttp import web

from server.app import PARTS, drain
from server.config import Config
from server.errors import SeanceError
from server.logs import logger
from server.rest.runner import Runner
from server.store.outages import reason_of

log = logger()

SHUTDOWN_SECONDS: Final = 1.0
CONNECTIONS_WAITING: Final = 4096
REQUEST_LINE_BYTES: Final = 32 * 1024
# Within the ten that are promised.
GONE_SECONDS: Final = 9.0
EXIT_FAILED: Final = 1
STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


async def serve_until_stopped(config: Config, app: web.Application) -> int:
    """Serve what `create_app` made; return the exit status: 0 after SIGTERM or SIGINT, 1 if it could not start."""
    for warning in config.warnings():
        log.warning("config.unsafe", hint=warning)
    stopped = asyncio.Event()
    for name in STOPPING:
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    runner = Runner(
        app,
        shutdown_timeout=SHUTDOWN_SECONDS,
        handle_signals=False,
        tcp_keepalive=False,  # a system call each; connections that last are pinged, the others time out
        max_line_size=REQUEST_LINE_BYTES,
    )
    try:
        await runner.setup()
        site = web.TCPSite(runner, config.host, config.port, backlog=CONNECTIONS_WAITING)
        await site.start()
    except (OSError, SeanceError) as error:
        log.critical("application.not_started", **_cause(error), host=config.host, port=config.port)
        await runner.cleanup()
        return EXIT_FAILED
    _spare_the_collector()
    log.info("application.listening", host=config.host, port=runner.addresses[0][1])
    await stopped.wait()
    _be_gone_after(GONE_SECONDS)
    for step in (drain(app[PARTS]), runner.cleanup()):
        try:
            await step
        except Exception:  # there is nobody left to tell, and what was acknowledged is on disk
            log.exception("application.not_closed")
    _stop_listening_to_signals()
    return 0


def _stop_listening_to_signals() -> None:
    """Let no further one change the exit status once all is done: some send it twice."""
    for name in STOPPING:
        asyncio.get_running_loop().remove_signal_handler(name)
        signal.signal(name, signal.SIG_IGN)


def _be_gone_after(seconds: float) -> None:
    """End the process then, whatever hangs; to the others it has crashed, and its seats are free with its lease."""

    def cut_short() -> None:
        log.error("application.cut_short")
        os._exit(0)

    watch = threading.Timer(seconds, cut_short)  # a thread, because the loop itself may hang
    watch.daemon = True
    watch.start()


def _cause(error: Exception) -> dict[str, str]:
    """Return what a log may say: of the database's own words nothing but the name of the error."""
    if not isinstance(error, SeanceError):
        return {"cause": str(getattr(error, "strerror", None) or "not reachable")}
    return {"cause": error.code, "reason": reason_of(error)}


def _spare_the_collector() -> None:
    """Keep what start-up made out of every collection, and make full ones rare.

    A full collection walks every connection. Without this, telling and acknowledging a message costs 21 instead
    of 16 microseconds with 1,200 connections, and more with each further one.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 1000)
