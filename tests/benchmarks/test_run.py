"""The scenarios of the whole server still run."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.services.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_scenarios_are_run_and_recorded(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = [sys.executable, "-m", "benchmarks.run", "--database", "sqlite", "--seconds", "0.5", "--json", str(file)]
    done = subprocess.run([*command, "rate200", "storm"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none: nothing lost, doubled or reordered" in done.stdout
    scenarios = json.loads(file.read_text())["scenarios"]
    assert scenarios["rate200"]["passed"]
    assert scenarios["storm"]["cpu_us_per_connection"] > 0
