"""The board read: what the newest words ask, stripped of calls to the spirit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from server.spirit.ouija.kinds import Kind, kind_of
from server.spirit.ouija.tongues import Tongue, tongue_of
from server.spirit.ouija.words import folded, key_of, meaningful

READ_CHARS: Final = 300
_CALLS: Final = ("spirit", "ouija", "ghost", "board")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text asks; `parts` are the named pieces its pattern caught, `key` is equal for equal questions."""

    kind: Kind
    text: str
    key: str
    topic: str | None
    parts: Mapping[str, str] = field(default_factory=dict)
    tongue: Tongue | None = None


def read(text: str, spirit_name: str) -> Reading:
    """Return what a text asks of the spirit; any text has a reading."""
    plain = _without_call(folded(text[-READ_CHARS:]), spirit_name)
    key = key_of(plain)
    words = meaningful(plain)
    topic = max(words, key=len) if words else None
    if not any(char.isalnum() for char in plain):
        kind = Kind.CALLED if any(char.isalnum() for char in text) else Kind.WORDLESS
        return Reading(kind, plain, key, None)
    if tongue := tongue_of(plain):
        return Reading(Kind.FOREIGN, plain, key, topic, tongue=tongue)
    kind, parts = kind_of(plain)
    return Reading(kind, plain, key, topic, parts)


def _without_call(plain: str, spirit_name: str) -> str:
    names = "|".join(re.escape(name) for name in (*_CALLS, folded(spirit_name)) if name)
    call = rf"(?:@|\b(?:oh|o|hey|dear|great|hello|hi),? )?@?\b(?:{names})\b"
    if re.fullmatch(rf"\W*{call}\W*", plain):
        return ""
    before = rf"^\W*{call}[\s,:;!.-]+(?=\S)"
    after = rf"(?<! a)(?<! an)(?<! the)(?<! any)[\s,]+@?(?:{names})(?=\s*[?!.]*$)"
    stripped = re.sub(rf"{before}|{after}", " ", plain)
    return stripped.strip(" ,")
