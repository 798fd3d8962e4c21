"""Several pieces of news in one Redis message: each behind its length, 4 bytes big-endian."""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

_LENGTH: Final = struct.Struct(">I")


def packed(news: Sequence[bytes]) -> bytes:
    """Return the pieces as one payload."""
    return b"".join([part for item in news for part in (_LENGTH.pack(len(item)), item)])


def unpacked(payload: bytes) -> Iterator[bytes]:
    """Yield the pieces of a payload."""
    at = 0
    while at < len(payload):
        (length,) = _LENGTH.unpack_from(payload, at)
        at += _LENGTH.size + length
        yield payload[at - length : at]
