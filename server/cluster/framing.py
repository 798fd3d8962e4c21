"""Several pieces of news in one Redis message: each behind its length, 4 bytes big-endian."""

import struct
from collections.abc import Sequence
from typing import Final

_LENGTH: Final = struct.Struct(">I")


def packed(news: Sequence[bytes]) -> bytes:
    """Return the pieces as one payload."""
    return b"".join([part for item in news for part in (_LENGTH.pack(len(item)), item)])


def unpacked(payload: bytes, at: int = 0) -> list[bytes]:
    """Return the pieces of a payload from a place on; raises `struct.error` for what is cut off."""
    news = []
    while at < len(payload):
        (length,) = _LENGTH.unpack_from(payload, at)
        at += _LENGTH.size + length
        news.append(payload[at - length : at])
    return news
