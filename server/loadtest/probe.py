"""What a server process on this machine costs, as Linux counts it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.loadtest.plan import Trouble

_TICKS: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
# Counted behind the name, which may hold blanks: user and system time, and pages in memory.
_USER, _SYSTEM, _PAGES = 11, 12, 21


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds used so far, to a hundredth, and bytes of memory held."""

    cpu_seconds: float
    memory_bytes: int

    def since(self, before: "Cost") -> "Cost":
        """Return what came since an earlier look."""
        return Cost(self.cpu_seconds - before.cpu_seconds, self.memory_bytes - before.memory_bytes)


NOTHING: Final = Cost(0.0, 0)


def cost_of(pid: int) -> Cost:
    """Return what a process has cost so far; raises `Trouble` if there is none, or this is no Linux."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        raise Trouble(f"no process {pid} is to be seen here (Linux only)") from None
    return Cost((int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS, int(fields[_PAGES]) * _PAGE_BYTES)
