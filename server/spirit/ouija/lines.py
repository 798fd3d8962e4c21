"""Phrases as data: a line of text, for any mood or for one."""

import re
from dataclasses import dataclass
from typing import Final

from server.spirit.ouija.mood import Mood

_SLOT: Final = re.compile(r"\{(\w+)\}")
_PARTED: Final = re.compile(r"\s/\s")
_MOOD_MARK: Final = "|"


@dataclass(frozen=True, slots=True)
class Line:
    """One phrase; `slots` must all be known for it to be spoken, `stem` is its longest fixed part."""

    text: str
    mood: Mood | None
    slots: frozenset[str]
    stem: str


def lines(block: str) -> tuple[Line, ...]:
    """Return the phrases of a block, one a row; `cold| …` is for that mood only."""
    return tuple(_line(row.strip()) for row in block.splitlines() if row.strip())


def choices(block: str) -> tuple[str, ...]:
    """Return the pieces of a block that slashes part."""
    return tuple(" ".join(piece.split()) for piece in _PARTED.split(block))


def _line(row: str) -> Line:
    before, mark, after = row.partition(_MOOD_MARK)
    mood, text = (Mood(before), after.strip()) if mark else (None, row)
    parts = _SLOT.split(text)
    stem = max(parts[::2], key=len).strip().casefold()
    return Line(text, mood, frozenset(parts[1::2]), stem)
