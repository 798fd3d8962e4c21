"""What the store's own tests need too."""

from __future__ import annotations

from tests.store.conftest import connecting_may_look_at_files

__all__ = ["connecting_may_look_at_files"]
