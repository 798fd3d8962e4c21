from __future__ import annotations

import asyncio

from server.store.batches import Batches


class Lane:
    """Batches of numbers, each of which is under way until it is let go."""

    def __init__(self, max_items: int = 100) -> None:
        self.seen: list[list[int]] = []
        self.under_way = 0
        self.gate = asyncio.Event()
        self.batches: Batches[int] = Batches(self.carry_out, max_items)

    async def carry_out(self, items: list[int]) -> None:
        self.seen.append(items)
        self.under_way += 1
        assert self.under_way == 1
        await self.gate.wait()
        self.under_way -= 1


async def test_what_comes_in_one_turn_of_the_loop_goes_together() -> None:
    lane = Lane()
    lane.gate.set()
    for number in range(5):
        lane.batches.put(number)
    await lane.batches.drain()
    assert lane.seen == [[0, 1, 2, 3, 4]]


async def test_what_comes_meanwhile_goes_in_the_next_batch_in_order() -> None:
    lane = Lane()
    lane.batches.put(0)
    await asyncio.sleep(0)
    for number in range(1, 4):
        lane.batches.put(number)
    assert len(lane.batches.waiting) == 3
    lane.gate.set()
    await lane.batches.drain()
    assert lane.seen == [[0], [1, 2, 3]]


async def test_a_batch_is_bounded() -> None:
    lane = Lane(max_items=2)
    lane.gate.set()
    for number in range(5):
        lane.batches.put(number)
    await lane.batches.drain()
    assert lane.seen == [[0, 1], [2, 3], [4]]


async def test_an_idle_lane_has_no_task() -> None:
    lane = Lane()
    lane.gate.set()
    lane.batches.put(0)
    await lane.batches.drain()
    before = asyncio.all_tasks()
    await lane.batches.drain()
    assert asyncio.all_tasks() == before
    lane.batches.put(1)
    await lane.batches.drain()
    assert lane.seen == [[0], [1]]


async def test_whoever_takes_all_leaves_nothing() -> None:
    lane = Lane()
    lane.batches.put(0)
    await asyncio.sleep(0)
    lane.batches.put(1)
    assert lane.batches.take_all() == [1]
    lane.gate.set()
    await lane.batches.drain()
    assert lane.seen == [[0]]
