"""The way into a session: check, seat, tell what was missed, then live; and the way out."""

import asyncio
from dataclasses import dataclass
from typing import Final

from server.auth import Identity
from server.core.access import Access, Claim
from server.core.limits import Limits
from server.core.messages import Messages
from server.core.presence import Entered, Presence
from server.core.turns import Turns
from server.domain import SessionId, is_session_id
from server.errors import SeanceError, SessionNotFound, ValidationFailed
from server.logs import logger
from server.protocol.commands import Join
from server.protocol.outbound import MessageReceived, Replay, SessionJoined, SpiritFinished
from server.protocol.wire import WireEvent
from server.realtime.broadcast import Rooms
from server.realtime.room import Arrival
from server.realtime.visitor import Place, Visitor

log = logger()

REPLAY_MOST: Final = 100_000
REPLAY_STEP: Final = 100
REPLAY_BACKLOG_BYTES: Final = 256 * 1024
DRAIN_CHECK_SECONDS: Final = 0.02


@dataclass(slots=True)
class Admitted:
    """A connection that has its seat, and has not been told anything yet."""

    visitor: Visitor
    arrival: Arrival
    entered: Entered
    identity: Identity | None
    replay: Replay | None
    missed_end: SpiritFinished | None = None

    @property
    def session_id(self) -> SessionId:
        """Return where."""
        return self.entered.session.id

    @property
    def misses_nothing(self) -> bool:
        """Tell whether all that was missed is about to be replayed."""
        return self.replay is not None and self.replay.complete


class Admission:
    """Lets connections into sessions and out again, for both doors."""

    def __init__(
        self,
        access: Access,
        limits: Limits,
        presence: Presence,
        messages: Messages,
        turns: Turns,
        rooms: Rooms,
    ) -> None:
        """Take who checks, who seats, who knows the past, and the rooms of this process."""
        self._access = access
        self._limits = limits
        self._presence = presence
        self._messages = messages
        self._turns = turns
        self._rooms = rooms
        self._departures: set[asyncio.Task[None]] = set()

    async def seat(self, visitor: Visitor, wish: Join, *, admitted_before: str | None = None) -> Admitted:
        """Check a wish and seat the connection; `welcome` must follow, or `leave`.

        `admitted_before` is the id of a token that let this client in already: coming back is no further use.

        From here on the room's events are held for it: subscribed first, so that nothing falls between the
        past and the present. Raises what refuses it.
        """
        checked = await self._check(visitor, wish, admitted_before)
        return await self._take_seat(visitor, checked, wish.last_seq)

    async def _check(self, visitor: Visitor, wish: Join, admitted_before: str | None) -> Place:
        """Return where a wish leads, and as whom; raises what refuses it."""
        self._limits.join(visitor.address)
        session_id = SessionId(wish.session_id)
        identity = self._access.identify(wish.token)
        if not is_session_id(session_id):
            raise SessionNotFound.of(session_id)
        self._access.require_entry(identity, session_id)
        user = self._access.person(identity, Claim(wish.user_name, wish.user_id))
        await self._access.use(identity, admitted_before=admitted_before)
        return Place(session_id, user, identity)

    async def _take_seat(self, visitor: Visitor, place: Place, last_seq: int | None) -> Admitted:
        session_id = place.session_id
        arrival = await self._rooms.expect(session_id, visitor, place.user.user_id)
        try:
            entered = await self._presence.enter(session_id, place.user, visitor.id)
        except BaseException:
            self._rooms.forget(session_id, arrival)
            raise
        self._rooms.begin_at(session_id, entered.session.head)
        if self._rooms.is_first(session_id):
            await self._turns.look_elsewhere(session_id)
        missed_end = await self._turns.missed_end(session_id, last_seq) if last_seq is not None else None
        visitor.place, visitor.has_joined = place, True
        replay = _replay(last_seq, entered.session.head)
        return Admitted(visitor, arrival, entered, place.identity, replay, missed_end)

    def welcome(self, admitted: Admitted) -> SessionJoined:
        """Tell a seated connection where it is and what it missed, in order, then let it hear the present."""
        visitor, entered, replay = admitted.visitor, admitted.entered, admitted.replay
        turn = self._rooms.turn_of(admitted.session_id, admitted.arrival)
        joined = SessionJoined(entered.session, entered.user, entered.users, turn, replay)
        if visitor.wants_joined:
            visitor.tell(joined)
            if admitted.arrival.held:
                admitted.arrival.forget_arrivals(entered.users)
        if turn is None and admitted.missed_end is not None:
            admitted.arrival.hold([WireEvent.of(admitted.missed_end)])  # told behind the replay
        if replay is None or not replay.complete or replay.after >= entered.session.head:
            self._rooms.settle(admitted.session_id, admitted.arrival, entered.session.head)
        else:
            visitor.begin(self._catch_up(admitted, replay.after), visitor.ignore)
        return joined

    async def join_by_event(self, visitor: Visitor, wish: Join) -> dict[str, object]:
        """Join after the connection was made; returns what the joiner is told."""
        here = visitor.place
        if here is not None and here.session_id != wish.session_id:
            raise ValidationFailed(details={"session_id": ["Leave the other session first."]})
        place = await self._check(visitor, wish, here.identity.token_id if here and here.identity else None)
        self._let_go(visitor, clean=False)  # not before: who may not come back stays
        return self.welcome(await self._take_seat(visitor, place, wish.last_seq)).data()

    def depart(self, visitor: Visitor, *, clean: bool) -> None:
        """Let go of a connection that is lost or closed; its seat is free at once if `clean`, else after the grace.

        All that can be done is done before this returns: a task for each would double what it costs that
        thousands go at once. Only who goes in the middle of joining has to be waited for.
        """
        visitor.gone = True
        self._let_go(visitor, clean=clean)
        if visitor.work is not None:
            departure = asyncio.create_task(self._depart_late(visitor, clean=clean))
            self._departures.add(departure)
            departure.add_done_callback(self._departures.discard)

    async def departed(self) -> None:
        """Wait until all that went are out of their seats."""
        if self._departures:
            await asyncio.wait(list(self._departures))
        await self._presence.departed()

    async def leave(self, visitor: Visitor) -> None:
        """Take a connection out of its session; its seat is free when this returns."""
        if (place := self._out_of_room(visitor)) is not None:
            visitor.door.forget(visitor)
            await self._presence.leave(place.session_id, place.user, visitor.id)

    async def _depart_late(self, visitor: Visitor, *, clean: bool) -> None:
        await visitor.settled()
        self._let_go(visitor, clean=clean)

    def _let_go(self, visitor: Visitor, *, clean: bool) -> None:
        if (place := self._out_of_room(visitor)) is not None:
            self._presence.depart(place.session_id, place.user, visitor.id, clean=clean)

    def _out_of_room(self, visitor: Visitor) -> Place | None:
        """Let a connection hear nothing more; return where it sat."""
        place, visitor.place = visitor.place, None
        if place is not None:
            self._rooms.leave(place.session_id, visitor)
        return place

    async def _catch_up(self, admitted: Admitted, seq: int) -> None:
        """Replay from the log, no faster than the client reads; then settle behind the last message told."""
        visitor, head = admitted.visitor, admitted.entered.session.head
        try:
            while seq < head and not visitor.gone:
                missed = await self._messages.after(admitted.session_id, seq, REPLAY_STEP)
                for message in missed:
                    visitor.tell(MessageReceived(message))
                seq = missed[-1].seq if missed else head
                while visitor.line.backlog_bytes() > REPLAY_BACKLOG_BYTES and not visitor.gone:  # noqa: ASYNC110 - neither door has an event for it
                    await asyncio.sleep(DRAIN_CHECK_SECONDS)
        except SeanceError as error:
            visitor.line.refuse(error)
            return
        self._rooms.settle(admitted.session_id, admitted.arrival, seq)


def _replay(last_seq: int | None, head: int) -> Replay | None:
    if last_seq is None:
        return None
    return Replay(after=last_seq, complete=head - last_seq <= REPLAY_MOST)
