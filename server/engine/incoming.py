"""Where an event loop reads to: one buffer for all of its connections."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

RECEIVE_BYTES: Final = 65_536

# One for each loop, as loops in other threads may read at the same time.
_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = WeakKeyDictionary()


def incoming() -> memoryview:
    """The running loop's buffer, good until the next read of whichever connection.

    Without one, asyncio has 256 KiB allocated for each read and most of them given back: 3 to 20 µs a read, depending
    on what else the process has allocated, where reading to a buffer takes 2.
    """
    loop = asyncio.get_running_loop()
    found = _of_loop.get(loop)
    if found is None:
        found = _of_loop[loop] = memoryview(bytearray(RECEIVE_BYTES))
    return found
