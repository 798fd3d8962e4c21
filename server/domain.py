"""The things a séance is made of, and the rules that need nothing else."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from os import register_at_fork, urandom
from time import gmtime, strftime, time, time_ns
from typing import Final, NewType, TypeGuard

import orjson

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


_UNSHOWABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _RandomDigits:
    """Random bits as hexadecimal text, drawn from the system for 256 ids at once: one system call for each costs 1 µs.

    A fork must not go on with its parent's bits.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        register_at_fork(after_in_child=self._parts.clear)

    def __call__(self) -> str:
        """Return 32 digits."""
        while True:
            try:
                return self._parts.pop()
            except IndexError:
                digits = urandom(16 * 256).hex()
                self._parts.extend([digits[start : start + 32] for start in range(0, len(digits), 32)])


_random_digits: Final = _RandomDigits()


def new_id() -> str:
    """Return a fresh random id: UUID version 4 (RFC 9562) in its 36 lower-case characters."""
    digits = _random_digits()  # a quarter of the time of `str(uuid.uuid4())`
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_node(digits)}"


def _node(digits: str) -> str:
    """Return the last two groups of a UUID, whose first two bits say that it is one of RFC 9562."""
    return f"{_VARIANTS[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"


def is_session_id(text: str) -> bool:
    """Tell whether a text could be a session's id at all."""
    return _UUID.fullmatch(text) is not None


def is_line(text: object, chars_most: int) -> TypeGuard[str]:
    """Tell whether something is a text of one line that can be stored and shown, 1 to `chars_most` characters."""
    return isinstance(text, str) and 0 < len(text) <= chars_most and _UNSHOWABLE.search(text) is None


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """Return ISO 8601 in UTC with microseconds, as every timestamp on the wire is written."""
    if moment.tzinfo is UTC and moment.microsecond:
        # 0.3 instead of 1.5 microseconds. Whole seconds it would write without a dot.
        return orjson.dumps(moment, option=orjson.OPT_UTC_Z)[1:-1].decode()
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


class _Clock:
    """This millisecond, written once for all that happens in it."""

    __slots__ = ("_after", "_before", "_count", "_id_at", "_second", "_second_at", "_since", "_stamp", "_until")
    _after: str
    _count: int

    def __init__(self) -> None:
        self._since = self._until = 0.0
        self._second_at = self._id_at = 0
        self._second = self._before = self._stamp = ""
        self._begin_process()
        register_at_fork(after_in_child=self._begin_process)

    def stamp(self) -> str:
        """Return this moment to the millisecond, written as `iso` writes it."""
        if not self._since <= time() < self._until:
            self._turn()
        return self._stamp

    def fresh(self) -> tuple[MessageId, str]:
        """Return the id of a message that is said now, and this moment.

        The id is a UUID version 7 (RFC 9562, 5.7 and 6.2 method 1): a millisecond, a count within it, and what this
        process has drawn by lot. Such ids ascend, so that an index on them grows at its end only. Other than those of
        `new_id` they may be guessed.
        """
        if not self._since <= time() < self._until:
            self._turn()
        self._count = count = self._count + 1
        if count == _COUNT_END:
            self._begin_ids(self._id_at + 1)
            count = self._count
        return MessageId(f"{self._before}{count}{self._after}"), self._stamp

    def _turn(self) -> None:
        at = time_ns() // 1_000_000
        self._since, self._until = at / 1000, (at + 1) / 1000
        seconds, rest = divmod(at, 1000)
        if seconds != self._second_at:
            self._second_at, self._second = seconds, strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))
        self._stamp = f"{self._second}.{rest:03d}000Z"
        self._begin_ids(max(at, self._id_at + 1))

    def _begin_ids(self, at: int) -> None:
        self._id_at, self._count = at, _COUNT_START
        digits = f"{at:012x}"
        self._before = f"{digits[:8]}-{digits[8:]}-7"

    def _begin_process(self) -> None:
        """Draw the lot anew: a fork must not go on with its parent's."""
        self._after, self._count = f"-{_node(_random_digits())}", _COUNT_START


_VARIANTS: Final = "89ab"
# Three decimal digits, which are hexadecimal ones too and take half the time to write.
_COUNT_START, _COUNT_END = 100, 1_000
_clock: Final = _Clock()
stamp: Final = _clock.stamp
fresh_message_id: Final = _clock.fresh


def room_of(session_id: SessionId) -> str:
    """Return the fan-out room of a session; no client can name it."""
    return f"session:{session_id}"
