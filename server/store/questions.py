"""Questions that come together, answered by one trip to the database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from server.errors import SeanceError
from server.store.batches import Batches

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Heard = Callable[[Answer | Exception], None]


class Questions(Generic[Question, Answer]):
    """Answers questions one batch at a time; each asker gets its own answer, or its own error.

    `decide` returns for each question, in order, an answer or the `SeanceError` to raise. When it raises a
    `SeanceError` itself that is everyone's; after any other exception each question is decided alone.
    """

    def __init__(
        self, decide: Callable[[list[Question]], Awaitable[Sequence[Answer | SeanceError]]], max_questions: int
    ) -> None:
        """Begin idle."""
        self._decide = decide
        self._batches: Batches[tuple[Question, Heard[Answer]]] = Batches(self._carry_out, max_questions)

    async def ask(self, question: Question) -> Answer:
        """Return the answer; whoever is cancelled leaves the question standing."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.put(question, partial(_settle, answer))
        return await answer

    def put(self, question: Question, heard: Heard[Answer]) -> None:
        """Ask without waiting: `heard` is called with the answer or the error."""
        self._batches.put((question, heard))

    async def drain(self) -> None:
        """Return once every question asked so far is answered."""
        await self._batches.drain()

    async def _carry_out(self, asked: list[tuple[Question, Heard[Answer]]]) -> None:
        outcomes: Sequence[Any]
        try:
            outcomes = await self._decide([question for question, _ in asked])
        except SeanceError as error:
            outcomes = [error] * len(asked)
        except Exception as error:  # noqa: BLE001 — whatever one question did, the others must not suffer
            if len(asked) > 1:
                for one in asked:
                    await self._carry_out([one])
                return
            outcomes = [error]
        for (_, heard), outcome in zip(asked, outcomes, strict=True):
            try:
                heard(outcome)
            except Exception as error:  # noqa: BLE001 — its fault is reported, and keeps nobody else from hearing
                context = {"message": "whoever asked the database failed at the answer", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)


def _settle(answer: asyncio.Future[Any], outcome: Any) -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
