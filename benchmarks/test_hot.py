"""The hot functions under pytest-benchmark: `python -m pytest benchmarks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.hot import HOT, Hot

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture


@pytest.mark.parametrize("hot", HOT, ids=lambda hot: hot.name)
def test_hot(hot: Hot, benchmark: BenchmarkFixture) -> None:
    benchmark.extra_info["times"] = hot.times
    benchmark(hot.make())
