"""How a process that ends lets its connections go."""

import asyncio
from collections.abc import Iterable, Sequence
from random import uniform
from typing import Final

from server.protocol.outbound import ServerDraining
from server.protocol.wire import WireEvent
from server.realtime.visitor import Visitor

RETRY_AFTER_SECONDS: Final = (1.0, 5.0)


def retry_after_seconds() -> float:
    """Return when to come back; not all at once."""
    return round(uniform(*RETRY_AFTER_SECONDS), 2)  # noqa: S311 - jitter


async def drain(visitors: Sequence[Visitor], seconds: float) -> None:
    """Tell everyone that this process goes, then send them away one by one over some seconds."""
    for visitor in visitors:
        visitor.line.tell(WireEvent.of(ServerDraining(retry_after_seconds())))
    loop = asyncio.get_running_loop()
    began = loop.time()
    for count, visitor in enumerate(visitors, 1):
        await asyncio.sleep(max(0.0, began + seconds * count / len(visitors) - loop.time()))
        visitor.line.send_away()


def dismiss(visitors: Iterable[Visitor]) -> None:
    """Send everyone away at once."""
    for visitor in visitors:
        visitor.line.send_away()
