"""The guard against slower hot functions: it sees one, and noise does not fool it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from benchmarks import guard
from benchmarks.hot import HOT, Hot
from tests.services.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY = "while True: sum(range(1000))"
QUICK = next(hot for hot in HOT if hot.name == "quick_message")


def slowed(hot: Hot) -> Hot:
    """The same function, which does everything twice."""
    call = hot.make()
    return Hot(hot.name, lambda: lambda: (call(), call()))


@contextmanager
def noise() -> Iterator[None]:
    """Other processes that want every CPU."""
    loud = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(4)]
    try:
        yield
    finally:
        for process in loud:
            process.kill()
            process.wait()


def test_a_function_that_does_everything_twice_is_seen() -> None:
    before = guard.measure([QUICK])
    (change,) = guard.compare([slowed(QUICK)], before)
    assert change.factor > guard.GREW


def test_a_noisy_machine_is_no_slower_function() -> None:
    before = guard.measure([QUICK])
    with noise():
        (change,) = guard.compare([QUICK], before)
    assert change.factor <= guard.GREW


def test_a_new_function_is_no_slower_one() -> None:
    (change,) = guard.compare([QUICK], {})
    assert (change.before, change.factor) == (None, 1.0)


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for the guard's figures, and one function to guard."""
    monkeypatch.setattr(guard, "RECORD", tmp_path / "recorded.json")
    monkeypatch.setattr(guard, "HOT", (QUICK,))
    monkeypatch.setattr(sys, "argv", ["guard"])
    return guard.RECORD


def test_without_a_record_it_says_so(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard.main() == 2
    assert "--record" in capsys.readouterr().err
    assert not record.exists()


def test_it_records_compares_and_fails_for_what_grew(
    record: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record.write_text('{"another machine": {"quick_message": 0.000001}}')
    monkeypatch.setattr(sys, "argv", ["guard", "--record"])
    assert guard.main() == 0
    monkeypatch.setattr(sys, "argv", ["guard"])
    assert guard.main() == 0
    monkeypatch.setattr(guard, "HOT", (slowed(QUICK),))
    assert guard.main() == 1
    assert "quick_message" in capsys.readouterr().out.splitlines()[-1]
    assert "another machine" in record.read_text()


def test_the_micro_benchmarks_still_run() -> None:
    command = [sys.executable, "-m", "pytest", "benchmarks", "--benchmark-disable", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(HOT)} passed" in done.stdout
