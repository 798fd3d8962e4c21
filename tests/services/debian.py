"""Programs that only the machine can have: installed from Debian where that is possible, asked for elsewhere."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

INSTALL_SECONDS = 600
TURN = Path(tempfile.gettempdir()) / "seance-tests-apt.lock"


def ensure_program(package: str, *programs: str) -> Path:
    """One of the programs on PATH; as root on Debian its package is installed first. Raises with what to do."""
    found = _find(programs)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with TURN.open("w") as turn:
            # apt-get waits for nobody, and tests run side by side.
            fcntl.flock(turn, fcntl.LOCK_EX)
            if _find(programs) is None:
                _install(package)
        found = _find(programs)
    if found is None:
        raise RuntimeError(f"no {programs[0]}: these tests need one; on Debian and Ubuntu: apt install {package}")
    return found


def _find(programs: tuple[str, ...]) -> Path | None:
    found = next(filter(None, map(shutil.which, programs)), None)
    return Path(found) if found else None


def _install(package: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package]):
        done = subprocess.run(
            command, env=environment, timeout=INSTALL_SECONDS, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
