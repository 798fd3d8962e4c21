"""Which processes live: each renews its row, by the database's clock."""

from typing import Final

from sqlalchemy import ColumnElement, delete, exists, select, update

from server.domain import ProcessId
from server.store.columns import from_now
from server.store.database import Database
from server.store.tables import processes, seats
from server.store.upserts import upsert

LEASE_SECONDS: Final = 15.0
BEAT_SECONDS: Final = 5.0


def is_live() -> ColumnElement[bool]:
    """Return whether a row of `processes` stands for a living process."""
    return processes.c.expires_at > from_now(0)


class Lease:
    """This process's sign of life; without a renewal for `LEASE_SECONDS` the others take it for dead."""

    def __init__(self, database: Database, process_id: ProcessId, lease_seconds: float = LEASE_SECONDS) -> None:
        """Not yet held."""
        self._database = database
        self._process_id = process_id
        self._lease_seconds = lease_seconds

    async def acquire(self) -> None:
        """Hold the lease from now on; seats of the time before stay dead, for others may have taken their place."""
        now = from_now(0)
        lost = update(seats).where(seats.c.process_id == self._process_id).values(expires_at=now)
        held = upsert(processes, self._database.dialect, ["expires_at"])
        row = {"id": self._process_id, "started_at": now, "expires_at": from_now(self._lease_seconds)}
        async with self._database.writing() as db:
            await db.execute(lost)
            await db.execute(held.values(row))

    async def renew(self) -> bool:
        """Return True if the lease was held without a gap; else it is held anew, and others may have acted on it."""
        renewed = (
            update(processes)
            .where(processes.c.id == self._process_id, is_live())
            .values(expires_at=from_now(self._lease_seconds))
        )
        async with self._database.writing() as db:
            was_held = (await db.execute(renewed)).rowcount == 1
        if not was_held:
            await self.acquire()
        return was_held

    async def has_peers(self) -> bool:
        """Tell whether other processes live on this database."""
        peers = select(processes.c.id).where(processes.c.id != self._process_id, is_live()).limit(1)
        async with self._database.reading() as db:
            return (await db.execute(peers)).first() is not None

    async def end(self) -> None:
        """Let the lease run out now."""
        async with self._database.writing() as db:
            await db.execute(update(processes).where(processes.c.id == self._process_id).values(expires_at=from_now(0)))

    async def remove_dead(self) -> None:
        """Forget processes that are over and whose seats were swept."""
        has_seats = exists().where(seats.c.process_id == processes.c.id)
        async with self._database.writing() as db:
            await db.execute(delete(processes).where(~is_live(), ~has_seats))
