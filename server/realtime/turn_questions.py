"""Asks the other processes how far they have heard a turn, and answers when they ask."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from server.core.turn_watch import TurnOver, TurnWatch
from server.domain import SessionId, TurnId
from server.protocol.codec import loads
from server.protocol.outbound import TurnUnderWay

ASK: Final = "turn?"
ANSWER: Final = "turn"
ANSWER_OVER: Final = "turn_over"
ANSWER_SECONDS: Final = 0.25

Signal = Callable[[SessionId, str, Mapping[str, object]], None]


class TurnQuestions:
    """Questions under way, each waiting for whoever knows most."""

    def __init__(self, signal: Signal) -> None:
        """Take the way to the other processes."""
        self._signal = signal
        self._answers: dict[SessionId, list[TurnUnderWay | TurnOver]] = {}

    async def ask(self, session_id: SessionId, turn_id: TurnId | None) -> TurnUnderWay | TurnOver | None:
        """Return what the process that heard most of the turn tells within a quarter of a second."""
        answers = self._answers.setdefault(session_id, [])
        self._signal(session_id, ASK, {"turn_id": turn_id})
        await asyncio.sleep(ANSWER_SECONDS)
        self._answers.pop(session_id, None)
        return max((turn for turn in answers if turn_id in {None, turn.turn_id}), key=_heard, default=None)

    def hear(self, session_id: SessionId, name: str, data: bytes, watch: TurnWatch | None) -> bool:
        """Take a signal if it is a question or an answer; `watch` is what this process has heard of the turn."""
        if name not in {ASK, ANSWER, ANSWER_OVER}:
            return False
        said = cast("dict[str, Any]", loads(data))
        if name == ASK:
            self._answer(session_id, watch.known_of(said["turn_id"]) if watch is not None else None)
        elif name == ANSWER_OVER:
            self._answers.get(session_id, []).append(TurnOver(TurnId(said["turn_id"])))
        else:
            turn = TurnUnderWay(TurnId(said["turn_id"]), said["index"], said["text"])
            self._answers.get(session_id, []).append(turn)
            if watch is not None:
                watch.learn(turn)
        return True

    def _answer(self, session_id: SessionId, known: TurnUnderWay | TurnOver | None) -> None:
        if isinstance(known, TurnOver):
            self._signal(session_id, ANSWER_OVER, {"turn_id": known.turn_id})
        elif known is not None:
            self._signal(session_id, ANSWER, known.as_object())


def _heard(turn: TurnUnderWay | TurnOver) -> float:
    return math.inf if isinstance(turn, TurnOver) else turn.index
