"""Fresh ids and moments, written as they go over the wire."""

from datetime import UTC, datetime
from os import register_at_fork
from time import gmtime, strftime, time, time_ns
from typing import Final

import orjson

from server.domain import MessageId
from server.randomness import RandomText

_random_digits: Final = RandomText(16, bytes.hex).fresh


def new_id() -> str:
    """Return a fresh random id: UUID version 4 (RFC 9562) in its 36 lower-case characters."""
    digits = _random_digits()  # a quarter of the time of `str(uuid.uuid4())`
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_node(digits)}"


def _node(digits: str) -> str:
    """Return the last two groups of a UUID, whose first two bits say that it is one of RFC 9562."""
    return f"{_VARIANTS[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"


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
