"""A run of any length: `python -m tests.faults --messages 1000000 --faults 300 --seed 7`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.faults import breakages
from tests.faults.mutations import MUTATIONS
from tests.faults.run import Outcome, Plan, run

LONG_FAULTS = 100


def main() -> int:
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="seance-faults-") as folder:
        outcome = asyncio.run(run(_plan(asked, Path(folder))))
    sys.stdout.write(report(outcome) + "\n")
    return 1 if outcome.violations else 0


def report(outcome: Outcome) -> str:
    """The figures, and for each violation what happened around it."""
    return "\n".join([str(outcome), *map(str, outcome.violations[:5]), f"{len(outcome.violations)} violations"])


def _plan(asked: argparse.Namespace, folder: Path) -> Plan:
    least = max(1.0, asked.messages / asked.rate / asked.faults)
    common = {
        "messages": asked.messages,
        "faults": asked.faults,
        "seed": asked.seed,
        "messages_per_second": asked.rate,
        "mutation": asked.mutation,
        # Faults spread over the time that the messages take.
        "pause_seconds": (0.3, 2.0) if least < 4 else (0.3, 2 * least),
    }
    if asked.sqlite:
        return Plan(**common, sqlite=folder / "seance.db", processes=1, kinds=breakages.OF_ONE_PROCESS)
    kinds = breakages.OF_HOURS if asked.faults >= LONG_FAULTS else breakages.OF_SEVERAL
    return Plan(**common, processes=asked.processes, kinds=kinds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="acked messages to reach")
    parser.add_argument("--faults", type=int, default=40, help="faults to make")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeats the choice of faults")
    parser.add_argument("--rate", type=float, default=220.0, help="messages a second that the clients try to send")
    parser.add_argument("--processes", type=int, default=3, help="servers on one PostgreSQL and one Redis")
    parser.add_argument("--sqlite", action="store_true", help="one server on an SQLite file")
    parser.add_argument("--mutation", choices=["", *MUTATIONS], default="", help="take a guard out of the servers")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
