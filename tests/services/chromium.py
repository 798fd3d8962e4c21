"""A browser for tests: the Chromium or Chrome of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.services.debian import ensure_program

if TYPE_CHECKING:
    from pathlib import Path


def ensure_chromium() -> Path:
    """A Chromium on this machine, see `ensure_program`."""
    return ensure_program("chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
