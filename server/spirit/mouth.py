"""A model's pieces of text made fit to be said: bounded, whole characters only, no blank edges."""

import re
from typing import Final

# Terminal controls and NUL; tabs and line breaks stay, and half a surrogate pair waits for its other half.
_CONTROLS: Final = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufeff]")
_HIGH_HALF: Final = re.compile("[\ud800-\udbff]$")


class Mouth:
    """Takes pieces and gives what can be said so far; what it gave, joined, is the final text."""

    def __init__(self, limit_chars: int) -> None:
        """Take the bound of the whole text in characters."""
        self._left = limit_chars
        self._held = ""
        self.said = ""

    @property
    def full(self) -> bool:
        """True when the bound is reached and nothing more will be said."""
        return self._left <= 0

    def feed(self, piece: str) -> str:
        """Return what may be said now: nothing, or text that ends in no blank and in no half character."""
        text = self._held + piece
        half = _HIGH_HALF.search(text)
        whole = text[: half.start()] if half else text
        clean = _CONTROLS.sub("", whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        if not self.said:
            clean = clean.lstrip()
        sure = clean.rstrip()
        # Blanks are held back until more follows, at most as many as could still be said.
        self._held = clean[len(sure) :][: self._left] + (half.group() if half else "")
        if len(sure) > self._left:
            sure, self._left = sure[: self._left].rstrip(), 0
        else:
            self._left -= len(sure)
        self.said += sure
        return sure
