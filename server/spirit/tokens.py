"""A count of tokens that no tokenizer is needed for, and that seldom falls short."""

import re
from typing import Final

MESSAGE_TOKENS: Final = 4
_LETTERS: Final = re.compile("[ A-Za-z]+")
_LETTERS_A_TOKEN: Final = 2.5
_TWO_BYTES: Final = 0x800
_THREE_BYTES: Final = 0x10000


def estimate_tokens(text: str) -> int:
    """Return a conservative number of tokens.

    ASCII letters and spaces count 0.4 each, other ASCII 1, two-byte letters (Latin with marks, Greek, Cyrillic,
    Hebrew, Arabic) 1, three-byte ones (Chinese, Japanese, Korean, Indic) 2, four-byte ones (emoji) 4: tokenizers that
    work on bytes never make more than one token a byte, and common ones make about half of these.
    """
    rest = _LETTERS.sub("", text)
    letters = len(text) - len(rest)
    others = len(rest) if rest.isascii() else sum(_weight(ord(char)) for char in rest)
    return others + int(letters / _LETTERS_A_TOKEN + 0.999)


def _weight(code: int) -> int:
    if code < _TWO_BYTES:
        return 1
    return 2 if code < _THREE_BYTES else 4


def cut_to_tokens(text: str, limit: int) -> str:
    """Return the longest beginning of a text that fits, found by halving."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if estimate_tokens(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]
