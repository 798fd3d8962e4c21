"""Chance that repeats itself: the same seed gives the same draws on every machine and Python version."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_DRAW_BYTES = 8


class Chance:
    """A stream of draws made from a seed of texts."""

    def __init__(self, *seed: str) -> None:
        """Take the seed; its parts are kept apart, so `("ab", "c")` differs from `("a", "bc")`."""
        joined = "".join(f"{len(part)}:{part}" for part in seed)
        self._seed = hashlib.blake2b(joined.encode("utf-8", "surrogatepass")).digest()
        self._drawn = 0

    def below(self, bound: int) -> int:
        """Return a number from 0 to `bound` - 1."""
        self._drawn += 1
        salt = self._drawn.to_bytes(_DRAW_BYTES, "big")
        digest = hashlib.blake2b(self._seed, digest_size=_DRAW_BYTES, salt=salt).digest()
        return int.from_bytes(digest, "big") % bound

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, which must not be empty."""
        return options[self.below(len(options))]

    def once_in(self, times: int) -> bool:
        """Return true once in so many draws, on average."""
        return self.below(times) == 0
