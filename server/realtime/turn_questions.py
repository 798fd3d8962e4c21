"""Asks the other processes how far they have heard a turn, and answers when they ask."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from server.core.turn_watch import TurnWatch
from server.domain import SessionId, TurnId
from server.protocol.codec import loads
from server.protocol.outbound import TurnUnderWay

ASK: Final = "turn?"
ANSWER: Final = "turn"
ANSWER_SECONDS: Final = 0.25

Signal = Callable[[SessionId, str, Mapping[str, object]], None]


class TurnQuestions:
    """Questions under way, each waiting for whoever knows most."""

    def __init__(self, signal: Signal) -> None:
        """Take the way to the other processes."""
        self._signal = signal
        self._answers: dict[SessionId, list[TurnUnderWay]] = {}

    async def ask(self, session_id: SessionId, turn_id: TurnId | None) -> TurnUnderWay | None:
        """Return what the process that heard most of the turn tells within a quarter of a second."""
        answers = self._answers.setdefault(session_id, [])
        self._signal(session_id, ASK, {"turn_id": turn_id})
        await asyncio.sleep(ANSWER_SECONDS)
        self._answers.pop(session_id, None)
        fitting = [turn for turn in answers if turn_id in {None, turn.turn_id}]
        return max(fitting, key=lambda turn: turn.index, default=None)

    def hear(self, session_id: SessionId, name: str, data: bytes, watch: TurnWatch | None) -> bool:
        """Take a signal if it is a question or an answer; `watch` is what this process has heard of the turn."""
        if name == ASK:
            if watch is not None and watch.under_way is not None:
                self._signal(session_id, ANSWER, watch.under_way.as_object())
        elif name == ANSWER:
            said = cast("dict[str, Any]", loads(data))
            turn = TurnUnderWay(TurnId(said["turn_id"]), said["index"], said["text"])
            self._answers.get(session_id, []).append(turn)
            if watch is not None:
                watch.learn(turn)
        return name in {ASK, ANSWER}
