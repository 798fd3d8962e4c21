"""The choice of a phrase: one that fits the mood, can be filled, and was not heard tonight."""

from collections.abc import Mapping, Sequence
from typing import Final

from server.spirit.ouija.chance import Chance
from server.spirit.ouija.lines import Line
from server.spirit.ouija.mood import Mood

_MOOD_WEIGHT: Final = 3
_STIRRED_WEIGHT: Final = 9
_TELLING_CHARS: Final = 4


def choose(
    lines: Sequence[Line], slots: Mapping[str, str], mood: Mood, heard: str, chance: Chance, *, is_stirred: bool = False
) -> str:
    """Return one phrase, filled; when all were heard, the one heard longest ago.

    A mood that someone has just stirred up shows in most of what is said.
    """
    fitting = [line for line in lines if line.slots <= slots.keys() and line.mood in {None, mood}]
    fresh = [line for line in fitting if not _was_heard(line, heard)]
    if not fresh:
        return min(fitting, key=lambda line: heard.rfind(line.stem)).text.format_map(slots)
    weight = _STIRRED_WEIGHT if is_stirred else _MOOD_WEIGHT
    weighted = [line for line in fresh for _ in range(weight if line.mood else 1)]
    return chance.pick(weighted).text.format_map(slots)


def _was_heard(line: Line, heard: str) -> bool:
    return len(line.stem) >= _TELLING_CHARS and line.stem in heard
