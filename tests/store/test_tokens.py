from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from server.moments import now
from server.store.database import Database
from server.store.tokens import TokenUses

if TYPE_CHECKING:
    from datetime import datetime

MAX_USES = 3


def soon() -> datetime:
    return now() + timedelta(hours=1)


async def test_racing_uses_on_four_processes_count_to_the_limit(database_url: str) -> None:
    databases = [await Database.open(database_url) for _ in range(4)]
    counters = [TokenUses(database) for database in databases]
    used = await asyncio.gather(*[counters[i % 4].use("jti", MAX_USES, soon()) for i in range(40)])
    assert sum(used) == MAX_USES
    for database in databases:
        await database.close()


async def test_tokens_are_counted_apart(database: Database) -> None:
    counter = TokenUses(database)
    assert [await counter.use(jti, 1, soon()) for jti in ("a", "b", "a")] == [True, True, False]


async def test_a_token_for_no_use_is_used_up(database: Database) -> None:
    assert not await TokenUses(database).use("jti", 0, soon())


async def test_expired_tokens_are_forgotten(database: Database) -> None:
    counter = TokenUses(database)
    await counter.use("old", 1, now() - timedelta(hours=1))
    await counter.use("new", 1, soon())
    assert await counter.forget_expired() == 1
    assert not await counter.use("new", 1, soon())
