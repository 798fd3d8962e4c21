"""Several pieces of news in one Redis message: each behind its length, 4 bytes big-endian."""

from typing import Final

_LENGTH_BYTES: Final = 4


def packed(piece: bytes) -> bytes:
    """Return a piece of news as a payload; several of them, one behind the other, are a payload too."""
    return len(piece).to_bytes(_LENGTH_BYTES, "big") + piece


def unpacked(payload: bytes, at: int = 0) -> list[bytes]:
    """Return the pieces of a payload from a place on; raises `ValueError` when it is cut off."""
    if at + _LENGTH_BYTES + int.from_bytes(payload[at : at + _LENGTH_BYTES], "big") == len(payload):  # as nearly always
        return [payload[at + _LENGTH_BYTES :]]
    news = []
    while at < len(payload):
        begins = at + _LENGTH_BYTES
        at = begins + int.from_bytes(payload[at:begins], "big")
        news.append(payload[begins:at])
    if at > len(payload):
        raise ValueError("cut off")
    return news
