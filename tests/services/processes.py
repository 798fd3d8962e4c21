"""The server as its users run it: `python -m server serve` in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from tests.services import spawn

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
DRAIN_SECONDS = 10.0
# What of the caller's environment a child may see; settings come from the test alone.
INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "VIRTUAL_ENV",
    "SSL_CERT_FILE",
    "COVERAGE_PROCESS_CONFIG",
)
DEFAULTS = {
    "ENVIRONMENT": "test",
    "HOST": "127.0.0.1",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "debug",
    "DRAIN_SECONDS": "0.2",
}


def environment(**settings: str) -> dict[str, str]:
    """The whole environment of a server process: the machine's basics and these settings, nothing else."""
    basics = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return basics | {"PYTHONPATH": str(ROOT)} | DEFAULTS | settings


class ServerProcess:
    """`async with ServerProcess(DATABASE_URL=…) as server:` is ready on `server.url`.

    It runs in a folder of its own, where no developer's `.env` lies.
    """

    def __init__(self, **settings: str) -> None:
        self.port = int(settings.get("PORT") or spawn.free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self._home = Path(tempfile.mkdtemp(prefix="seance-server-"))
        self._log = self._home / "log"
        self._settings = {"DATABASE_URL": f"sqlite:///{self._home / 'seance.db'}"} | settings | {"PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, *, ready: bool = True) -> None:
        """Returns when `/health/ready` is 200, or at once unless `ready`. Raises RuntimeError with the log's end."""
        command = [sys.executable, "-m", "server", "serve"]
        self._process = spawn.spawn(command, log=self._log, folder=self._home, env=environment(**self._settings))
        if ready:
            await self.wait_ready()

    async def wait_ready(self, *, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            while not await self._is_ready(http):
                if self.returncode is not None:
                    raise RuntimeError(f"the server ended with {self.returncode}:\n{spawn.tail(self._log)}")
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the server was not ready after {seconds} s:\n{spawn.tail(self._log)}")
                await asyncio.sleep(spawn.POLL_SECONDS)

    @property
    def returncode(self) -> int | None:
        """The exit status, or None while it runs; negative for a signal."""
        return self._running.poll()

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def log_text(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The log's JSON lines so far; a line that is none is left out."""
        return [json.loads(line) for line in self.log_text.splitlines() if line.startswith("{")]

    async def wait_exit(self, *, seconds: float = DRAIN_SECONDS) -> int:
        """The exit status. Raises TimeoutError if it does not end in time."""
        async with asyncio.timeout(seconds):
            while self.returncode is None:
                await asyncio.sleep(spawn.POLL_SECONDS)
        return self._running.wait()

    async def terminate(self, *, seconds: float = DRAIN_SECONDS) -> int:
        """The exit status after SIGTERM."""
        self._running.send_signal(signal.SIGTERM)
        return await self.wait_exit(seconds=seconds)

    async def kill(self) -> None:
        self._running.kill()
        await self.wait_exit()

    def freeze(self) -> None:
        spawn.freeze(self._running)

    def thaw(self) -> None:
        spawn.thaw(self._running)

    async def close(self) -> None:
        """Ends it if it still runs, as gently as it lets us, and removes what it wrote."""
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            try:
                await self.terminate()
            except TimeoutError:
                await self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _is_ready(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/health/ready") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("this server was not started")
        return self._process
