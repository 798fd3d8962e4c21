"""The words of a text: which carry meaning, which are names."""

# ruff: noqa: RUF001 - people type such quotes

import re
import unicodedata
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_][\w'’-]*[^\W_]|[^\W\d_]")
_KEY_WORD: Final = re.compile(rf"\d+|{_WORD.pattern}")
_MIDDLE_NAME: Final = re.compile(r"(?<=[a-z,;] )[A-Z][a-zà-ÿ]{2,15}\b(?!['’])")
_CALLED: Final = re.compile(
    r"\b(?:[Mm]y|[Oo]ur|[Hh]er|[Hh]is|[Tt]heir) ([a-z]{3,16}),? "
    r"(?:(?:is|was) )?(?:called |named )?([A-Z][a-zà-ÿ]{2,15})\b"
)
WORD_CHARS: Final = 24
# Every answer looks through the evening anew: with its texts remembered, 300 characters each, in half the time.
REMEMBERED_TEXTS: Final = 4096

_EMPTY_WORDS: Final = """
    a about above after again all also always am an and any anybody anyone anything are aren't around as ask at
    away back be because been before being believe better but by came can can't come could cannot day did didn't do
    does doesn't doing don't done down each else even ever every everyone everything feel few for from get gets
    getting give go goes going gonna good got great guess had has have haven't having he hello her here hers hey him
    his how i i'm i've if in into is isn't it it's its just keep know last let let's like little long look lot made
    make makes many may maybe me mean might mine more most much must my name need never new nice no nobody none nor
    not nothing now of off oh ok okay old on once one only or other our ours out over own people please quite really
    right said same say says see seem she should show since so some somebody someone something soon spirit still such
    sure take talk tell than thank thanks that that's the their theirs them then there there's these they they're
    thing things think this those though through to today tonight too told tomorrow true try two under until up upon
    us use very wait want wants was wasn't way we we'll we're we've well went were weren't what what's when where
    which while who who's whose why will with won't would yeah yes yet you you'll you're you've your yours ghost
    question answer answers board happen happened happens haha lol really speak spell called died dead die dying
    hear heard left right whom whose stand standing hold holding number numbers letter letters first last alone proud
    married rude sorry tired move moved pick house evening morning room tails heads child children many hello shh week
    year years meaning good evil
"""
_EMPTY: Final = frozenset(_EMPTY_WORDS.split())
_SHORTEST_CHARS: Final = 4


@lru_cache(maxsize=REMEMBERED_TEXTS)
def folded(text: str) -> str:
    """Return a text as the board compares it: compatibility form, lower case, plain quotes, single spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("‘", "'")
    return " ".join(plain.split())


@lru_cache(maxsize=REMEMBERED_TEXTS)
def meaningful(text: str) -> tuple[str, ...]:
    """Return the words that carry meaning, lower case, in order, none longer than `WORD_CHARS`."""
    found = (word.casefold().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text))
    return tuple(word for word in found if word not in _EMPTY and _SHORTEST_CHARS <= len(word) <= WORD_CHARS)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def key_of(text: str) -> str:
    """Return what stays the same when a question is asked again: its words, in order, without empty ones."""
    words = (word.casefold().replace("’", "'").removesuffix("'s") for word in _KEY_WORD.findall(text))
    return " ".join(word for word in words if word not in _EMPTY) or folded(text)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def names_in(text: str) -> tuple[str, ...]:
    """Return words that look like names: a capital in the middle of a sentence."""
    return tuple(name for name in _MIDDLE_NAME.findall(text) if name.casefold() not in _EMPTY)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def called_in(text: str) -> tuple[tuple[str, str], ...]:
    """Return what was given a name, and the name: `my cat Pickle`, `our house is called Ravenhill`."""
    return tuple((what, name) for what, name in _CALLED.findall(text) if name.casefold() not in _EMPTY)
