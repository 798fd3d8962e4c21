from __future__ import annotations

import asyncio

import pytest

from server.errors import Busy, SessionClosed
from server.store.questions import Questions


class Halves:
    """Answers even numbers with their half, odd ones with an error; 13 is unlucky for its whole batch."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.questions: Questions[int, int] = Questions(self.decide, 10)

    async def decide(self, numbers: list[int]) -> list[int | SessionClosed]:
        self.batches.append(numbers)
        await asyncio.sleep(0)
        if 13 in numbers:
            raise LookupError
        if 17 in numbers:
            raise Busy
        return [SessionClosed() if number % 2 else number // 2 for number in numbers]

    async def ask(self, *numbers: int) -> list[int | BaseException]:
        return await asyncio.gather(*[self.questions.ask(number) for number in numbers], return_exceptions=True)


async def test_everyone_gets_their_own_answer_from_one_trip() -> None:
    halves = Halves()
    first, second, third = await halves.ask(2, 3, 4)
    assert (first, type(second), third) == (1, SessionClosed, 2)
    assert halves.batches == [[2, 3, 4]]


async def test_an_error_of_the_trip_is_everyones() -> None:
    assert {type(answer) for answer in await Halves().ask(2, 17, 4)} == {Busy}


async def test_a_question_that_breaks_its_batch_fails_alone() -> None:
    answers = await Halves().ask(2, 13, 4)
    assert [answers[0], type(answers[1]), answers[2]] == [1, LookupError, 2]


async def test_an_asker_who_gave_up_disturbs_nobody() -> None:
    halves = Halves()
    impatient = asyncio.create_task(halves.questions.ask(2))
    patient = asyncio.create_task(halves.questions.ask(4))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == 2
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await halves.questions.drain()


async def test_an_answer_that_is_taken_badly_disturbs_nobody() -> None:
    halves, faults = Halves(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
    halves.questions.put(2, lambda _: [].pop())
    assert await halves.ask(4) == [2]
    assert [type(fault) for fault in faults] == [IndexError]
