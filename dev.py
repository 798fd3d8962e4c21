#!/usr/bin/env python3
"""One command for each thing a developer does here: run, test, lint, lock. Needs Python 3.11+ and nothing else."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"
TURN = ROOT / ".venv.lock"
LOCKS = {"run": ROOT / "requirements" / "run.txt", "test": ROOT / "requirements" / "test.txt"}
LOCK_SOURCES = {
    "run": ["pyproject.toml"],
    "image": ["pyproject.toml", "--extra", "openai"],
    "test": ["pyproject.toml", "--extra", "openai", "--group", "test", "--group", "lint"],
    "build": ["--group", "build"],
}
# The whole suite waits more than it computes; a file's tests stay together, they share what is slow to start.
IN_PARALLEL = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
CHECKS = ("ruff check", "ruff format --check", "mypy", "lint-imports")
COMPILE = "pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet"
PIP_FOR_OTHERS = (22, 3)  # the first that has --python
USAGE = """usage: python3 dev.py COMMAND [ARGUMENTS]

  run  [arguments of `serve`]   install what the server needs, migrate, serve on port 8000
  test [arguments of pytest]    install what the tests need, run them
  lint                          ruff, mypy, import-linter
  lock [--upgrade]              make requirements/*.txt anew from pyproject.toml
"""


def fail(sentence: str) -> NoReturn:
    sys.exit(f"dev.py: {sentence}")


def stamp_of(name: str, content: bytes) -> str:
    return f"{name} {hashlib.sha256(content).hexdigest()}"


def venv_stamp() -> str:
    """What .venv itself depends on: this interpreter and its own place."""
    return stamp_of("venv", f"{sys.version} {VENV}".encode())


def lock_stamp(kind: str) -> str:
    return stamp_of(kind, LOCKS[kind].read_bytes())


def stamps() -> set[str]:
    """What was installed to the end."""
    return set(STAMP.read_text().splitlines()) if STAMP.exists() and PYTHON.exists() else set()


def is_installed(kind: str) -> bool:
    return {venv_stamp(), lock_stamp(kind)} <= stamps()


def pip() -> list[str]:
    """This Python's own pip, which can install into .venv, if there is one: giving .venv its own takes 3 s."""
    if importlib.util.find_spec("pip") is None or tuple(map(int, version("pip").split(".")[:2])) < PIP_FOR_OTHERS:
        return [str(PYTHON), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def make_venv() -> None:
    """A fresh .venv, with pip if need be, and in it a `seance` command that runs this checkout."""
    needs_pip = pip()[0] == str(PYTHON)
    try:
        import venv  # noqa: PLC0415 - slow to import, wanted once

        if needs_pip:
            import ensurepip  # noqa: F401, PLC0415 - Debian ships venv without it, and venv's own message is long
    except ImportError:
        fail("this Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv")
    shutil.rmtree(VENV, ignore_errors=True)
    venv.create(VENV, with_pip=needs_pip, symlinks=True)
    site = next((VENV / "lib").glob("python3.*")) / "site-packages"
    (site / "checkout.pth").write_text(f"{ROOT}\n")
    command = VENV / "bin" / "seance"
    command.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m server "$@"\n')
    command.chmod(0o755)


def install(kind: str) -> None:
    """Leaves .venv with the packages of one lock, each checked against its hash; returns at once when it has them."""
    if is_installed(kind):
        return
    with TURN.open("w") as turn:
        # Two first starts at once would install over each other.
        fcntl.flock(turn, fcntl.LOCK_EX)
        if is_installed(kind):
            return
        print(f"dev.py: installing requirements/{kind}.txt into .venv", file=sys.stderr, flush=True)
        if venv_stamp() not in stamps():
            make_venv()
        STAMP.write_text(f"{venv_stamp()}\n")
        how = ["--quiet", "--disable-pip-version-check", "--no-input"]
        what = ["install", "--no-compile", "--require-hashes", "--no-deps", "--use-pep517", "-r", str(LOCKS[kind])]
        if subprocess.run([*pip(), *how, *what], cwd=ROOT, check=False).returncode:
            fail(f"installing requirements/{kind}.txt failed; the reason stands above")
        # pip would compile file by file. A file that cannot be compiled is nobody's loss.
        everything = [str(VENV / "lib"), str(ROOT / "server")]
        subprocess.run([str(PYTHON), "-m", "compileall", "-qq", "-j", "0", *everything], cwd=ROOT, check=False)
        # The test lock contains the run lock.
        STAMP.write_text("\n".join([venv_stamp(), lock_stamp(kind), lock_stamp("run")]))


def execute(*command: str) -> NoReturn:
    """Hands this process to `python -m command`, in the checkout's root, so that signals reach it directly."""
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), "-m", *command])  # noqa: S606 - no shell is wanted


def run(arguments: list[str]) -> NoReturn:
    install("run")
    execute("server", "serve", *arguments)


def test(arguments: list[str]) -> NoReturn:
    install("test")
    execute("pytest", *([] if any(not word.startswith("-") for word in arguments) else IN_PARALLEL), *arguments)


def in_venv(command: str) -> list[str]:
    program, *arguments = command.split()
    return [str(VENV / "bin" / program), *arguments]


def lint(_: list[str]) -> None:
    install("test")
    failed = [check for check in CHECKS if subprocess.run(in_venv(check), cwd=ROOT, check=False).returncode]
    if failed:
        fail(f"failed: {', '.join(failed)}")


def lock(arguments: list[str]) -> None:
    """Makes every lock from pyproject.toml; the later ones keep to the versions of run.txt. Needs `uv`."""
    uv = shutil.which("uv", path=VENV / "bin") or shutil.which("uv")
    if uv is None:
        fail("uv makes the locks and is not here: `python3 dev.py lint` installs it")
    for name, extra in LOCK_SOURCES.items():
        pins = [] if name == "run" else ["--constraint", "requirements/run.txt"]
        target = ["--output-file", f"requirements/{name}.txt", *extra, *pins]
        subprocess.run([uv, *COMPILE.split(), *target, *arguments], cwd=ROOT, check=True)


COMMANDS: dict[str, Callable[[list[str]], None]] = {"run": run, "test": test, "lint": lint, "lock": lock}


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - the reader's Python may be older than the project's
        fail(f"needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:  # noqa: PLR2004 - a command's name
        sys.exit(USAGE)
    COMMANDS[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    main()
