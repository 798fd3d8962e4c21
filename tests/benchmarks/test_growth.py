"""Growth can still be measured, and what is drawn is what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import asyncpg
import pytest

from benchmarks import growth, plot, rows
from tests.services.processes import ROOT

FIGURES = json.loads(growth.FIGURES.read_text())


def test_growth_is_measured_on_a_server_of_its_own() -> None:
    before = growth.FIGURES.read_text()
    command = [sys.executable, "-m", "benchmarks.growth", "connections", "--most", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "connect" in done.stdout
    assert growth.FIGURES.read_text() == before


def test_rooms_are_told_on_no_network() -> None:
    program = "import asyncio; from benchmarks import growth; asyncio.run(growth.rooms_on_no_network(10))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "no network" in done.stdout
    assert done.stderr == ""  # the loop would tell here of a flush that failed


async def test_a_history_is_filled_as_if_it_had_been_spoken(postgres_url: str) -> None:
    (session,) = await rows.new_sessions(postgres_url, 1)
    assert await rows.filled(postgres_url, session, 20) == 20
    assert await rows.filled(postgres_url, session, 10) == 20
    db = await asyncpg.connect(postgres_url)
    assert await db.fetchval("SELECT array_agg(seq ORDER BY seq) FROM messages") == list(range(1, 21))
    await db.close()


@pytest.mark.parametrize("name", plot.FIGURES)
def test_a_plot_shows_the_recorded_figures(name: str) -> None:
    drawn = plot.figure_svg(plot.FIGURES[name], FIGURES[name])
    ET.fromstring(drawn)  # noqa: S314 - our own
    assert (plot.DOCS / f"growth-{name}.svg").read_text(encoding="utf-8") == drawn
    for panel in plot.FIGURES[name]:
        for line in panel.lines:
            assert all(f">{plot.short(value)}<" in drawn for _, value in FIGURES[name][line])
