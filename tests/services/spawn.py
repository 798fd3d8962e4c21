"""Child processes of the tests: they die with their parent, listen on free loopback ports, and can be frozen."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.02
STOP_SECONDS = 10.0
# Below the ports that the kernel hands to outgoing connections, so that a server can come back to its own.
PORTS = range(10_000, 32_000)

# The leash ends a child when the *thread* that made it ends, so one thread makes them all and lives as long as we do.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawn")
_ports = random.Random()


@dataclass(frozen=True)
class Account:
    """Whom a service runs as."""

    uid: int
    gid: int


def free_port() -> int:
    """A loopback TCP port that nobody listened on a moment ago."""
    while True:
        port = _ports.choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """A started process, its output appended to `log`; SIGKILL reaches it when this process ends."""
    who = f"{account.uid}:{account.gid}" if account else "-"
    leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), who, str(folder or Path.cwd())]

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                [*leash, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
            )

    return _spawner.submit(start).result()


def wait_until(done: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, *, seconds: float) -> None:
    """Returns when `done()` is true. Raises RuntimeError with the log's end if the process ends or time runs out."""
    deadline = time.monotonic() + seconds
    while not done():
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} was not ready after {seconds} s:\n{tail(log)}")
        time.sleep(POLL_SECONDS)


def accepts(port: int) -> bool:
    """True if something answers on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop(process: subprocess.Popen[bytes], how: signal.Signals, *, seconds: float = STOP_SECONDS) -> int:
    """The exit status after one signal; a process that ignores it is killed, and TimeoutExpired raised."""
    if process.poll() is not None:
        return process.returncode
    process.send_signal(how)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)
        raise


def freeze(process: subprocess.Popen[bytes]) -> None:
    """Stops a process and all its children where they are; their sockets stay open."""
    _signal_family(process, signal.SIGSTOP)


def thaw(process: subprocess.Popen[bytes]) -> None:
    """Lets a frozen process and its children go on."""
    _signal_family(process, signal.SIGCONT)


def children_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """All living descendants."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _signal_family(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    # The parent first, so that it makes no more children while they are counted.
    process.send_signal(how)
    for child in children_of(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.send_signal(how)


def tail(log: Path, *, lines: int = 40) -> str:
    """The end of a log, for an error's text."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"
