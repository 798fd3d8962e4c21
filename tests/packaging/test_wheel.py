"""The wheel, installed into an environment that knows nothing of the checkout."""

from __future__ import annotations

import ast
import re
import sqlite3
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from contextlib import closing
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

import pytest

from tests.services.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILD = ["pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", *BUILD, "--wheel-dir", str(target), str(ROOT)], check=True)
    return next(target.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment with the wheel; its dependencies are those of the tests' own environment."""
    home = tmp_path_factory.mktemp("with blank") / "env"
    venv.create(home, symlinks=True)
    site = next((home / "lib").glob("python3.*")) / "site-packages"
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = ["install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), *install], check=True)
    return home / "bin"


def seance(installed: Path, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [installed / "seance", *arguments], cwd=folder, env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_migrations_pages_and_nothing_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "server/_migrations/env.py" in names
    assert any(re.fullmatch(r"server/_migrations/versions/\w+\.py", name) for name in names)
    assert "server/web/room/index.html" in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"server", f"seance_server-{PROJECT['version']}.dist-info"}


def test_the_command_tells_its_subcommands(installed: Path, tmp_path: Path) -> None:
    told = seance(installed, tmp_path, "--help")
    for command in ("serve", "migrate", "token", "openapi", "asyncapi", "config"):
        assert command in told


def test_migrations_run_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    seance(installed, tmp_path, "migrate")
    (file,) = tmp_path.glob("*.sqlite3")
    with closing(sqlite3.connect(file)) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"sessions", "messages", "users"} <= tables


def imported_by_the_server() -> set[str]:
    """Top-level names of all modules that server/ imports and does not hold itself."""
    found: set[str] = set()
    for file in (ROOT / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"server"}


def test_dependencies_are_what_the_server_imports() -> None:
    declared = {_name_of(spec) for spec in PROJECT["dependencies"]}
    optional = {_name_of(spec) for extra in PROJECT["optional-dependencies"].values() for spec in extra}
    distributions = packages_distributions()
    imported = {_normal(distributions[module][0]) for module in imported_by_the_server()} - optional
    assert imported <= declared
    assert declared - imported <= LOADED_BY_URL


# SQLAlchemy and the limits choose these by the address they are given.
LOADED_BY_URL = {"asyncpg", "aiosqlite", "redis"}


def _name_of(spec: str) -> str:
    return _normal(re.split(r"[\[<>=!~ ]", spec)[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", ["run", "image", "test"])
def test_every_lock_holds_every_dependency(lock: str) -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / f"{lock}.txt").read_text(), re.MULTILINE))
    assert {_name_of(spec) for spec in PROJECT["dependencies"]} <= {_normal(name) for name in locked}


def test_locks_agree_on_versions() -> None:
    run = _pins("run")
    for lock in ("image", "test"):
        assert run.items() <= _pins(lock).items()


def _pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==([^\\\n]+)", text, re.MULTILINE))
