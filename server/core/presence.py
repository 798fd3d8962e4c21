"""Who sits where: the seats of the database, and the connections of this process that hold them.

One person is one seat, however many connections; the first takes it, the last gives it up. A connection
that drops keeps the seat for a grace period, so that coming back is silent.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from server.core.ports import Broadcaster
from server.domain import Participant, Session, SessionId, UserId
from server.errors import DatabaseUnavailable, SeanceError
from server.logs import logger
from server.protocol.outbound import UserJoined, UserLeft
from server.store.seats import Seats

log = logger()
Place = tuple[SessionId, UserId]


@dataclass(frozen=True, slots=True)
class Entered:
    """The room as the joiner finds it."""

    session: Session
    user: Participant
    users: tuple[Participant, ...]


class Presence:
    """Seats people and tells the others; joins and leaves of one person never overtake each other."""

    def __init__(self, seats: Seats, broadcaster: Broadcaster, *, grace_seconds: float) -> None:
        """Take the seats, who is told, and how long a dropped person's seat is kept."""
        self._seats = seats
        self._broadcaster = broadcaster
        self._grace_seconds = grace_seconds
        self._here: dict[Place, _Seated] = {}
        self._locks: defaultdict[Place, _CountedLock] = defaultdict(_CountedLock)
        self._lapsed: set[Place] = set()
        self._unfreed: dict[Place, Participant] = {}

    async def enter(self, session_id: SessionId, user: Participant, connection_id: str) -> Entered:
        """Seat a person's connection; the others are told if the person was not there before.

        Raises `SessionNotFound`, `SessionClosed`, `SessionFull`, `DatabaseUnavailable`.
        """
        place = (session_id, user.user_id)
        async with self._alone(place):
            taken = await self._seats.take(session_id, user)
            self._here.setdefault(place, _Seated(user)).connection_ids.add(connection_id)
        if taken.came:
            log.info("user.joined", session_id=session_id, user_id=user.user_id)
            self._broadcaster.tell_others(session_id, UserJoined(user), besides=user.user_id)
        return Entered(taken.session, user, taken.users)

    async def leave(self, session_id: SessionId, user: Participant, connection_id: str, *, clean: bool) -> None:
        """Give a connection's seat up: at once if `clean`, after the grace period if it dropped."""
        place = (session_id, user.user_id)
        async with self._alone(place):
            seated = self._here.get(place)
            if seated is not None:
                seated.connection_ids.discard(connection_id)
                if seated.connection_ids:
                    return
                del self._here[place]
            gone = await self._give_up(session_id, user, clean=clean or not self._grace_seconds)
        if gone:
            self._tell_left(session_id, user)

    async def users(self, session_id: SessionId) -> list[Participant]:
        """Return who is there now, over all processes."""
        return await self._seats.present(session_id)

    async def beat(self) -> None:
        """Show that this process lives; if that came too late, seat again whoever is still connected.

        Others may sit there by now: who finds no seat any more is told so, and sent away.
        """
        if not await self._seats.beat():
            log.warning("seats.lapsed", people=len(self._here))
            self._lapsed.update(self._here)
        if self._lapsed:
            await asyncio.gather(*(self._seat_again(place) for place in list(self._lapsed)))

    async def sweep(self) -> None:
        """Tell of those whose grace, or whose process, ran out; give up what the database did not hear of."""
        for session_id, user in await self._seats.sweep():
            self._tell_left(session_id, user)
        for place, person in list(self._unfreed.items()):
            await self._give_up_late(place, person)

    async def _seat_again(self, place: Place) -> None:
        session_id, user_id = place
        async with self._alone(place):
            self._lapsed.discard(place)
            if (seated := self._here.get(place)) is None:
                return
            try:
                taken = await self._seats.take(session_id, seated.user)
            except DatabaseUnavailable:
                self._lapsed.add(place)  # the next beat tries again
            except SeanceError as error:
                log.warning("seat.lost", session_id=session_id, user_id=user_id, code=error.code)
                self._broadcaster.evict(session_id, seated.connection_ids, error)
            else:
                if taken.came:
                    self._broadcaster.tell_others(session_id, UserJoined(seated.user), besides=user_id)

    async def _give_up(self, session_id: SessionId, user: Participant, *, clean: bool) -> bool:
        try:
            if clean:
                return await self._seats.free(session_id, user.user_id)
            await self._seats.drop(session_id, user.user_id, self._grace_seconds)
        except DatabaseUnavailable:
            log.warning("seat.not_freed", session_id=session_id, user_id=user.user_id)
            self._unfreed[session_id, user.user_id] = user
        return False

    async def _give_up_late(self, place: Place, user: Participant) -> None:
        """Free a seat that could not be freed in time, unless its person is back; raises `DatabaseUnavailable`."""
        async with self._alone(place):
            gone = place not in self._here and await self._seats.free(*place)
            self._unfreed.pop(place, None)
        if gone:
            self._tell_left(place[0], user)

    def _tell_left(self, session_id: SessionId, user: Participant) -> None:
        log.info("user.left", session_id=session_id, user_id=user.user_id)
        self._broadcaster.tell(session_id, UserLeft(user))

    @asynccontextmanager
    async def _alone(self, place: Place) -> AsyncIterator[None]:
        lock = self._locks[place]
        lock.waiting += 1
        try:
            async with lock:
                yield
        finally:
            lock.waiting -= 1
            if not lock.waiting:
                self._locks.pop(place, None)


@dataclass(slots=True)
class _Seated:
    """A person and the connections of this process that hold the seat."""

    user: Participant
    connection_ids: set[str] = field(default_factory=set)


class _CountedLock(asyncio.Lock):
    """A lock that knows how many hold or want it, so that it can be forgotten when none does."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
