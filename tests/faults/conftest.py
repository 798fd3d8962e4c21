"""Runs that take long are asked for by flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutations", action="store_true", help="take every guard out of the servers, not only two")
