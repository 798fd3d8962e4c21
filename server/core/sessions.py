"""Sessions: made, read, changed, ended."""

from server.core.ports import Broadcaster
from server.domain import CloseReason, Session, SessionId, SpiritSettings, is_session_id
from server.errors import SessionNotFound
from server.logs import logger
from server.moments import new_id, now
from server.protocol.commands import ChangeSession, CreateSession, Page
from server.protocol.outbound import SessionOver, SessionUpdated
from server.store.sessions import SessionStore

log = logger()


class Sessions:
    """The life of sessions; everyone in one is told of what changes."""

    def __init__(self, store: SessionStore, broadcaster: Broadcaster) -> None:
        """Take where they are kept and who is told."""
        self._store = store
        self._broadcaster = broadcaster

    async def create(self, command: CreateSession) -> Session:
        """Return a new session, committed."""
        session = Session(
            id=SessionId(new_id()),
            name=command.name,
            max_users=command.max_users,
            created_at=now(),
            spirit=command.spirit.applied_to(SpiritSettings()),
        )
        await self._store.create(session)
        log.info("session.created", session_id=session.id, max_users=session.max_users)
        return session

    async def get(self, session_id: SessionId) -> Session:
        """Return a session, ended or not; raises `SessionNotFound`, for ids that could not be one too."""
        session = await self._store.get(session_id) if is_session_id(session_id) else None
        if session is None:
            log.warning("session.not_found", session_id=session_id[:64])
            raise SessionNotFound.of(session_id)
        log.info("session.retrieved", session_id=session.id)
        return session

    async def page(self, command: Page) -> tuple[list[Session], str | None]:
        """Return sessions, newest first, and the cursor of the next page."""
        return await self._store.page(command.limit, command.cursor)

    async def change(self, session_id: SessionId, command: ChangeSession) -> Session:
        """Return the changed session; raises `SessionNotFound` or `SessionClosed`."""
        _possible(session_id)
        session = await self._store.change(session_id, command)
        log.info("session.changed", session_id=session.id)
        self._broadcaster.tell(session.id, SessionUpdated(session))
        return session

    async def end(self, session_id: SessionId, reason: CloseReason = CloseReason.ENDED) -> Session:
        """Return the ended session; ending it again changes nothing. Raises `SessionNotFound`."""
        _possible(session_id)
        session, ended_now = await self._store.close(session_id, reason)
        if ended_now:
            self.tell_over(session)
        return session

    def tell_over(self, session: Session) -> None:
        """Tell everyone that a session is over, which sends them away too."""
        reason = session.close_reason or CloseReason.ENDED
        log.info("session.ended", session_id=session.id, reason=reason)
        self._broadcaster.tell(session.id, SessionOver(reason))


def _possible(session_id: SessionId) -> None:
    if not is_session_id(session_id):
        raise SessionNotFound.of(session_id)
