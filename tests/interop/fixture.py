"""A server for foreign protocol suites: `python -m tests.interop.fixture --port 3000 --ping 0.3 0.2`."""

from __future__ import annotations

import argparse
import asyncio
import socket
from typing import TYPE_CHECKING, Any, Literal

import engineio
from aiohttp import web

from server.engine import Limits, SocketServer
from server.engine.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence

APART_SECONDS = 0.01
SUITE_CONNECT_SECONDS = 120.0

EngineKind = Literal["fast", "stock"]


def echo_engine(kind: EngineKind, limits: Limits, ping_interval: float, ping_timeout: float) -> Any:
    """An Engine.IO server that sends every message back."""
    options: dict[str, Any] = {
        "ping_interval": ping_interval,
        "ping_timeout": ping_timeout,
        "cors_allowed_origins": "*",
        "max_http_buffer_size": limits.message_bytes,
    }
    if kind == "fast":
        eio: Any = Engine(limits=limits, **options)
    else:
        eio = engineio.AsyncServer(async_mode="aiohttp", **options)
    eio.on("message", eio.send)
    return eio


def echo_socketio(kind: EngineKind, limits: Limits, ping_interval: float, ping_timeout: float) -> SocketServer:
    """A Socket.IO server with the handlers that the official suite expects."""
    sio = SocketServer(
        engine=kind, limits=limits, ping_interval=ping_interval, ping_timeout=ping_timeout, cors_allowed_origins="*"
    )
    for namespace in ("/", "/custom"):
        _add_handlers(sio, namespace)
    return sio


def _add_handlers(sio: SocketServer, namespace: str) -> None:
    async def connect(sid: str, _: dict[str, Any], auth: object = None) -> None:
        sio.start_background_task(tell_auth, sid, auth or {})

    async def tell_auth(sid: str, auth: object) -> None:
        # The suite misses a packet that comes in the same segment as CONNECT.
        await sio.sleep(APART_SECONDS)
        await sio.emit("auth", auth, to=sid, namespace=namespace)

    async def message(sid: str, *args: object) -> None:
        await sio.emit("message-back", args, to=sid, namespace=namespace)

    async def message_with_ack(_: str, *args: object) -> tuple[object, ...]:
        return args

    sio.on("connect", connect, namespace=namespace)
    sio.on("message", message, namespace=namespace)
    sio.on("message-with-ack", message_with_ack, namespace=namespace)


def make_app(kind: EngineKind, limits: Limits, ping_interval: float, ping_timeout: float) -> web.Application:
    """Both servers in one application."""
    app = web.Application()
    echo_engine(kind, limits, ping_interval, ping_timeout).attach(app, "engine.io")
    echo_socketio(kind, limits, ping_interval, ping_timeout).attach(app, "socket.io")
    return app


async def serve(app: web.Application, hosts: Sequence[str], port: int) -> web.AppRunner:
    """The application, listening on a port of each host."""
    runner = web.AppRunner(app)
    await runner.setup()
    for host in hosts:
        await web.TCPSite(runner, host, port).start()
    return runner


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--ping", type=float, nargs=2, default=(25.0, 20.0), metavar=("INTERVAL", "TIMEOUT"))
    parser.add_argument("--engine", choices=("fast", "stock"), default="fast")
    options = parser.parse_args()
    # The suites wait for three pings of the slow setting without ever sending CONNECT.
    limits = Limits(handshakes_per_second=0, connect_seconds=SUITE_CONNECT_SECONDS)
    hosts = ["127.0.0.1", "::1"] if _has_ipv6() else ["127.0.0.1"]
    runner = await serve(make_app(options.engine, limits, *options.ping), hosts, options.port)
    print(f"listening on {options.port}", flush=True)  # noqa: T201 - a command's answer
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_main())
