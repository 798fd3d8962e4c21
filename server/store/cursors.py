"""The place in a list of sessions, as an opaque text for clients to hand back."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from server.domain import is_session_id
from server.errors import ValidationFailed


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last session a client has seen; the next page begins behind it."""

    created_at: datetime
    id: str

    def encoded(self) -> str:
        """Return base64url without padding."""
        place = json.dumps([self.created_at.isoformat(), self.id]).encode()
        return base64.urlsafe_b64encode(place).rstrip(b"=").decode()

    @classmethod
    def decoded(cls, text: str) -> Self:
        """Return the cursor of a text we once gave; raises `ValidationFailed` for any other."""
        cursor = cls._parsed(text)
        if cursor is None or not is_session_id(cursor.id):
            raise ValidationFailed(details={"cursor": ["Not a cursor of this list."]})
        return cursor

    @classmethod
    def _parsed(cls, text: str) -> Self | None:
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            created_at, id_ = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            moment = datetime.fromisoformat(created_at)
            return None if moment.tzinfo is None else cls(moment.astimezone(UTC), str(id_))
        except (ValueError, TypeError, OverflowError, RecursionError):
            return None
