"""What people ask of a spirit, or do by speaking."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from server.spirit.ouija.phrases.speech import AUXILIARIES, SPEECH
from server.spirit.ouija.words import REMEMBERED_TEXTS


class Kind(StrEnum):
    """What was asked, or done, by speaking."""

    SUMMONED = "summoned"
    CALLED = "called"
    WORDLESS = "wordless"
    FOREIGN = "foreign"
    DESPAIR = "despair"
    FAREWELL = "farewell"
    GREETING = "greeting"
    PRESENCE = "presence"
    INSULT = "insult"
    DOUBT = "doubt"
    THANKS = "thanks"
    APOLOGY = "apology"
    LAUGHTER = "laughter"
    FEAR = "fear"
    LOSS = "loss"
    OWN_NAME = "own_name"
    OWN_DEATH = "own_death"
    OWN_KILLER = "own_killer"
    OWN_YEAR = "own_year"
    OWN_AGE = "own_age"
    OWN_PLACE = "own_place"
    OWN_TRADE = "own_trade"
    OWN_WISH = "own_wish"
    OWN_KIN = "own_kin"
    OWN_FEELING = "own_feeling"
    OWN_NATURE = "own_nature"
    OTHERS = "others"
    THEIR_NAME = "their_name"
    NAME_TOLD = "name_told"
    NAME_OF = "name_of"
    STORY = "story"
    SECRET = "secret"  # noqa: S105 - a kind of question
    JOKE = "joke"
    POEM = "poem"
    SIGN = "sign"
    ADVICE = "advice"
    SPELL = "spell"
    COUNT = "count"
    LETTER = "letter"
    COIN = "coin"
    DIE = "die"
    BETWEEN = "between"
    NUMBER = "number"
    SUM = "sum"
    COLOUR = "colour"
    HOUR = "hour"
    THEIR_END = "their_end"
    EITHER = "either"
    HOW_MANY = "how_many"
    HOW_LONG = "how_long"
    WHEN = "when"
    WHERE = "where"
    WHO = "who"
    WHY = "why"
    HOW = "how"
    WHAT = "what"
    YES_NO = "yes_no"
    AGREEMENT = "agreement"
    DENIAL = "denial"
    FEELING = "feeling"
    ORDER = "order"
    SAID = "said"


@lru_cache(maxsize=REMEMBERED_TEXTS)
def kind_of(plain: str) -> tuple[Kind, Mapping[str, str]]:
    """Return the kind of a folded text and the named parts its pattern caught; any text has a kind."""
    for kind, pattern in _PATTERNS:
        if match := pattern.search(plain):
            return kind, {name: part for name, part in match.groupdict().items() if part}
    return Kind.SAID, {}


def _patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    joined = re.sub(r"\n\s*\|", "|", SPEECH).replace("AUX", AUXILIARIES)
    rows = (row.strip().partition(": ") for row in joined.splitlines() if row.strip())
    return tuple((Kind(kind), re.compile(pattern)) for kind, _, pattern in rows)


_PATTERNS: Final = _patterns()
