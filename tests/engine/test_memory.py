"""What an idle connection costs, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from tests.engine.wire import PATIENCE_SECONDS, Tcp

ROOT = Path(__file__).parents[2]
CONNECTIONS, WARM_UP = 800, 200
MAX_BYTES = 10_000
OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"

SERVER = """
import asyncio, gc
from aiohttp import web
from tests.engine.wire import Chat, listening

async def main():
    async with Chat().serve() as wire:
        print(wire.port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def open_idle(port: int, extra: str) -> Tcp:
    tcp = Tcp(*await asyncio.open_connection("127.0.0.1", port, limit=4_096))
    await tcp.upgrade("/socket.io/?EIO=4&transport=websocket", extra)
    tcp.writer.write(b"\x81\x82\x00\x00\x00\x0040")
    received = b""
    while b"40{" not in received:
        received += await asyncio.wait_for(tcp.reader.read(4_096), PATIENCE_SECONDS)
    return tcp


@pytest.mark.parametrize("extra", ["", OFFER], ids=["plain", "deflate-offered"])
async def test_an_idle_websocket_costs_at_most_ten_kilobytes(extra: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 6 * PATIENCE_SECONDS))
        memory = psutil.Process(process.pid).memory_info
        async with AsyncExitStack() as stack:
            for _ in range(WARM_UP):
                await stack.enter_async_context(await open_idle(port, extra))
            before = memory().rss
            for _ in range(CONNECTIONS):
                await stack.enter_async_context(await open_idle(port, extra))
            assert (memory().rss - before) / CONNECTIONS <= MAX_BYTES
    finally:
        process.kill()
        await process.wait()
