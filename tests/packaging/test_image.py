"""What can be known of the image and the compose file without a container engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.services.processes import ROOT, ServerProcess

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^\s*{name}\s+(.*)$", DOCKERFILE, re.MULTILINE)


def copied_sources() -> list[str]:
    lines = [line for line in instructions("COPY") if not line.startswith("--from")]
    return [source for line in lines for source in line.split()[:-1]]


@pytest.fixture
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


@pytest.mark.parametrize("source", copied_sources())
def test_what_the_image_copies_exists_and_reaches_the_build(source: str) -> None:
    assert (ROOT / source).exists()
    rules = [rule for rule in (ROOT / ".dockerignore").read_text().splitlines() if rule and not rule.startswith("#")]
    assert rules[0] == "*"
    assert any(fnmatch(source, allowed) or source.startswith(f"{allowed}/") for allowed in _let_in(rules))


def _let_in(rules: list[str]) -> list[str]:
    return [rule[1:] for rule in rules if rule.startswith("!")]


def test_the_image_runs_without_rights_and_compiles_nothing_at_start() -> None:
    assert instructions("USER")[-1] not in {"root", "0"}
    assert "--no-compile" not in DOCKERFILE
    assert DOCKERFILE.count("--require-hashes") == 2


async def test_the_health_check_follows_the_server() -> None:
    command = json.loads(re.search(r"HEALTHCHECK.*?CMD (\[.*\])", DOCKERFILE)[1])  # type: ignore[index]
    async with ServerProcess() as server:
        assert await _exit_status(command[1:], server.port) == 0
        await server.terminate()
        assert await _exit_status(command[1:], server.port) != 0


async def _exit_status(arguments: list[str], port: int) -> int:
    import asyncio  # noqa: PLC0415

    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={"PORT": str(port)}, stderr=subprocess.DEVNULL
    )
    return await process.wait()


def test_the_server_waits_for_healthy_services(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"server", "postgres", "redis"}
    assert services["postgres"]["image"] == "postgres:16"
    assert services["redis"]["image"] == "redis:7"
    for name, gate in services["server"]["depends_on"].items():
        assert gate == {"condition": "service_healthy"}
        assert services[name]["healthcheck"]["test"]


def test_compose_sets_only_settings_that_exist(compose: dict[str, Any]) -> None:
    example = (ROOT / ".env.example").read_text()
    known = set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    assert set(compose["services"]["server"]["environment"]) <= known


def test_compose_stops_the_server_later_than_it_drains(compose: dict[str, Any]) -> None:
    assert int(compose["services"]["server"]["stop_grace_period"].removesuffix("s")) > 10


def test_the_example_names_every_setting_and_no_other() -> None:
    from server.config import SettingsSchema  # noqa: PLC0415 - a fault there fails this test, not all of them

    named = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(str(field.data_key) for field in SettingsSchema().fields.values())


def test_the_example_as_it_stands_is_accepted() -> None:
    from server.config import Config  # noqa: PLC0415 - as above

    assert Config.load({}, dotenv=ROOT / ".env.example") == Config.load({}, dotenv=Path("/nonexistent"))
