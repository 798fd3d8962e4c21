"""dev.py: installs once, again when a lock changed, and never over itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.services.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

WARM_SECONDS = 1.0


def pinned(*names: str) -> str:
    """The entries of these packages in the run lock, hashes and all."""
    entries = (ROOT / "requirements" / "run.txt").read_text().replace("\\\n", "\\\0").splitlines()
    return "\n".join(entry.replace("\0", "\n") for entry in entries if entry.split("==")[0] in names) + "\n"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in a folder with blanks, with one small dependency and a server that tells its arguments."""
    folder = tmp_path_factory.mktemp("a séance") / "check out"
    (folder / "requirements").mkdir(parents=True)
    (folder / "server").mkdir()
    (folder / "server" / "__main__.py").write_text("import idna, os, sys; print(os.getcwd(), sys.argv[1:])\n")
    shutil.copy(ROOT / "dev.py", folder)
    for lock in ("run", "test"):
        (folder / "requirements" / f"{lock}.txt").write_text(pinned("idna"))
    return folder


def dev(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / "dev.py"), *arguments]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


def test_the_first_run_installs_and_the_second_starts_at_once(checkout: Path) -> None:
    first = dev(checkout, "run", "--port", "1")
    assert first.returncode == 0, first.stderr
    assert "installing requirements/run.txt" in first.stderr
    started = time.monotonic()
    second = dev(checkout, "run", "--port", "1")
    assert time.monotonic() - started < WARM_SECONDS
    assert second.stderr == ""
    assert second.stdout == f"{checkout} ['serve', '--port', '1']\n"


def test_the_checkout_has_a_seance_command(checkout: Path) -> None:
    dev(checkout, "run")
    told = subprocess.run(
        [checkout / ".venv" / "bin" / "seance", "token"], cwd="/", capture_output=True, text=True, check=True
    )
    assert told.stdout == "/ ['token']\n"


def test_a_changed_lock_is_installed_and_a_wrong_hash_refused(checkout: Path) -> None:
    dev(checkout, "run")
    lock = checkout / "requirements" / "run.txt"
    good = lock.read_text()
    lock.write_text("packaging==26.3 --hash=sha256:" + "0" * 64 + "\n")
    refused = dev(checkout, "run")
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert "installing requirements/run.txt failed" in refused.stderr
    lock.write_text(good + pinned("packaging"))
    assert "installing requirements/run.txt" in dev(checkout, "run").stderr
    assert dev(checkout, "run").stderr == ""


def test_a_moved_checkout_is_installed_again(checkout: Path, tmp_path: Path) -> None:
    dev(checkout, "run")
    moved = tmp_path / "moved"
    shutil.copytree(checkout, moved, symlinks=True)
    done = dev(moved, "run")
    assert "installing requirements/run.txt" in done.stderr
    assert done.stdout == f"{moved} ['serve']\n"


def test_without_a_command_it_tells_how_it_is_used(checkout: Path) -> None:
    told = dev(checkout)
    assert told.returncode == 1
    assert "usage: python3 dev.py COMMAND" in told.stderr
