"""How often a token has been used."""

from datetime import datetime

from sqlalchemy import delete, select

from server.store.columns import from_now
from server.store.database import Database
from server.store.tables import token_uses
from server.store.upserts import insert_into


class TokenUses:
    """Counts the uses of tokens that allow only so many, over all processes."""

    def __init__(self, database: Database) -> None:
        """Work on an open database."""
        self._database = database

    async def use(self, jti: str, max_uses: int, expires_at: datetime) -> bool:
        """Count one more use; False when the token was used up before."""
        if max_uses < 1:
            return False
        first = insert_into(token_uses, self._database.dialect).values(jti=jti, uses=1, expires_at=expires_at)
        counted = first.on_conflict_do_update(
            index_elements=[token_uses.c.jti],
            set_={"uses": token_uses.c.uses + 1},
            where=token_uses.c.uses < max_uses,
        ).returning(token_uses.c.uses)
        async with self._database.writing() as db:
            return (await db.execute(counted)).first() is not None

    async def used(self, jti: str) -> int:
        """Return how often a token was used."""
        counted = select(token_uses.c.uses).where(token_uses.c.jti == jti)
        async with self._database.reading() as db:
            return (await db.execute(counted)).scalar() or 0

    async def forget_expired(self) -> int:
        """Remove tokens that nobody can use any more; return how many."""
        async with self._database.writing() as db:
            return (await db.execute(delete(token_uses).where(token_uses.c.expires_at < from_now(0)))).rowcount
