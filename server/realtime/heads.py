"""Notices what no news told of: a room's last message, or all of them while the backplane is away."""

from collections.abc import Callable, Collection

from server.domain import SessionId
from server.realtime.broadcast import Rooms
from server.store.sessions import SessionStore


class Heads:
    """Compares how far the rooms here are with how far the database says their sessions are."""

    def __init__(self, sessions: SessionStore, rooms: Rooms, has_peers: Callable[[], bool]) -> None:
        """Take both sides; while there are no other processes only what is in doubt is compared."""
        self._sessions = sessions
        self._rooms = rooms
        self._has_peers = has_peers
        self._doubted: set[SessionId] = set()

    def doubt(self, session_ids: Collection[SessionId]) -> None:
        """Learn that these sessions may have got messages that nobody was told of."""
        self._doubted.update(session_ids)

    async def compare(self) -> None:
        """Let every room that is behind read what it lacks; raises `DatabaseUnavailable`."""
        here = self._rooms.sessions()
        suspects = here if self._has_peers() else [item for item in here if item in self._doubted]
        if not suspects:
            self._doubted.clear()
            return
        doubted, self._doubted = self._doubted, set()
        try:
            heads = await self._sessions.heads(suspects)
        except BaseException:
            self._doubted |= doubted
            raise
        for session_id, head in heads.items():
            self._rooms.has_come_to(session_id, head.seq)
            if head.close_reason is not None:
                self._rooms.is_over(session_id, head.close_reason)
