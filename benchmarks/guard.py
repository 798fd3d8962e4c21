"""Says which hot function became slower since the last recorded run on this machine.

    python -m benchmarks.guard --record     keep today's figures for later
    python -m benchmarks.guard              compare; exit status 1 if something grew

No time is compared, only ratios: each function is measured in turns with a reference loop that does a bit of
everything Python does, so that a slow hour of the machine slows both.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import platform
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.hot import HOT, Hot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RECORD = Path(__file__).with_name(".recorded.json")  # not committed: it is one machine's
GREW = 1.25
ROUNDS = 30
ROUND_SECONDS = 0.002
SECOND_LOOKS = 3

Ratios = dict[str, float]


def reference() -> int:
    """Calls, numbers, texts, bytes, a dictionary and a sort."""
    seen: dict[str, int] = {}
    for number in range(100):
        seen[str(number % 37)] = seen.get(str(number % 11), 0) + number
    joined = b"".join([b"%d:%b;" % (value, name.encode()) for name, value in seen.items()])
    return len(sorted(joined.split(b";"))) + hash(joined)


def timed(call: Callable[[], object], times: int) -> float:
    """CPU seconds of this thread for so many calls."""
    began = time.thread_time_ns()
    for _ in range(times):
        call()
    return (time.thread_time_ns() - began) / 1e9


def enough(call: Callable[[], object]) -> int:
    """How many calls fill a round."""
    times = 1
    while (spent := timed(call, times)) < ROUND_SECONDS / 2 and times < 1_000_000:
        times *= 2
    return max(1, round(times * ROUND_SECONDS / spent))


def ratio(hot: Hot) -> float:
    """One unit of a function, in calls of the reference loop: the median of many paired rounds."""
    call = hot.make()
    times, reference_times = enough(call), enough(reference)
    gc.collect()
    gc.disable()
    try:
        pairs = [(timed(call, times), timed(reference, reference_times)) for _ in range(ROUNDS)]
    finally:
        gc.enable()
    return median(mine / its for mine, its in pairs) * reference_times / times / hot.times


def fingerprint() -> str:
    """Names a kind of machine and Python: figures of another one mean nothing here."""
    cpus = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpus.read_text()) if cpus.exists() else None
    name = model[1] if model else platform.processor() or platform.machine()
    facts = f"{name}, {platform.python_implementation()} {platform.python_version()}"
    return f"{facts} ({hashlib.sha256(facts.encode()).hexdigest()[:8]})"


@dataclass(frozen=True, slots=True)
class Change:
    """A function now and as it was recorded."""

    name: str
    now: float
    before: float | None

    @property
    def factor(self) -> float:
        return self.now / self.before if self.before else 1.0


def compare(hots: Iterable[Hot], before: Ratios, grew: float = GREW) -> list[Change]:
    """What became of each function; one that seems slower is looked at again, and its best look counts."""
    changes = []
    for hot in hots:
        change = Change(hot.name, ratio(hot), before.get(hot.name))
        for _ in range(SECOND_LOOKS):
            if change.factor > grew:
                change = Change(hot.name, min(change.now, ratio(hot)), change.before)
        changes.append(change)
    return changes


def measure(hots: Iterable[Hot]) -> Ratios:
    """The best of a few looks at each function."""
    return {hot.name: min(ratio(hot) for _ in range(SECOND_LOOKS)) for hot in hots}


def recorded() -> dict[str, Ratios]:
    found: dict[str, Ratios] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    return found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--record", action="store_true", help="keep today's figures as this machine's")
    options.add_argument("--factor", type=float, default=GREW, help="what counts as slower (%(default)s)")
    wished, machine, known = options.parse_args(), fingerprint(), recorded()
    if wished.record:
        RECORD.write_text(json.dumps(known | {machine: measure(HOT)}, indent=2) + "\n")
        print(f"recorded for {machine}")
        return 0
    if machine not in known:
        print(f"nothing is recorded for {machine}: run with --record first", file=sys.stderr)
        return 2
    changes = compare(HOT, known[machine], wished.factor)
    for change in changes:
        mark = "  SLOWER" if change.factor > wished.factor else "" if change.before else "  new"
        print(f"{change.name:<40}{change.now:>9.4f}{change.factor:>8.2f} x{mark}")
    return int(any(change.factor > wished.factor for change in changes))


if __name__ == "__main__":
    sys.exit(main())
