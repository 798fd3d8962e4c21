"""Which tongue was spoken, told by script first and by small words second, and what can be said in it."""

import re
from dataclasses import dataclass
from typing import Final

from server.spirit.ouija.phrases.tongues import ENGLISH, TONGUES, UNKNOWN

_BETWEEN: Final = " / "


@dataclass(frozen=True, slots=True)
class Tongue:
    """One tongue; `board` is yes, no, perhaps, goodbye; `words`, or `script` and `mark`, give it away."""

    code: str
    board: tuple[str, str, str, str]
    here: str
    said: tuple[str, ...]
    words: frozenset[str]
    script: re.Pattern[str] | None
    mark: re.Pattern[str]
    asks: frozenset[str]
    farewells: tuple[str, ...]
    greetings: tuple[str, ...]

    def takes_leave(self, plain: str) -> bool:
        """Tell whether people take leave."""
        return any(word in plain for word in self.farewells)

    def greets(self, plain: str) -> bool:
        """Tell whether someone says hello."""
        return any(plain.startswith(word) for word in self.greetings)

    def wants_verdict(self, plain: str) -> bool:
        """Tell whether yes or no would answer: a question without a word such as who or when."""
        if not _QUESTION.search(plain):
            return False
        if _UNSPACED.search(plain):
            return not any(word in plain for word in self.asks)
        return not self.asks & set(_WORDS.findall(plain))


_ENGLISH: Final = frozenset(ENGLISH.split())
_WORDS: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_NON_LATIN: Final = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# Greek asks with a semicolon, others with marks of their own.
_QUESTION: Final = re.compile("[?\uff1f\u061f\u2e2e\u055e\u1367;]|[か吗嗎呢][。\\s]*$")


def tongue_of(plain: str) -> Tongue | None:
    """Return the tongue of a folded text, or None for English and for what could be English."""
    letters = sum(char.isalpha() for char in plain)
    for tongue in _KNOWN:
        if tongue.script and len(tongue.script.findall(plain)) * 2 > letters and tongue.mark.search(plain):
            return tongue
    if len(_NON_LATIN.findall(plain)) * 2 > letters:
        return _FOREIGN
    words = set(_WORDS.findall(plain))
    scored = [(len(words & tongue.words), tongue) for tongue in _KNOWN]
    score, best = max(scored, key=lambda pair: pair[0])
    return best if score > len(words & _ENGLISH) else None


def _tongue(block: str) -> Tongue:
    rows = [row.strip().partition(": ") for row in block.splitlines() if row.strip()]
    told: dict[str, list[str]] = {}
    for field, _, value in rows:
        told.setdefault(field, []).append(value)
    yes, no, perhaps, goodbye = told["board"][0].split(_BETWEEN)
    return Tongue(
        code=told["code"][0],
        board=(yes, no, perhaps, goodbye),
        here=told["here"][0],
        said=tuple(line for row in told["say"] for line in row.split(_BETWEEN)),
        words=_set(told, "words") and _set(told, "words") | _set(told, "greetings") | _set(told, "farewells"),
        script=re.compile(told["script"][0]) if "script" in told else None,
        mark=re.compile(told.get("mark", [""])[0]),
        asks=_set(told, "asks"),
        farewells=_row(told, "farewells"),
        greetings=_row(told, "greetings"),
    )


def _set(told: dict[str, list[str]], field: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(" ".join(told.get(field, []))))


def _row(told: dict[str, list[str]], field: str) -> tuple[str, ...]:
    return tuple(told[field][0].split(_BETWEEN)) if field in told else ()


_KNOWN: Final = tuple(_tongue(block) for block in TONGUES)
_FOREIGN: Final = _tongue(UNKNOWN)
