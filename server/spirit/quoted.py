"""What people typed, as data that no reader can take for structure."""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

# Chat templates are built of these: <|im_end|>, </s>, [INST], <<SYS>>, <start_of_turn>, ```.
_SIGNS: Final = frozenset("<>[]|`")
_ESCAPES: Final = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in _SIGNS})
_KEPT: Final = frozenset("\u200c\u200d")  # Persian, Indic scripts and emoji are spelled with these
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_TWINS: Final = str.maketrans({"<": "\u2039", ">": "\u203a", "[": "(", "]": ")", "|": "\u00a6", "`": "'"})
_LONG_SPACE: Final = re.compile(r"\s+")


def quoted(record: Mapping[str, object]) -> str:
    """Return one line of JSON; signs of structure and invisible characters within it are escapes.

    The record must hold no lists, whose brackets would be escaped too.
    """
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    if line.isprintable():  # nothing in it is hidden; and looking at each character takes ten times as long
        return line.translate(_ESCAPES)
    return "".join(_escaped(char) if _is_unsafe(char) else char for char in line)


def plain(text: str) -> str:
    """Return a text on one line in which signs of structure have been swapped for twins that look alike."""
    shown = _LONG_SPACE.sub(" ", text)
    if not shown.isprintable():
        shown = "".join(char for char in shown if char in _KEPT or not _is_hidden(char))
    return shown.translate(_TWINS).strip()


def _is_unsafe(char: str) -> bool:
    return char in _SIGNS or (char not in _KEPT and _is_hidden(char))


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[index]:02x}{units[index + 1]:02x}" for index in range(0, len(units), 2))
