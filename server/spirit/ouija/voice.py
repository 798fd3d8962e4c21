"""The offline spirit as a provider: its answers, letter by letter, at a planchette's pace."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final

from server.core.ports import Outline, Scene, Summary, Usage
from server.domain import Message, Session
from server.spirit.ouija.answers import answer
from server.spirit.ouija.chance import Chance
from server.spirit.ouija.graphemes import graphemes

OPENING_SECONDS: Final = 0.3
LETTER_SECONDS: Final = (0.040, 0.070)
STOP_SECONDS: Final = 0.180
TURN_SECONDS: Final = 4.0
_STOPS: Final = frozenset(".,?!…—。\uff1f\uff01")
_GRAIN_MS: Final = 1_000


class OuijaSpirit:
    """A voice without a key or a network; the same scene gets the same answer."""

    name = "ouija"
    takes_notes = False

    def __init__(self, *, pace: float = 1.0, delay: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Take the pace, a factor on every pause: 0 speaks at once; `delay` waits for seconds."""
        self._pace = pace
        self._delay = delay

    async def speak(self, scene: Scene) -> AsyncGenerator[str | Usage, None]:
        """Yield the answer letter by letter, within `TURN_SECONDS` times the pace; it counts no tokens."""
        letters = list(graphemes(answer(scene)))
        for letter, seconds in zip(letters, pauses(letters), strict=True):
            await self._delay(seconds * self._pace)
            yield letter

    def outline(self, scene: Scene) -> Outline:  # noqa: ARG002 - the port's
        """Return that nothing is sent anywhere, and nothing costs."""
        return Outline((), Usage(0, 0))

    async def summarise(self, session: Session, summary: str, messages: Sequence[Message]) -> Summary:  # noqa: ARG002 - the port's
        """Return the old notes: this spirit remembers by itself."""
        return Summary(summary, Usage(0, 0), tuple(messages))

    async def aclose(self) -> None:
        """Free nothing: there is nothing to free."""


def pauses(letters: list[str]) -> list[float]:
    """Return the seconds before each letter, `TURN_SECONDS` at most in all."""
    chance = Chance("pace", *letters)
    low, high = (round(seconds * _GRAIN_MS) for seconds in LETTER_SECONDS)
    waits = [chance.between(low, high) / _GRAIN_MS for _ in letters]
    for index in range(1, len(letters)):
        waits[index] += STOP_SECONDS if letters[index - 1] in _STOPS else 0.0
    if waits:
        waits[0] += OPENING_SECONDS
    scale = min(1.0, TURN_SECONDS / sum(waits)) if waits else 1.0
    return [wait * scale for wait in waits]
