"""The things a séance is made of, and the rules that need nothing else."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType, TypeGuard

SessionId = NewType("SessionId", str)
UserId = NewType("UserId", str)
MessageId = NewType("MessageId", str)
TurnId = NewType("TurnId", str)
ProcessId = NewType("ProcessId", str)

SESSION_NAME_CHARS: Final = 100
USER_NAME_CHARS: Final = 32
USER_ID_CHARS: Final = 64
MESSAGE_CHARS: Final = 8_000
CLIENT_MESSAGE_ID_CHARS: Final = 128
MAX_USERS: Final = 10_000
DEFAULT_MAX_USERS: Final = 6
FRAME_BYTES: Final = 64 * 1024
PERSONA_CHARS: Final = 4_000
DEBOUNCE_MS: Final = 10_000

SPIRIT_USER_ID: Final = UserId("spirit")


class Role(StrEnum):
    """What a person, or a back end, may do."""

    HOST = "host"
    MEMBER = "member"
    OBSERVER = "observer"
    SERVICE = "service"


class Answers(StrEnum):
    """When the spirit speaks."""

    EVERY = "every"
    MENTION = "mention"
    SUMMON = "summon"
    NEVER = "never"


class Overlap(StrEnum):
    """What becomes of a message that comes while the spirit speaks."""

    MERGE = "merge"
    QUEUE = "queue"
    INTERRUPT = "interrupt"
    DROP = "drop"


class CloseReason(StrEnum):
    """Why a session is over."""

    ENDED = "ended"
    EXPIRED = "expired"


class TurnReason(StrEnum):
    """How a turn of the spirit ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class SpiritSettings:
    """How the spirit of one session behaves; `persona` is its manner, in prose."""

    answers: Answers = Answers.EVERY
    overlap: Overlap = Overlap.MERGE
    debounce_ms: int = 0
    name: str = "Spirit"
    persona: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One séance; `head` is its newest `seq`, 0 before the first message."""

    id: SessionId
    name: str
    max_users: int
    created_at: datetime
    is_active: bool = True
    spirit: SpiritSettings = SpiritSettings()
    head: int = 0
    close_reason: CloseReason | None = None


@dataclass(frozen=True, slots=True)
class Participant:
    """A person in a session, however many connections they have."""

    user_id: UserId
    user_name: str
    role: Role = Role.MEMBER


@dataclass(slots=True)  # one for every message: frozen it would take three times as long to make
class Message:
    """What someone said; `timestamp` as it goes over the wire.

    `seq` counts 1, 2, 3 … within the session. The log gives it; until the commit it is 0.
    """

    id: MessageId
    session_id: SessionId
    seq: int
    user_id: UserId
    user_name: str
    text: str
    timestamp: str
    is_spirit: bool = False
    client_message_id: str | None = None


# NUL aborts a whole PostgreSQL transaction, a lone surrogate cannot be encoded: neither may pass any door.
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_UNSHOWABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_session_id(text: str) -> bool:
    """Tell whether a text could be a session's id at all."""
    return _UUID.fullmatch(text) is not None


def is_storable(text: object, chars_most: int) -> TypeGuard[str]:
    """Tell whether something is a text that can be stored, 1 to `chars_most` characters."""
    return isinstance(text, str) and 0 < len(text) <= chars_most and UNSTORABLE.search(text) is None


def is_line(text: object, chars_most: int) -> TypeGuard[str]:
    """Tell whether something is a text of one line that can be stored and shown, 1 to `chars_most` characters."""
    return isinstance(text, str) and 0 < len(text) <= chars_most and _UNSHOWABLE.search(text) is None


def room_of(session_id: SessionId) -> str:
    """Return the fan-out room of a session; no client can name it."""
    return f"session:{session_id}"
