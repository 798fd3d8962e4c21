"""The server with one guard taken out: `SEANCE_MUTATION=no_dedupe python -m tests.faults.mutated serve`."""

from __future__ import annotations

import os
import sys

from server.cli import main
from tests.faults.mutations import MUTATIONS
from tests.faults.world import MUTATION

if __name__ == "__main__":
    MUTATIONS[os.environ[MUTATION]]()
    sys.exit(main())
