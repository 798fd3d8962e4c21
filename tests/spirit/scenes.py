"""Scenes for the spirit, built by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from server.core.ports import Scene
from server.domain import (
    SPIRIT_USER_ID,
    Message,
    MessageId,
    Participant,
    Session,
    SessionId,
    SpiritSettings,
    TurnId,
    UserId,
)
from server.moments import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

SESSION_ID = SessionId("3f0c2c52-5a4e-4f2b-9f4e-0d5a6a1f7b11")
DUSK = datetime(2026, 10, 31, 21, 0, tzinfo=UTC)
ANNA = Participant(UserId("u-anna"), "Anna")
BEN = Participant(UserId("u-ben"), "Ben")
CLEO = Participant(UserId("u-cleo"), "Cleo")


def session(spirit: SpiritSettings | None = None, session_id: str = SESSION_ID) -> Session:
    return Session(
        id=SessionId(session_id), name="Back parlour", max_users=6, created_at=DUSK, spirit=spirit or SpiritSettings()
    )


class Table:
    """A séance at which people and the spirit speak in turn."""

    def __init__(
        self,
        people: Sequence[Participant] = (ANNA, BEN),
        spirit: SpiritSettings | None = None,
        session_id: str = SESSION_ID,
    ) -> None:
        self.session = session(spirit, session_id)
        self.people = tuple(people)
        self.messages: list[Message] = []
        self.clock = DUSK
        self.summary = ""

    def says(self, person: Participant, text: str, after: timedelta = timedelta(seconds=20)) -> Scene:
        self._add(person.user_id, person.user_name, text, after, is_spirit=False)
        return self.scene()

    def spirit_says(self, text: str) -> Scene:
        self._add(SPIRIT_USER_ID, self.session.spirit.name, text, timedelta(seconds=3), is_spirit=True)
        return self.scene()

    def scene(self) -> Scene:
        return Scene(TurnId("turn"), self.session, self.people, tuple(self.messages), self.summary)

    def _add(self, user_id: UserId, name: str, text: str, after: timedelta, *, is_spirit: bool) -> None:
        self.clock += after
        seq = len(self.messages) + 1
        self.messages.append(
            Message(
                id=MessageId(f"m-{seq}"),
                session_id=self.session.id,
                seq=seq,
                user_id=user_id,
                user_name=name,
                text=text,
                timestamp=iso(self.clock),
                is_spirit=is_spirit,
            )
        )
