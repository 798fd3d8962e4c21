"""What is kept for a joiner, and what the joiner was told of already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.domain import Participant, UserId
from server.protocol.outbound import UserJoined, UserLeft
from server.protocol.wire import WireEvent
from server.realtime.room import Arrival
from tests.races.stage import Door

if TYPE_CHECKING:
    from server.protocol.outbound import Event

ADA, BEN, CLEO = (Participant(UserId(name.lower()), name) for name in ("Ada", "Ben", "Cleo"))


def left_of(*held: Event) -> list[tuple[bytes, bytes]]:
    """What a joiner who finds Ada and Ben there still hears of what was held."""
    arrival = Arrival(Door().visitor("zoe")[0], "zoe")
    arrival.hold([WireEvent.of(event) for event in held])
    arrival.forget_arrivals((ADA, BEN))
    return [(wire.name, wire.data) for wire in arrival.newer()]


def named(*events: Event) -> list[tuple[bytes, bytes]]:
    return [(wire.name, wire.data) for wire in map(WireEvent.of, events)]


def test_who_is_listed_is_not_announced() -> None:
    assert left_of(UserJoined(ADA), UserJoined(BEN), UserJoined(CLEO)) == named(UserJoined(CLEO))


def test_who_goes_and_comes_back_is() -> None:
    news = (UserLeft(ADA), UserJoined(ADA), UserLeft(CLEO))
    assert left_of(UserJoined(ADA), *news) == named(*news)
