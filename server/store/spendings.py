"""What the spirit has cost: sums of tokens and money by key, the same for all processes."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select, update

from server.store.database import Database
from server.store.tables import spendings
from server.store.upserts import insert_into

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sum:
    """Tokens, and millionths of a currency."""

    tokens: int = 0
    micros: int = 0


class Spendings:
    """Adds to several sums at once, under a lock that all processes share."""

    def __init__(self, database: Database) -> None:
        """Work on an open database."""
        self._database = database

    async def add(
        self,
        keys: Collection[str],
        added: Sum,
        refusal: Callable[[Mapping[str, Sum]], T | None] = lambda _: None,
    ) -> T | None:
        """Add to every sum, unless `refusal` says why not from the sums as they are; returns what it said."""
        ordered = sorted(keys)  # in one order everywhere: no two processes wait for each other
        empty = [{"key": key, "tokens": 0, "micros": 0} for key in ordered]
        async with self._database.writing() as db:
            await db.execute(insert_into(spendings, self._database.dialect).values(empty).on_conflict_do_nothing())
            wanted = select(spendings).where(spendings.c.key.in_(ordered)).order_by(spendings.c.key).with_for_update()
            sums = {row.key: Sum(row.tokens, row.micros) for row in await db.execute(wanted)}
            why_not = refusal(sums)
            if why_not is None:
                raised = {
                    "tokens": spendings.c.tokens + added.tokens,
                    "micros": spendings.c.micros + added.micros,
                }
                await db.execute(update(spendings).where(spendings.c.key.in_(ordered)).values(raised))
        return why_not
