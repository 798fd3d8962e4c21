"""Log lines about misbehaving clients: short, and few for each address."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from .addresses import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("engine")
_MAX_TEXT = 120


class Complaints:
    """Writes what one address may cause to be written, and counts the rest."""

    def __init__(self, lines_per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._gate = Gate(lines_per_second, max(lines_per_second, 1))
        self._clock = clock
        self.unwritten = 0

    def add(self, source: str, what: str) -> None:
        """One warning about `source`, unless it had its share; `what` holds no client's text."""
        if self._gate.admits(source, self._clock()):
            log.warning("%s: %s", source[:45], what[:_MAX_TEXT])
        else:
            self.unwritten += 1

    def fault(self, source: str, where: str, error: BaseException) -> None:
        """One error about a handler that raised, with the place but not the arguments."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = ""
        if trace is not None:
            name = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
            place = f" at {name}:{trace.tb_lineno}"
        if self._gate.admits(source, self._clock()):
            # The whole trace is for whoever looks for it: its length is the client's to choose.
            trace_wanted = error if log.isEnabledFor(logging.DEBUG) else None
            kind = type(error).__name__
            log.error("%s: %s raised %s%s", source[:45], where[:40], kind, place, exc_info=trace_wanted)
        else:
            self.unwritten += 1
