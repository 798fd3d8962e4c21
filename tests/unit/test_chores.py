"""What a process does now and then goes on, whatever happens to it once."""

from __future__ import annotations

import asyncio

import pytest

from server import app
from server.errors import DatabaseUnavailable


@pytest.mark.parametrize("fault", [DatabaseUnavailable(), RuntimeError("a fault of ours"), asyncio.CancelledError()])
async def test_a_chore_that_failed_is_done_again_and_soon(
    fault: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "RETRY_SECONDS", 0.01)
    pauses: list[float] = []
    done = asyncio.Event()
    sleep = asyncio.sleep

    async def remembered(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(min(seconds, 0.01))

    async def work() -> None:
        if len(pauses) == 1:
            raise fault
        done.set()

    monkeypatch.setattr(asyncio, "sleep", remembered)
    chore = asyncio.create_task(app._every(60.0, "work", work))
    await asyncio.wait_for(done.wait(), 5)
    await sleep(0)
    chore.cancel()
    with pytest.raises(asyncio.CancelledError):
        await chore
    assert pauses == [60.0, 0.01, 60.0]
