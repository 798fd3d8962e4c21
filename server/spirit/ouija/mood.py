"""How the spirit feels, which drifts over an evening and turns with how it is spoken to."""

import re
from enum import StrEnum
from typing import Final

from server.spirit.ouija.chance import Chance

_MESSAGES_A_STEP: Final = 9
_LATE_SEQ: Final = 60


class Mood(StrEnum):
    """Where the spirit is in its evening."""

    STILL = "still"
    SLY = "sly"
    TENDER = "tender"
    MOURNFUL = "mournful"
    COLD = "cold"
    RESTLESS = "restless"


_NEXT: Final[dict[Mood, tuple[Mood, ...]]] = {
    Mood.STILL: (Mood.STILL, Mood.SLY, Mood.TENDER, Mood.MOURNFUL),
    Mood.SLY: (Mood.STILL, Mood.TENDER, Mood.RESTLESS, Mood.SLY),
    Mood.TENDER: (Mood.STILL, Mood.MOURNFUL, Mood.SLY),
    Mood.MOURNFUL: (Mood.TENDER, Mood.COLD, Mood.STILL),
    Mood.COLD: (Mood.RESTLESS, Mood.MOURNFUL, Mood.STILL),
    Mood.RESTLESS: (Mood.COLD, Mood.SLY, Mood.STILL),
}

_PERSONA: Final[tuple[tuple[Mood, re.Pattern[str]], ...]] = (
    (
        Mood.SLY,
        re.compile(
            r"\b(sly|witty|funny|trickster|playful|mischie\w*|sarcas\w*|jok\w*|pirate|clown|cheeky)", re.IGNORECASE
        ),
    ),
    (
        Mood.TENDER,
        re.compile(r"\b(kind|gentle|warm|friendly|motherly|loving|sweet|wise|helpful|tender)", re.IGNORECASE),
    ),
    (Mood.MOURNFUL, re.compile(r"\b(sad|mourn\w*|melanchol\w*|lonely|grie\w*|widow|weep\w*|lost)", re.IGNORECASE)),
    (
        Mood.COLD,
        re.compile(r"\b(cold|angry|cruel|evil|dark|grumpy|demon\w*|vengeful|stern|rude|bitter)", re.IGNORECASE),
    ),
    (Mood.RESTLESS, re.compile(r"\b(restless|mad|wild|chaotic|frantic|nervous|haunted|hungry)", re.IGNORECASE)),
)


def mood_at(session_id: str, seq: int, persona: str, *, hurt: bool, soothed: bool) -> Mood:
    """Return the mood at a point of the evening; fresh insults and thanks outweigh the drift."""
    if hurt:
        return Mood.COLD
    if soothed:
        return Mood.TENDER
    home = _home(session_id, persona)
    mood = home
    for step in range(min(seq, _LATE_SEQ * 4) // _MESSAGES_A_STEP):
        mood = Chance("mood", session_id, str(step)).pick((*_NEXT[mood], home))
    return mood


def _home(session_id: str, persona: str) -> Mood:
    """Return the mood an evening starts in and comes back to."""
    for mood, pattern in _PERSONA:
        if pattern.search(persona):
            return mood
    return Chance("home", session_id).pick((Mood.STILL, Mood.SLY, Mood.TENDER))
