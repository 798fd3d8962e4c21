"""The fixture as a command, as foreign suites start it."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.engine.wire import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize("engine", ["fast", "stock"])
async def test_it_serves_both_paths_with_the_pings_it_was_given(engine: str) -> None:
    port = free_port()
    command = ["-m", "tests.interop.fixture", "--port", str(port), "--ping", "0.5", "0.2", "--engine", engine]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert str(port).encode() in await asyncio.wait_for(process.stdout.readline(), 6 * PATIENCE_SECONDS)
        async with aiohttp.ClientSession() as http:
            for path in ("engine.io", "socket.io"):
                url = f"http://localhost:{port}/{path}/?EIO=4&transport=polling"
                async with http.get(url) as response:
                    opened = json.loads((await response.text())[1:])
                assert opened["pingTimeout"] == 200
                assert opened["pingInterval"] == (500 if engine == "fast" else 0)
    finally:
        process.kill()
        await process.wait()
