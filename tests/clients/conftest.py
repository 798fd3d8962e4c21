"""A real server for the client examples, and their files."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.services.processes import ServerProcess, environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EXAMPLES = Path(__file__).resolve().parents[2] / "client_examples"
RUN_SECONDS = 60.0


@dataclass(frozen=True)
class Ran:
    """How a program ended and what it wrote."""

    status: int
    out: str
    err: str

    def lines(self, beginning: str = "") -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith(beginning)]


class Run(Protocol):
    """Runs a program to its end, with this text as its input."""

    async def __call__(self, *command: str | Path, typed: str = "", folder: Path | None = None) -> Ran: ...


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[ServerProcess]:
    async with ServerProcess(RATE_LIMITS="off") as server:
        yield server


@pytest.fixture
def run() -> Run:
    return run_program


async def run_program(*command: str | Path, typed: str = "", folder: Path | None = None) -> Ran:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, env=environment()
    )
    try:
        async with asyncio.timeout(RUN_SECONDS):
            out, err = await process.communicate(typed.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ran(process.returncode or 0, out.decode(), err.decode())


def python(name: str) -> list[str | Path]:
    """The command that runs an example of `python/`, its warnings being errors."""
    return [sys.executable, "-W", "error", EXAMPLES / "python" / name]
