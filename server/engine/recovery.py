"""Signed tickets that let a client take up its connection again, on any process."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .codec import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_PID_CHARACTERS = 2_048
_MIN_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class RecoveredState:
    """What a returning client proved: the payload signed for it and the last offset it has seen."""

    payload: Any
    offset: str | None
    pid: str = field(repr=False, default="")


class Recovery:
    """Signs and verifies the `pid` of connection state recovery; keeps nothing.

    A `pid` must stay the same string through every recovery, so its lifetime counts from the
    connection that first got it.
    """

    def __init__(self, secret: bytes, lifetime_seconds: float, *, clock: Callable[[], float] = time.time) -> None:
        if len(secret) < _MIN_SECRET_BYTES:
            msg = f"the recovery secret needs {_MIN_SECRET_BYTES} bytes"
            raise ValueError(msg)
        # A key of its own: the same secret may sign other things elsewhere.
        self._key = hmac.digest(secret, b"socket.io pid", "sha256")
        self._lifetime_seconds = lifetime_seconds
        self._clock = clock

    def issue(self, sid: str, payload: object) -> str:
        """A `pid` for this connection; `payload` must be JSON-able."""
        claims = dumps([sid, int(self._clock() + self._lifetime_seconds), payload])
        return f"{_text(claims)}.{_text(self._signature(claims))}"

    def verify(self, pid: object, offset: object) -> tuple[str, RecoveredState] | None:
        """The sid and state behind a `pid`, or None when it is forged, expired or malformed."""
        if not isinstance(pid, str) or len(pid) > _MAX_PID_CHARACTERS:
            return None
        try:
            claims, signature = (_bytes(part) for part in pid.split("."))
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(signature, self._signature(claims)):
            return None
        sid, expires, payload = loads(claims.decode())
        if expires < self._clock():
            return None
        return sid, RecoveredState(payload, offset if isinstance(offset, str) else None, pid)

    def _signature(self, claims: bytes) -> bytes:
        # A keyed hash by itself (RFC 7693, 2.5), for a third of the 3 to 5 µs of HMAC.
        return hashlib.blake2s(claims, key=self._key).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
