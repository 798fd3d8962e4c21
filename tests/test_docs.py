"""What the reader is told is what there is: events, errors and settings; and the README's client runs."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server.config import SettingsSchema
from server.errors import catalogue
from server.protocol.events import EVENTS, INBOUND

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.services.node import Node

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORDS_MOST = 900
CLIENT_SECONDS = 30


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`([A-Za-z_]+)`", text))


def section(title: str) -> str:
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def settings() -> set[str]:
    return {str(field.data_key) for field in SettingsSchema().fields.values()}


def test_the_readme_names_every_event_and_no_other() -> None:
    tables = "\n".join(line.split("|")[1] for line in section("Events").splitlines() if line.startswith("| `"))
    assert names_in(tables) == set(EVENTS) | set(INBOUND)


def test_the_readme_names_every_error_under_its_status() -> None:
    told: dict[str, str] = {}
    for line in section("Errors").splitlines():
        if re.match(r"\| \d", line):
            statuses, codes = line.split("|")[1:3]
            told |= dict.fromkeys(names_in(codes), statuses)
    assert set(told) == {error.code for error in catalogue()}
    assert all(str(error.status) in told[error.code] for error in catalogue())


def test_the_readme_marks_the_errors_that_may_be_tried_again() -> None:
    assert set(re.findall(r"`([A-Z_]+)` \+", section("Errors"))) == {
        error.code for error in catalogue() if error.retryable
    }


def test_the_readme_names_every_setting() -> None:
    assert names_in(section("Settings")) == settings()


def test_the_example_file_has_every_setting() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == settings()


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in SettingsSchema().fields.items() if not field.metadata.get("help")] == []


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= WORDS_MOST


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_links_between_documents_lead_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    targets = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert [target for target in targets if target and not (ROOT / "docs" / target).exists()] == []


def test_links_of_the_readme_lead_somewhere() -> None:
    targets = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert [target for target in targets if not (ROOT / target).exists()] == []


async def test_the_client_of_the_readme_talks_to_the_spirit(serve: Serve, node: Node, tmp_path: Path) -> None:
    code = README.split("```js\n", 1)[1].split("```", 1)[0]
    script = tmp_path / "hello.mjs"
    script.write_text(code, encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(node.modules / "node_modules")
    environment = {**os.environ, "SEANCE_URL": await serve()}
    process = await asyncio.create_subprocess_exec(
        node.program, script, env=environment, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(CLIENT_SECONDS):
        output, _ = await process.communicate()
    lines = output.decode()
    assert process.returncode == 0
    assert "1 Ada: Is anybody there?" in lines
    assert "committed as 1" in lines
    assert re.search(r"(?<!\d)2 \w+: .+", lines)  # behind the deltas, which may end in a letter
