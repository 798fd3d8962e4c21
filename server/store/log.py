"""The message log: every message gets its place and is on disk before anyone hears of it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from server.errors import Busy, DatabaseUnavailable, SeanceError
from server.logs import logger
from server.protocol.wire import Draft
from server.store.batches import Batches
from server.store.database import Database
from server.store.log_postgres import PostgresWriter
from server.store.log_sqlite import SqliteWriter
from server.store.outcomes import Outcome, Written, outcomes_of, refusal_of, without_repeats

if TYPE_CHECKING:
    from server.domain import SessionId

_log = logger()

MAX_BATCH_ROWS: Final = 1_000
MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
# What a waiting row holds besides its text, counted so that no more than some 20,000 wait.
_ROW_BYTES: Final = 3_000
_RECONNECT_SECONDS: Final = 0.5
# Two failed batches are as long as anyone is kept waiting (2 x COMMIT_SECONDS < 5 s).
_MAX_FAILURES: Final = 2

Done = Callable[[Outcome], None]
_Waiting = tuple[Draft, Done]


class LogWriter(Protocol):
    """Stores a batch in one transaction: all rows that are accepted, or none.

    `write` answers each draft in order, see `Written`. When it raises `DatabaseUnavailable` nobody knows
    whether the batch was committed; when it raises anything else, nothing was.
    """

    @property
    def is_open(self) -> bool:
        """Tell whether `write` may be called."""

    async def open(self) -> None:
        """Connect, within `CONNECT_SECONDS`; raises `DatabaseUnavailable`."""

    async def write(self, drafts: Sequence[Draft]) -> list[Written]:
        """Commit a batch, within `COMMIT_SECONDS`."""

    async def aclose(self) -> None:
        """Disconnect for good; what was written is committed."""


class MessageLog:
    """The process's one writer of messages, with group commit.

    `on_commit` hears of each batch's new messages, ascending in every session, before any sender does.
    `on_doubt` hears which sessions may have got messages of which nobody was told, because the database
    vanished between the statement and its answer. Both are called synchronously.
    """

    def __init__(
        self,
        database: Database,
        *,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        """Write to an open database on a connection of its own; bounds as in `append`."""
        self.on_commit: Callable[[list[Draft]], None] = _ignore
        self.on_doubt: Callable[[set[SessionId]], None] = _ignore
        self.waiting_bytes = 0
        self.rows_committed = 0
        self.batches_committed = 0
        self.rows_in_last_batch = 0
        self._max_waiting_bytes = max_waiting_bytes
        self._writer: LogWriter = _writer_for(database)
        self._batches: Batches[_Waiting] = Batches(self._carry_out, MAX_BATCH_ROWS)
        self._connect_at = 0.0
        self._failures = 0

    @property
    def waiting_rows(self) -> int:
        """Return how many messages wait for the batch under way."""
        return len(self._batches.waiting)

    async def start(self) -> None:
        """Connect; raises `DatabaseUnavailable`."""
        await self._writer.open()

    async def aclose(self) -> None:
        """Commit what waits, then disconnect; later appends raise `Busy`."""
        self._max_waiting_bytes = 0
        await self.flush()
        await self._writer.aclose()

    async def flush(self) -> None:
        """Return once everything appended so far has been answered."""
        await self._batches.drain()

    def append(self, draft: Draft, done: Done) -> None:
        """Take a draft, with its `head`, and return at once; `done` hears within 5 s how it went, exactly once.

        It hears after the commit: the draft, which has its `seq` by then, or the message that an earlier send of it
        left. Or why not: `SessionNotFound`, `SessionClosed`, `DatabaseUnavailable` (it may have been committed),
        `ValidationFailed` (the database refused the text). Raises `Busy` when as much waits as may; then nothing
        was taken.
        """
        waiting_bytes = self.waiting_bytes + len(draft.head) + _ROW_BYTES  # exact enough for a bound
        if waiting_bytes > self._max_waiting_bytes:
            raise Busy
        self.waiting_bytes = waiting_bytes
        self._batches.put((draft, done))

    async def _carry_out(self, batch: list[_Waiting]) -> None:
        self._forget_sizes(batch)
        drafts = [draft for draft, _ in batch]
        outcomes = await self._outcomes(drafts)
        new = drafts if outcomes is drafts else _new(drafts, outcomes)
        if new:
            self._count(len(new))
            _call(self.on_commit, new)
        _answer(batch, outcomes)
        if self._failures >= _MAX_FAILURES:
            self._give_up()

    async def _outcomes(self, drafts: list[Draft]) -> Sequence[Outcome]:
        """Return what became of each draft."""
        try:
            await self._connect()
        except Exception as error:  # noqa: BLE001 — whoever waits must hear something
            self._fail(_MAX_FAILURES)
            return [_said_of(error)] * len(drafts)
        firsts, places = without_repeats(drafts)
        stored = await self._stored(firsts)
        return [stored[place] for place in places] if places else stored

    async def _connect(self) -> None:
        """Connect if need be, but not at once after the last attempt."""
        if self._writer.is_open:
            return
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._connect_at - loop.time())
        self._connect_at = loop.time() + _RECONNECT_SECONDS
        await self._writer.open()

    async def _stored(self, drafts: list[Draft]) -> Sequence[Outcome]:
        """Return what became of drafts among which no two are the same message."""
        try:
            written = await self._writer.write(drafts)
        except DatabaseUnavailable as error:
            self._fail(self._failures + 1)
            _call(self.on_doubt, {draft.session_id for draft in drafts})
            return [error] * len(drafts)
        except Exception as error:  # noqa: BLE001 — whatever one row did, its mates must not suffer
            return await self._apart(drafts, error)
        self._recover()
        return outcomes_of(drafts, written)

    async def _apart(self, drafts: list[Draft], error: Exception) -> Sequence[Outcome]:
        """Store the halves of a batch that the database refused, down to the row that is to blame."""
        if len(drafts) == 1:
            return [_said_of(error)]
        middle = len(drafts) // 2
        return [*await self._stored(drafts[:middle]), *await self._stored(drafts[middle:])]

    def _fail(self, failures: int) -> None:
        if not self._failures:
            _log.warning("log.unavailable", waiting_rows=self.waiting_rows)
        self._failures = failures

    def _recover(self) -> None:
        if self._failures:
            _log.info("log.available")
        self._failures = 0

    def _give_up(self) -> None:
        """Answer who waits: waiting for yet another attempt would break the bound."""
        behind = self._batches.take_all()
        self._forget_sizes(behind)
        _answer(behind, [DatabaseUnavailable()] * len(behind))

    def _count(self, rows: int) -> None:
        self.rows_committed += rows
        self.batches_committed += 1
        self.rows_in_last_batch = rows

    def _forget_sizes(self, batch: list[_Waiting]) -> None:
        if self._batches.waiting:
            self.waiting_bytes -= sum([len(draft.head) for draft, _ in batch]) + len(batch) * _ROW_BYTES
        else:  # as long as all that waits fits a batch
            self.waiting_bytes = 0


def _said_of(error: Exception) -> SeanceError:
    """Return what senders are told of a failure; what is not their own fault is logged."""
    if isinstance(error, SeanceError):
        return error
    # Not the error's own text, which may quote a row.
    _log.error("log.failed", error=type(error).__name__)
    return refusal_of(error)


def _new(drafts: Sequence[Draft], outcomes: Sequence[Outcome]) -> list[Draft]:
    return [draft for draft, outcome in zip(drafts, outcomes, strict=True) if outcome is draft]


def _answer(batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    for (_, done), outcome in zip(batch, outcomes, strict=True):
        try:
            done(outcome)
        except Exception as error:  # noqa: BLE001 — its fault keeps nobody else from hearing
            _report(error)


def _call(told: Callable[[Any], None], news: object) -> None:
    """Tell one party; its fault is reported, and keeps nobody else from hearing."""
    try:
        told(news)
    except Exception as error:  # noqa: BLE001 — see above
        _report(error)


def _report(error: Exception) -> None:
    context = {"message": "a callback of the message log failed", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)


def _ignore(_news: object) -> None:
    """Tell nobody."""


def _writer_for(database: Database) -> LogWriter:
    return PostgresWriter(database.url.target) if database.dialect == "postgresql" else SqliteWriter(database)
