"""What has to be done now and then, by whichever process comes first; nothing is done twice."""

from dataclasses import dataclass
from typing import Final

from server.core.sessions import Sessions
from server.logs import logger
from server.store.sessions import SessionStore
from server.store.tokens import TokenUses

log = logger()

AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Ends idle sessions and removes old ones; 0 seconds mean never."""

    store: SessionStore
    sessions: Sessions
    token_uses: TokenUses
    idle_seconds: float
    retention_seconds: float

    async def run(self) -> None:
        """Do what is due; raises `DatabaseUnavailable`."""
        if self.idle_seconds:
            for session in await self.store.expire_idle(self.idle_seconds, AT_ONCE):
                self.sessions.tell_over(session)
        if self.retention_seconds:
            purged = await self.store.purge(self.retention_seconds, AT_ONCE)
            if purged:
                log.info("sessions.purged", count=purged)
        await self.token_uses.forget_expired()
