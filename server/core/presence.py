"""Who sits where: the seats of the database, and the connections of this process that hold them.

One person is one seat, however many connections; the first takes it, the last gives it up. A connection
that drops keeps the seat for a grace period, so that coming back is silent.
"""

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, cast

from server.core.ports import Broadcaster
from server.domain import Participant, Session, SessionId, UserId
from server.errors import DatabaseUnavailable, SeanceError, SessionNotFound
from server.logs import logger
from server.protocol.codec import loads
from server.protocol.outbound import UserJoined, UserLeft
from server.store.seats import Seats

log = logger()
Place = tuple[SessionId, UserId]

RENAMED: Final = "renamed"


@dataclass(slots=True)
class Entered:
    """The room as the joiner finds it."""

    session: Session
    user: Participant
    users: tuple[Participant, ...]


class Presence:
    """Seats people and tells the others; joins and leaves of one person never overtake each other.

    No lock is needed for that. Which connections hold a seat is written down before the seat is asked for and
    given up, and the seats are asked in the order of the calls and answer in that order.
    """

    def __init__(self, seats: Seats, broadcaster: Broadcaster, *, grace_seconds: float) -> None:
        """Take the seats, who is told, and how long a dropped person's seat is kept."""
        self._seats = seats
        self._broadcaster = broadcaster
        self._grace_seconds = grace_seconds
        self._here: dict[Place, _Seated] = {}
        self._lapsed: set[Place] = set()
        self._unfreed: dict[Place, Participant] = {}

    async def enter(self, session_id: SessionId, user: Participant, connection_id: str) -> Entered:
        """Seat a person's connection; the others are told if the person was not there before.

        Raises `SessionNotFound`, `SessionClosed`, `SessionFull`, `DatabaseUnavailable`.
        """
        place = (session_id, user.user_id)
        seated = self._here.get(place)
        if seated is None:
            seated = self._here[place] = _Seated(user)
        seated.connection_ids.add(connection_id)
        try:
            taken = await self._seats.take(session_id, user)
        except BaseException as error:
            is_refusal = isinstance(error, SeanceError) and not isinstance(error, DatabaseUnavailable)
            if self._is_last(place, connection_id):
                if not is_refusal:
                    self._unfreed[place] = user  # nobody knows whether the seat was taken
                elif seated.holds:
                    self._drop(session_id, user)  # who held it went meanwhile
            raise
        if taken.came:
            log.info("user.joined", session_id=session_id, user_id=user.user_id)
            self._broadcaster.tell_others(session_id, UserJoined(user), besides=user.user_id)
        elif not seated.holds:  # other processes may know this person by another name
            self._broadcaster.signal(session_id, RENAMED, {"user_id": user.user_id, "user_name": user.user_name})
        self._rename(session_id, seated, user)
        seated.user, seated.holds = user, True
        return Entered(taken.session, user, taken.users)

    def heard_elsewhere(self, session_id: SessionId, name: str, data: bytes) -> bool:
        """Hear of another process that one of its people joined; True if that is what was said."""
        if name != RENAMED:
            return False
        said = cast("dict[str, Any]", loads(data))
        seated = self._here.get((session_id, said["user_id"]))
        if seated is not None:
            self._rename(session_id, seated, replace(seated.user, user_name=said["user_name"]))
        return True

    def _rename(self, session_id: SessionId, seated: "_Seated", user: Participant) -> None:
        """One person has one name, whichever connection speaks: that of the last to join."""
        if seated.user.user_name != user.user_name:
            seated.user = user
            self._broadcaster.rename(session_id, user.user_id, user.user_name)

    async def leave(self, session_id: SessionId, user: Participant, connection_id: str) -> None:
        """Give a connection's seat up; returns once it is free."""
        if self._is_last((session_id, user.user_id), connection_id):
            await self._free(session_id, user)

    def depart(self, session_id: SessionId, user: Participant, connection_id: str, *, clean: bool) -> None:
        """Give up the seat of a connection that is gone: at once if `clean`, after the grace period if it dropped.

        Returns before that is stored.
        """
        if not self._is_last((session_id, user.user_id), connection_id):
            return
        if clean or not self._grace_seconds:
            self._free(session_id, user)
        else:
            self._drop(session_id, user)

    async def departed(self) -> None:
        """Wait until all who went so far are out of their seats, and the others were told."""
        await self._seats.settled()

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
        gone = await self._seats.sweep()
        for session_id, user in gone:
            self._broadcaster.tell(session_id, UserLeft(user))
        if gone:
            # One line: a line each would cost more than the rest when everyone's grace ends at once.
            log.info("users.swept", count=len(gone))
        unfreed, self._unfreed = self._unfreed, {}
        await asyncio.gather(*(self._free_late(place, user) for place, user in unfreed.items()))

    async def _seat_again(self, place: Place) -> None:
        session_id, user_id = place
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
            seated.holds = True
            if taken.came:
                self._broadcaster.tell_others(session_id, UserJoined(seated.user), besides=user_id)
            if place not in self._here:  # refused meanwhile, by an answer that came before this one
                self._drop(session_id, seated.user)

    def _is_last(self, place: Place, connection_id: str) -> bool:
        """Forget a connection; tell whether nobody holds the seat any more."""
        seated = self._here.get(place)
        if seated is not None:
            seated.connection_ids.discard(connection_id)
            if seated.connection_ids:
                return False
            del self._here[place]
        return True

    def _drop(self, session_id: SessionId, user: Participant) -> None:
        heard = partial(self._gave_up, session_id, user)
        self._seats.drop(session_id, user.user_id, self._grace_seconds, heard)

    def _free(self, session_id: SessionId, user: Participant) -> asyncio.Future[None]:
        """Free a seat; the future is done once it is free, or was found not to be."""
        freed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def heard(gone: bool | Exception) -> None:
            self._gave_up(session_id, user, gone)
            if not freed.done():
                freed.set_result(None)

        self._seats.free(session_id, user.user_id, heard)
        return freed

    async def _free_late(self, place: Place, user: Participant) -> None:
        """Free a seat that could not be freed in time, unless its person is back."""
        if place not in self._here:
            await self._free(place[0], user)

    def _gave_up(self, session_id: SessionId, user: Participant, gone: bool | Exception | None) -> None:
        """Learn what became of a seat that was given up; True means that its person is nowhere now."""
        if gone is True:
            log.info("user.left", session_id=session_id, user_id=user.user_id)
            self._broadcaster.tell(session_id, UserLeft(user))
        elif isinstance(gone, Exception) and not isinstance(gone, SessionNotFound):
            if isinstance(gone, DatabaseUnavailable):
                log.warning("seat.not_freed", session_id=session_id, user_id=user.user_id)
            else:
                log.error("seat.failed", session_id=session_id, user_id=user.user_id, error=type(gone).__name__)
            self._unfreed[session_id, user.user_id] = user


@dataclass(slots=True)
class _Seated:
    """A person and the connections of this process that hold the seat, or ask for it; `holds` once one has it."""

    user: Participant
    connection_ids: set[str] = field(default_factory=set)
    holds: bool = False
