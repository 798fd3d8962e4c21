"""Random text that nobody can guess, at a low price."""

from __future__ import annotations

from os import register_at_fork, urandom
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_DRAWN_AT_ONCE: Final = 256


class RandomText:
    """Texts of `size` random bytes each, as `write` spells them.

    Drawn from the system for 256 texts at once: a system call for each costs 1 µs, and 3 while many connect. A fork
    does not go on with its parent's. `write` must spell any `size` bytes with the same number of characters, wherever
    they stand among others.
    """

    def __init__(self, size: int, write: Callable[[bytes], str]) -> None:
        self._size = size
        self._write = write
        self._texts: list[str] = []
        register_at_fork(after_in_child=self._texts.clear)

    def fresh(self) -> str:
        """Return a text that was never returned before."""
        while True:
            try:
                return self._texts.pop()
            except IndexError:
                written = self._write(urandom(self._size * _DRAWN_AT_ONCE))
                width = len(written) // _DRAWN_AT_ONCE
                self._texts.extend([written[start : start + width] for start in range(0, len(written), width)])
