"""What a fork of this process says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def said_by_a_fork(say: Callable[[], str]) -> str:
    """What `say` returns in a child."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, say().encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = os.read(reading, 4_096).decode()
    os.close(reading)
    os.close(writing)
    return said
