"""Text cut where a reader sees one letter: marks, joined emoji and flags stay whole."""

import unicodedata
from collections.abc import Iterator
from typing import Final

_JOINER: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Mc", "Me"})
_SELECTORS: Final = frozenset({"\ufe0e", "\ufe0f", "\u20e3", "\u200c", _JOINER})
_TINTS: Final = range(0x1F3FB, 0x1F400)
_TAGS: Final = range(0xE0020, 0xE0080)
_FLAG_HALVES: Final = range(0x1F1E6, 0x1F200)


def graphemes(text: str) -> Iterator[str]:
    """Yield the letters of a text, none empty; joined, they are the text."""
    cluster = ""
    for char in text:
        if cluster and not _continues(cluster, char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def _continues(cluster: str, char: str) -> bool:
    if char in _SELECTORS or unicodedata.category(char) in _MARKS or _is_tint_or_tag(char):
        return True
    return cluster.endswith(_JOINER) or (_is_flag_half(char) and _is_flag_half(cluster))


def _is_tint_or_tag(char: str) -> bool:
    return ord(char) in _TINTS or ord(char) in _TAGS


def _is_flag_half(cluster: str) -> bool:
    return len(cluster) == 1 and ord(cluster) in _FLAG_HALVES
